/**
 * The journal and the relay as an operator uses them: real rows in a real PostgreSQL, left behind by units of work that
 * were decided and not applied.
 */
import { createInterface } from 'node:readline';
import { type JournalEntry, type StepEvent, type StepSummary, Storeweave } from '@storeweave/core';
import { sharedPostgres } from '@storeweave/testing/servers';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { journalDiscard, journalList, journalRetry, journalShow, journalStats } from './commands/journal.js';
import { relay } from './commands/relay.js';
import { Basket, Invoice, Order, orders } from './fixtures/orders.config.fixture.js';
import { Output } from './output.js';
import { here, start, storeweave } from './process.fixture.js';

const config = here('./fixtures/orders.config.fixture.ts');

/** Databases of orders, and what the command says about them. */
async function databases(name: string) {
  const server = await sharedPostgres();
  const env = { ORDERS_URL: await server.database(name), BILLING_URL: await server.database(`${name}_billing`) };
  return {
    env,
    json: async <R>(...args: string[]) => {
      const { code, out } = await storeweave([...args, '--json', '-c', config], env);
      return { code, data: JSON.parse(out || 'null') as R };
    },
    sql: (text: string, values?: unknown[]) => ask(env.ORDERS_URL, text, values),
    invoices: () => ask(env.BILLING_URL, 'select customer from invoices order by customer'),
  };
}

/** A command in this process. */
async function run(command: (output: Output) => Promise<number>) {
  let out = '';
  const stdout = {
    write: (text: string) => {
      out += text;
    },
  };
  const code = await command(new Output({ stdout, stderr: { write: () => {} } }, false));
  return { code, out };
}

async function ask(url: string, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Commits units of work whose application fails, so that they stay open. Returns their ids. */
async function leaveOpen(env: NodeJS.ProcessEnv, count: number): Promise<string[]> {
  const { commit, ...options } = orders(env);
  const onStep = ({ step, moment }: StepEvent) => {
    if (step === 'apply' && moment === 'before') throw new Error('it dies');
  };
  await using weave = await Storeweave.open({ ...options, commit: { ...commit, onStep } });
  const units: string[] = [];
  for (let at = 0; at < count; at++) {
    await weave.transaction(async (uow) => {
      uow.create(Order, { customer: `customer ${at}` });
      uow.create(Invoice, { customer: `customer ${at}` });
      uow.create(Basket, { content: `basket ${at}` });
      units.push(uow.id);
    });
  }
  return units;
}

const DIE = 'update storeweave_journal set dead = true, attempts = 5, error = $2 where uow = any($1::uuid[])';

describe('journal', () => {
  it('lists what is open, oldest first, with what is left to do', async () => {
    const { env, json } = await databases('cli_journal');
    const units = await leaveOpen(env, 2);
    const { code, data } = await json<{ units: JournalEntry[] }>('journal', 'list');
    expect(code).toBe(0);
    expect(data.units.map((unit) => unit.unitOfWork)).toEqual(units);
    expect(data.units[0]).toMatchObject({
      dead: false,
      stores: expect.arrayContaining(['billing', 'document']),
      changes: [{ store: 'document', entity: 'Basket', operation: 'insert', rows: 1 }],
    });
    const text = await run((output) => journalList(orders(env), output, { dead: false, limit: '1' }));
    expect(text.out).toMatch(/^unit of work {2,}age {2,}attempts {2,}changes {2,}error\n/);
    expect(text.out).toContain(`${units[0]}  `);
    expect(text.out).not.toContain(units[1]);
    expect(text.out).toContain('billing: a prepared transaction');
    expect(text.out).toContain('document: 1 insert Basket');
    expect((await run((output) => journalStats(orders(env), output, { check: true }))).code).toBe(0);
    const shown = await run((output) => journalShow(orders(env), output, units[0] ?? ''));
    expect(shown).toMatchObject({ code: 0, out: expect.stringContaining('decided, and not yet applied everywhere') });
  });

  it('gives dead letters back, or up for good with a reason', async () => {
    const { env, sql } = await databases('cli_dead');
    const config = orders(env);
    const [first = '', second = ''] = await leaveOpen(env, 2);
    const because = { reason: 'entered by hand' };
    await expect(run((output) => journalDiscard(config, output, first, because))).rejects.toThrow('not a dead letter');
    await sql(DIE, [[first, second], 'CheckViolationError: a nick is too long']);

    const none = await run((output) => journalList(config, output, { dead: false, limit: '100' }));
    expect(none.out).toContain('Nothing is open');
    const dead = await run((output) => journalList(config, output, { dead: true, limit: '100' }));
    expect(dead.out).toContain('CheckViolationError: a nick is too long');
    const stats = await run((output) => journalStats(config, output, { check: true }));
    expect(stats).toMatchObject({ code: 1, out: expect.stringMatching(/\n0 +2 +- +2 +10\n/) });
    expect((await run((output) => relay(config, output, { once: true }, undefined))).code).toBe(1);

    const named = await run((output) => journalRetry(config, output, [first], { allDead: false }));
    expect(named).toMatchObject({ code: 0, out: `Relays will try again:\n  ${first}\n` });
    expect((await run((output) => journalStats(config, output, { check: true }))).out).toMatch(/\n1 +1 /);

    const discarded = await run((output) => journalDiscard(config, output, second, because));
    expect(discarded).toMatchObject({ code: 0, out: expect.stringContaining('broke the unit of work apart') });
    const shown = await run((output) => journalShow(config, output, second));
    expect(shown.out).toMatch(/then discarded.*discarded: entered by hand/s);
    const late = run((output) => journalRetry(config, output, [second], { allDead: false }));
    await expect(late).rejects.toThrow('was discarded');

    await sql(DIE, [[first], 'again']);
    const all = await run((output) => journalRetry(config, output, [], { allDead: true }));
    expect(all.out).toContain(first);
  });

  it('says what it does not know', async () => {
    const { env, json } = await databases('cli_no_unit');
    const unit = '00000000-0000-4000-8000-000000000000';
    const shown = await run((output) => journalShow(orders(env), output, unit));
    expect(shown).toMatchObject({ code: 1, out: expect.stringContaining('no unit of work') });
    expect((await json('journal', 'retry', unit)).code).toBe(3);
    expect((await json('journal', 'discard', unit)).code).toBe(2);
    expect(() => journalRetry(orders(env), new Output(process, false), [], { allDead: false })).toThrow('--all-dead');
    const { stores, ...rest } = orders(env);
    const one = { ...rest, entities: [Order], stores: { relational: stores.relational } };
    await expect(run((output) => journalStats(one, output, { check: false }))).rejects.toThrow(
      'all entities are in one',
    );
  });
});

describe('relay', () => {
  it('--once finishes what is open and tells each step', async () => {
    const { env, sql, invoices } = await databases('cli_once');
    const units = await leaveOpen(env, 3);
    expect(await invoices()).toEqual([]);
    const told = await storeweave(['relay', '--once', '--json', '-c', config], env);
    const events = lines(told.out);
    expect(told.code).toBe(0);
    const applied = events.filter(
      ({ event, moment, store }) => event === 'apply' && moment === 'after' && store === 'billing',
    );
    expect(applied.flatMap(({ unitOfWork = '', unitsOfWork = [unitOfWork] }) => unitsOfWork).sort()).toEqual(
      [...units].sort(),
    );
    expect(applied[0]).toMatchObject({ ms: expect.any(Number) });
    expect(await invoices()).toHaveLength(3);
    const { steps = [] } = events.find(({ event }) => event === 'metrics') ?? {};
    expect(steps).toContainEqual(
      expect.objectContaining({ step: 'apply', store: 'billing', by: 'relay', failures: 0, unitsOfWork: 3 }),
    );
    expect(events.at(-1)).toEqual({ event: 'drained', finished: 3, failed: 0, open: 0, dead: 0 });
    expect(await sql('select count(*)::int as rows from storeweave_journal where done')).toEqual([{ rows: 3 }]);
    const shown = await run((output) => journalShow(orders(env), output, units[0] ?? ''));
    expect(shown.out).toContain('applied everywhere');
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`finishes what comes to be open while it runs, and ends with ${signal}`, async () => {
      const { env, sql, invoices } = await databases(`cli_relay_${signal.toLowerCase()}`);
      const child = start(['relay', '--interval', '50', '--json', '-c', config], env);
      const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
      const events: Told[] = [];
      const reader = createInterface({ input: child.stdout });
      const began = new Promise<void>((resolve) => {
        reader.on('line', (line) => {
          events.push(JSON.parse(line) as Told);
          resolve();
        });
      });
      await began;
      const [unit] = await leaveOpen(env, 1);
      // A unit of work this young may still be at its own process's hands.
      await sql("update storeweave_journal set decided_at = decided_at - interval '1 hour'");
      await expect.poll(() => sql('select uow from storeweave_journal where done')).toEqual([{ uow: unit }]);
      expect(await invoices()).toHaveLength(1);
      child.kill(signal);
      expect(await closed).toBe(0);
      expect(events.map(({ event }) => event)).toEqual(
        expect.arrayContaining(['started', 'stats', 'apply', 'done', 'metrics', 'stopped']),
      );
      expect(events.at(-1)).toEqual({ event: 'stopped' });
    });
  }
});

describe('relay --interval 60000', () => {
  it('is woken by what is handed over or given back, also after its connection was killed', async () => {
    const { env, sql } = await databases('cli_woken');
    const child = start(['relay', '--interval', '60000', '--json', '-c', config], env);
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    const listening = `select pid from pg_stat_activity where datname = current_database() and query like 'listen %'`;
    const pids = async () => (await sql(listening)).map(({ pid }) => pid);
    const isDone = async (unit = '') =>
      (await sql('select done from storeweave_journal where uow = $1', [unit]))[0]?.done;
    try {
      await expect.poll(pids, { timeout: 20_000 }).toHaveLength(1);
      const [first] = await leaveOpen(env, 1);
      await expect.poll(() => isDone(first), { timeout: 3_000 }).toBe(true);

      const before = await pids();
      await sql('select pg_terminate_backend(pid) from (values ($1::integer)) killed (pid)', before);
      await expect.poll(async () => (await pids()).filter((pid) => pid !== before[0])).toHaveLength(1);
      const [second] = await leaveOpen(env, 1);
      await expect.poll(() => isDone(second), { timeout: 3_000 }).toBe(true);

      await sql(`update storeweave_journal set done = false, decided_at = decided_at - interval '1 hour'`);
      await sql(DIE, [[first], 'dead']);
      const retried = await run((output) => journalRetry(orders(env), output, [first ?? ''], { allDead: false }));
      expect(retried.code).toBe(0);
      await expect.poll(() => isDone(first), { timeout: 3_000 }).toBe(true);
    } finally {
      child.kill('SIGTERM');
      expect(await closed).toBe(0);
    }
  });
});

interface Told {
  readonly event: string;
  readonly moment?: string;
  readonly unitOfWork?: string;
  readonly unitsOfWork?: readonly string[];
  readonly store?: string;
  readonly steps?: readonly StepSummary[];
}

function lines(text: string): Told[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Told);
}
