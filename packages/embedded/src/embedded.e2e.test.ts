import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderLockedError, StoreBusyError, Storeweave, UniqueViolationError } from '@storeweave/core';
import { sharedPostgres } from '@storeweave/testing/servers';
import { afterEach, describe, expect, it } from 'vitest';
import { type EmbeddedOptions, embedded } from './embedded.js';
import { Card, census, enroll, entities, Member, Visit } from './four-models.fixture.js';

const opened: Storeweave[] = [];
const folders: string[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'storeweave-e2e-'));
  folders.push(folder);
  return folder;
};
const open = async (options: EmbeddedOptions) => {
  const weave = await Storeweave.open({ entities, stores: embedded(options) });
  opened.push(weave);
  return weave;
};
afterEach(async () => {
  for (const weave of opened.splice(0)) await weave.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const places: [name: string, options: () => Promise<EmbeddedOptions>][] = [
  ['in memory', async () => ({})],
  ['in a folder', async () => ({ path: newFolder(), fsync: false })],
  ['on a server', async () => ({ url: await (await sharedPostgres()).database('embedded') })],
];

describe.each(places)('four models %s', (_, options) => {
  it('commit in one native transaction, and are read back joined', async () => {
    const weave = await open(await options());
    const id = await enroll(weave, 1);
    expect(await census(weave)).toEqual({ members: 2, cards: 1, visits: 1, edges: 1 });
    const member = await weave.repository(Member).findById(id, { populate: ['card', 'sponsored', 'visits'] });
    expect(member?.card.get()?.colours).toEqual(['red', 'blue']);
    expect(member?.sponsored.items.map((other) => other.number)).toEqual([3]);
    expect(member?.visits.items.map((visit) => visit.minutes)).toEqual([1]);
  });

  it('leave nothing behind when the callback throws after everything was written', async () => {
    const weave = await open(await options());
    await enroll(weave, 1);
    const thrown = new Error('changed my mind');
    const written = enroll(weave, 2, () => {
      throw thrown;
    });
    await expect(written).rejects.toBe(thrown);
    expect(await census(weave)).toEqual({ members: 2, cards: 1, visits: 1, edges: 1 });
  });

  it('leave nothing behind when one of them refuses', async () => {
    const weave = await open(await options());
    await enroll(weave, 1);
    await expect(enroll(weave, 1)).rejects.toBeInstanceOf(UniqueViolationError);
    expect(await census(weave)).toEqual({ members: 2, cards: 1, visits: 1, edges: 1 });
    await enroll(weave, 2);
    expect(await census(weave)).toEqual({ members: 4, cards: 2, visits: 2, edges: 2 });
  });

  it('take units of work at the same time, each on its own', async () => {
    const weave = await open(await options());
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((number) => enroll(weave, number)));
    expect(await census(weave)).toEqual({ members: 16, cards: 8, visits: 8, edges: 8 });
  });
});

describe('a database that outlives its process', () => {
  it('is there after close and open', async () => {
    const path = newFolder();
    await enroll(await open({ path }), 1);
    await opened.pop()?.close();
    const weave = await open({ path });
    expect(await census(weave)).toEqual({ members: 2, cards: 1, visits: 1, edges: 1 });
    expect((await weave.schema.plan()).changes).toEqual([]);
  });

  it('is refused to a second process meanwhile, and loses nothing and halves nothing at SIGKILL', async () => {
    const path = newFolder();
    let acknowledged = 0;
    const child = fork(new URL('./enroller.fixture.ts', import.meta.url), [path, '0'], {
      execArgv: ['--conditions=@storeweave/source', '--import', 'tsx'],
    });
    let refusal: unknown;
    await new Promise<void>((resolve, reject) => {
      child.on('message', async (number) => {
        acknowledged = Number(number);
        if (acknowledged === 5) refusal = await open({ path }).catch((error: unknown) => error);
        if (acknowledged >= 20 && refusal !== undefined) child.kill('SIGKILL');
      });
      child.once('exit', (code, signal) =>
        signal === 'SIGKILL' ? resolve() : reject(new Error(`ended with ${code}`)),
      );
    });
    expect(refusal).toBeInstanceOf(FolderLockedError);
    expect(String(refusal)).toContain(`process ${child.pid} on`);

    const weave = await open({ path });
    const found = await census(weave);
    expect(found.cards).toBeGreaterThanOrEqual(acknowledged + 1);
    expect(found).toEqual({ members: 2 * found.cards, cards: found.cards, visits: found.cards, edges: found.cards });
  }, 120_000);
});

describe('the one session', () => {
  it('is not waited for by a query beside the unit of work, inside its callback', async () => {
    const weave = await open({});
    await enroll(weave, 1);
    await weave.transaction({ label: 'stock-taking' }, async (uow) => {
      await uow.repository(Card).find({});
      const beside = weave.session().repository(Member).find({});
      await expect(beside).rejects.toBeInstanceOf(StoreBusyError);
      await expect(beside).rejects.toThrow(/stock-taking.*for ever/);
    });
    expect(await weave.repository(Visit).count()).toBe(1);
  });
});
