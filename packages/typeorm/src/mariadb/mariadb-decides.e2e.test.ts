/**
 * MariaDB decides units of work over several stores: what `commit()` says, what `resolve` says and what the journal holds
 * agree, in every way that a COMMIT can go wrong, and what its process leaves behind is finished by others.
 */
import { randomUUID } from 'node:crypto';
import {
  CommitUnknownError,
  ConfigurationError,
  Document,
  Id,
  Property,
  Relational,
  Storeweave,
  TimeoutError,
  Version,
} from '@storeweave/core';
import { diesAt, type MemoryStore, memoryStore } from '@storeweave/testing';
import { CommitProxy, type MariadbServer, startMariadb } from '@storeweave/testing/servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { typeorm } from '../typeorm.js';
import type { TypeormStore } from '../typeorm-store.js';

@Relational({ table: 'accounts' })
class Account {
  @Id('integer') id!: number;
  @Property('integer') balance!: number;
  @Version() version!: number;
}

@Document({ collection: 'profiles' })
class Profile {
  @Id('integer') id!: number;
  @Property('string', { unique: true }) name!: string;
  @Version() version!: number;
}

/** Length 7, first packet, COM_QUERY. */
const COMMIT = Buffer.concat([Buffer.from([7, 0, 0, 0, 3]), Buffer.from('commit')]);

let server: MariadbServer;
let url: string;
let direct: TypeormStore;

const journalOf = ({ coordinator }: TypeormStore) => {
  if (coordinator === undefined) throw new Error('It does not coordinate.');
  return coordinator;
};
const opened = async (at: string) => {
  const store = typeorm({ url: at });
  await store.open({ name: 'relational', entities: [] });
  return store;
};
const ask = async (text: string) =>
  (await direct.domain.use({}, (session) => session.query({ text, values: [] }))).rows[0]?.[0];
const resolve = (unit: string, timeoutMs?: number) =>
  journalOf(direct).resolve(unit, timeoutMs === undefined ? {} : { timeoutMs });
const there = (unit: string) => ({ unitOfWork: unit, redo: 'redo' });

/** A transaction that has written a journal row, up to its COMMIT. */
async function decision(by: TypeormStore) {
  const unit = randomUUID();
  const transaction = await by.domain.begin({});
  await journalOf(by).claim(unit, { transaction });
  await journalOf(by).record({ unitOfWork: unit, redo: 'redo' }, { transaction });
  return { unit, transaction };
}

beforeAll(async () => {
  server = await startMariadb({ ways: ['docker', 'native'] });
  url = await server.database('decides');
  direct = await opened(url);
  await journalOf(direct).setUp({});
}, 600_000);
afterAll(async () => {
  await direct?.close();
  await server?.stop();
});

describe('a COMMIT that is not answered', () => {
  let proxy: CommitProxy;
  let store: TypeormStore;
  beforeEach(async () => {
    proxy = await new CommitProxy(url, (data) => data.equals(COMMIT)).listen();
    store = await opened(proxy.url);
  });
  afterEach(async () => {
    await store.close();
    await proxy.close();
  });

  it.each([true, false])('is waited for while it is on its way, and then known: it arrives (%s)', async (isSent) => {
    const { unit, transaction } = await decision(store);
    proxy.fate = 'hold';
    await expect(transaction.commit()).rejects.toThrow(CommitUnknownError);
    expect(await journalOf(direct).find(unit, {})).toBeUndefined();
    const early = resolve(unit, 150);
    await expect(early).rejects.toThrow(TimeoutError);
    await expect(early).rejects.toThrow(unit);
    const waiting = [resolve(unit), resolve(unit, 20_000), resolve(unit, 20_000)];
    await new Promise((done) => setTimeout(done, 200));
    proxy.release(isSent);
    for (const each of waiting) expect(await each).toStrictEqual(isSent ? there(unit) : undefined);
  });

  it('was taken where only its answer was lost, and not where it was lost itself', async () => {
    const answered = await decision(store);
    proxy.fate = 'lose answer';
    await expect(answered.transaction.commit()).rejects.toThrow(CommitUnknownError);
    expect(await resolve(answered.unit)).toStrictEqual(there(answered.unit));
    proxy.fate = 'pass';
    const lost = await decision(store);
    proxy.fate = 'lose request';
    await expect(lost.transaction.commit()).rejects.toThrow(CommitUnknownError);
    expect(await resolve(lost.unit)).toBeUndefined();
  });

  it('is waited for longer than the server itself waits for a lock', async () => {
    await ask('set global innodb_lock_wait_timeout = 1');
    const other = await opened(url);
    const { unit, transaction } = await decision(store);
    const waiting = journalOf(other).resolve(unit, { timeoutMs: 20_000 });
    await new Promise((done) => setTimeout(done, 1_500));
    await transaction.commit();
    expect(await waiting).toStrictEqual(there(unit));
    await other.close();
    await ask('set global innodb_lock_wait_timeout = 50');
  });

  it('is on disk before anybody is told of it', async () => {
    const flushes = () => ask('select n from storeweave_journal_flushes');
    const { unit, transaction } = await decision(store);
    await transaction.commit();
    const before = Number(await flushes());
    await resolve(unit);
    await resolve(randomUUID());
    await journalOf(direct).open({ limit: 1 }, {});
    expect(Number(await flushes())).toBe(before + 2);
  });
});

describe('a server', () => {
  it('that was killed says what was taken, and what was not', async () => {
    const taken = await decision(direct);
    await taken.transaction.commit();
    const open = await decision(direct);
    await server.kill();
    await server.restart();
    await expect(open.transaction.commit()).rejects.toThrow();
    await vi.waitFor(async () => expect(await resolve(open.unit)).toBeUndefined(), 20_000);
    expect(await resolve(taken.unit)).toStrictEqual(there(taken.unit));
  });

  it('that may lose what it has acknowledged does not coordinate', async () => {
    await ask('set global innodb_flush_log_at_trx_commit = 2');
    const refused = journalOf(direct).setUp({});
    await expect(refused).rejects.toThrow(ConfigurationError);
    await expect(refused).rejects.toThrow(/innodb_flush_log_at_trx_commit is 2/);
    await ask('set global innodb_flush_log_at_trx_commit = 1');
    await journalOf(direct).setUp({});
  });
});

describe('a unit of work', () => {
  let document: MemoryStore;
  let own: string;
  beforeEach(async () => {
    own = await server.database('units');
    document = memoryStore({ capabilities: { commit: { coordinates: false, participates: 'fence' } } });
  });

  const open = (commit: Parameters<typeof Storeweave.open>[0]['commit'] = {}) =>
    Storeweave.open({
      entities: [Account, Profile],
      stores: { document, relational: typeorm({ url: own }) },
      commit: { relay: false, ...commit },
    });

  it.each([
    ['after', 'claim'],
    ['after', 'fence'],
    ['after', 'decide'],
    ['before', 'apply'],
  ] as const)('is whole or absent where its process dies %s %s', async (moment, step) => {
    await using weave = await open();
    await weave.repository(Profile).insert({ id: 1, name: 'ada' });
    const dying = await open({ onStep: diesAt(moment, step) });
    const work = dying.transaction({ retries: 0, awaitMs: 500 }, async (uow) => {
      uow.create(Account, { id: 1, balance: 1 });
      (await uow.repository(Profile).findOneOrFail({})).name = 'eve';
      uow.create(Profile, { id: 2, name: 'bob' });
    });
    await work.catch(() => undefined);
    await weave.journal.drain();
    const isDecided = step === 'decide' || step === 'apply';
    const names = (await weave.repository(Profile).find({ orderBy: { id: 'asc' } })).map(({ name }) => name);
    expect(await weave.repository(Account).count()).toBe(isDecided ? 1 : 0);
    expect(names).toEqual(isDecided ? ['eve', 'bob'] : ['ada']);
    expect((await weave.journal.stats()).open).toBe(0);
    await dying.close();
  });
});
