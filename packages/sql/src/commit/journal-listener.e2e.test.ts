/** Who is told that something is left to relays: on a real PostgreSQL, over connections that are lost, and where nothing arrives. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CommitCoordinator, JournalWatch } from '@storeweave/core';
import { sharedPostgres } from '@storeweave/testing/servers';
import pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { PgDomain } from '../pg-domain.js';
import { type PgPoolLike, poolConnections } from '../pg-pool.js';

const LISTENING = `select pid from pg_stat_activity where datname = current_database() and query = 'listen storeweave_journal'`;

let url: string;
let domain: PgDomain;
const watches: JournalWatch[] = [];

beforeAll(async () => {
  url = await (await sharedPostgres()).database('journal_listener');
});
beforeEach(async () => {
  domain = await domainOf();
  await domain.coordinator.setUp({});
});
afterEach(async () => {
  for (const watch of watches.splice(0)) await watch.stop();
  await domain.close();
});

async function domainOf(change: (pool: PgPoolLike) => PgPoolLike = (pool) => pool): Promise<PgDomain> {
  const pool = () => change(new pg.Pool({ connectionString: url, max: 2 }) as unknown as PgPoolLike);
  const domain = new PgDomain(poolConnections(pool));
  await domain.open();
  return domain;
}

const ask = async (text: string) => (await domain.use({}, (session) => session.query({ text, values: [] }))).rows;

async function decide(): Promise<string> {
  const unitOfWork = randomUUID();
  const transaction = await domain.begin({});
  await domain.coordinator.record({ unitOfWork, redo: '{}' }, { transaction });
  await transaction.commit();
  return unitOfWork;
}

/** How often it has been woken. */
async function watch({ coordinator }: { coordinator: CommitCoordinator } = domain): Promise<() => number> {
  let times = 0;
  const watch = await coordinator.watch?.(() => {
    times++;
  });
  if (watch === undefined) throw new Error('It cannot be watched.');
  watches.push(watch);
  return () => times;
}

describe('who watches the journal of a PostgreSQL', () => {
  it('is told of what is handed over, noted once, and of nothing else', async () => {
    const [first, second] = [await watch(), await watch()];
    const units = [await decide(), await decide(), await decide()];
    const { coordinator } = domain;
    await coordinator.note(units.slice(0, 1), { attempts: 3, dead: false }, {});
    await coordinator.done(units.slice(1, 2), {});
    await coordinator.handOver?.(units.slice(0, 2), 'it is noted', {});
    await coordinator.handOver?.([randomUUID()], 'it is not there', {});
    await coordinator.handOver?.(units, 'no \0 room', {});
    await expect.poll(() => [first(), second()]).toEqual([1, 1]);
    const attempts = (await coordinator.open({ limit: 9 }, {})).map((unit) => [unit.unitOfWork, unit.attempts]);
    expect(attempts).toStrictEqual([
      [units[2], 1],
      [units[0], 3],
    ]);
    expect(await coordinator.find(units[2] ?? '', {})).toMatchObject({ error: 'no  room' });
    await coordinator.note(units, { attempts: 0, dead: false }, {});
    await expect.poll(() => [first(), second()]).toEqual([2, 2]);
  });

  it('is told again after its connection was killed, and of what it may have missed', async () => {
    const woken = await watch();
    expect(await ask(LISTENING)).toHaveLength(1);
    await ask(`select pg_terminate_backend(pid) from (${LISTENING}) listening`);
    await expect.poll(woken, { timeout: 3_000 }).toBe(1);
    await domain.coordinator.handOver?.([await decide()], undefined, {});
    await expect.poll(woken, { timeout: 3_000 }).toBe(2);
  });

  it('leaves no connection, and does not take one of the pool', async () => {
    await Promise.all([watch(), watch()]);
    const transactions = await Promise.all([domain.begin({}), domain.begin({ acquireTimeoutMs: 2_000 })]);
    await Promise.all(transactions.map((transaction) => transaction.rollback()));
    expect(await ask(LISTENING)).toHaveLength(2);
    for (const watch of watches) await watch.stop();
    await expect.poll(() => ask(LISTENING)).toHaveLength(0);
  });

  it('does not keep a process that has nothing else to do', async () => {
    const fixture = fileURLToPath(new URL('./listener.fixture.ts', import.meta.url));
    const options = ['--conditions=@storeweave/source', '--import', import.meta.resolve('tsx')];
    const { stdout } = await promisify(execFile)(process.execPath, [...options, fixture, url], { timeout: 20_000 });
    expect(stdout).toBe('watching');
  });

  it('says once that nothing arrives, and goes on', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    class Deaf extends pg.Client {
      // As through a pooler that gives the server to somebody else after each transaction.
      override query(...given: unknown[]): never {
        const [config] = given as [{ text?: string }];
        if (config?.text?.startsWith('listen ') === true) config.text = 'select 1';
        return super.query(...(given as [string])) as unknown as never;
      }
    }
    const deaf = await domainOf((pool) => Object.assign(pool, { Client: Deaf }));
    try {
      const woken = await watch(deaf);
      await expect.poll(() => warn.mock.calls.length, { timeout: 9_000 }).toBe(1);
      expect(warn.mock.calls[0]).toEqual([expect.stringContaining('hears nothing'), expect.anything()]);
      await deaf.coordinator.handOver?.([await decide()], undefined, {});
      expect(woken()).toBe(0);
    } finally {
      for (const watch of watches.splice(0)) await watch.stop();
      await deaf.close();
      warn.mockRestore();
    }
  });

  it('keeps trying where no connection can be made', async () => {
    let refusals = 0;
    class Refused extends pg.Client {
      constructor(options: pg.ClientConfig) {
        super(refusals-- > 0 ? { connectionString: 'postgres://127.0.0.1:1/nowhere' } : options);
      }
    }
    const away = await domainOf((pool) => Object.assign(pool, { Client: Refused }));
    refusals = 2;
    try {
      const woken = await watch(away);
      expect(await ask(LISTENING)).toHaveLength(0);
      const told = async () => {
        await away.coordinator.handOver?.([await decide()], undefined, {});
        return woken();
      };
      await expect.poll(told, { timeout: 5_000, interval: 200 }).toBeGreaterThan(0);
    } finally {
      for (const watch of watches.splice(0)) await watch.stop();
      await away.close();
    }
  });
});
