/** Fences on a real server beside ordinary writers: who wins, who is refused, and what it costs with and without them. */
import {
  ConfigurationError,
  type EntityModel,
  FencedError,
  type FenceOwner,
  Id,
  Node,
  Property,
  Unique,
  UniqueViolationError,
  Version,
  type WriteBatch,
} from '@storeweave/core';
import type { Plan } from 'neo4j-driver';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fieldOf, openStore } from '../servers.fixture.js';
import { Bench, unit, type Values } from './bench.fixture.js';

@Node({ label: 'Account' })
@Unique(['email'])
class Account {
  @Id('integer') id!: number;
  @Property('string', { nullable: true }) email!: string | null;
  @Property('integer') balance!: number;
  @Version() version!: number;
}

function operatorsOf(plan: Plan | false): string[] {
  return plan === false ? [] : [plan.operatorType, ...plan.children.flatMap(operatorsOf)];
}

const ALL = { op: 'and', conditions: [] } as const;

describe('fences on nodes', () => {
  /** What is sent to the server, while it is listened to. */
  const sent: string[] = [];
  const logging = { level: 'debug' as const, logger: (_: unknown, message: string) => void sent.push(message) };
  let bench: Bench;
  let account: EntityModel;

  beforeAll(async () => {
    const opened = await openStore([Account], { fenced: true, driver: { logging } });
    bench = new Bench(opened);
    account = opened.of(Account);
  });
  afterAll(() => bench?.store.close());
  beforeEach(() => bench.clear());

  const accounts = (...rows: readonly (readonly [id: number, email: string | null, balance: number])[]) =>
    bench.insert(account, ...rows.map(([id, email, balance]) => ({ id, email, balance, version: 1 })));
  const change = (id: number, values: Values, version?: number) => bench.update(account, [[id]], values, version);
  const refused = async (write: () => Promise<unknown>, what = '') => {
    const error = await write().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error, what).toBeInstanceOf(FencedError);
    return (error as FencedError).owners;
  };
  const runs = () => sent.filter((message) => /C: RUN/.test(message)).length;

  it('gives each key to one of many, new or not', async () => {
    await bench.write(accounts([1, null, 0], [2, null, 0]));
    const owners = Array.from({ length: 24 }, unit);
    const outcomes = await Promise.all(
      owners.map((owner, i) =>
        bench.fence(owner, change(1 + (i % 2), { balance: i }, 1), accounts([3 + (i % 2), `m${i % 2}`, i])),
      ),
    );
    const winners = owners.filter((_, i) => outcomes[i]?.held.length === 0);
    expect(winners).toHaveLength(2);
    expect(await bench.owners()).toHaveLength(2);
    for (const [i, outcome] of outcomes.entries()) {
      expect(outcome.missed).toEqual([]);
      if (!winners.includes(owners[i] as FenceOwner)) expect(winners).toContainEqual(outcome.held[0]);
    }
  });

  it('loses nothing of ordinary writers and of units of work that fence the same rows', async () => {
    await bench.write(accounts([1, null, 0], [2, null, 0]));
    const [id, balance] = [fieldOf(account, 'id'), fieldOf(account, 'balance')];
    const expected = [0, 0];
    const late: Promise<void>[] = [];
    let met = 0;
    const stop = Date.now() + 3_000;
    /** Adds one until told to stop; `add` tells whether it did. */
    const adding = async (add: (key: number) => Promise<boolean>) => {
      for (let turn = 0; Date.now() < stop; turn++) {
        const key = 1 + (turn % 2);
        if (await add(key)) expected[key - 1] = (expected[key - 1] ?? 0) + 1;
      }
    };
    const read = async (key: number) => {
      const where = { op: 'eq', on: { field: id }, value: key } as const;
      const fields = [balance, fieldOf(account, 'version')];
      const [[value, version] = []] = await bench.store.read({ entity: account, fields, where }, {});
      return { values: { balance: Number(value) + 1, version: Number(version) + 1 }, version: Number(version) };
    };
    const unlessFenced = async (write: () => Promise<boolean>) => {
      try {
        return await write();
      } catch (error) {
        expect(error).toBeInstanceOf(FencedError);
        met++;
        return false;
      }
    };
    const versioned = async (key: number) => {
      const { values, version } = await read(key);
      return unlessFenced(async () => (await bench.write(change(key, values, version))).count === 1);
    };
    const bulk = (key: number) =>
      unlessFenced(async () => {
        const where = { op: 'eq', on: { field: id }, value: key } as const;
        const increment = [
          { field: balance, by: 1n },
          { field: fieldOf(account, 'version'), by: 1n },
        ];
        return (await bench.store.bulk({ op: 'updateWhere', entity: account, where, set: [], increment }, {})) === 1;
      });
    const fencing = async (key: number) => {
      const { values, version } = await read(key);
      const [owner, batch] = [unit(), change(key, values, version)];
      const { missed, held } = await bench.fence(owner, batch);
      if (missed.length + held.length > 0) return false;
      const isDecided = version % 3 !== 0;
      // By whoever meets the fence, too, and some come late.
      const ends = [1, 2, 3].map(() => (isDecided ? bench.apply(owner, batch) : bench.unfence(owner, batch)));
      late.push(...ends);
      await Promise.race(ends);
      return isDecided;
    };
    await Promise.all([fencing, fencing, fencing, versioned, versioned, bulk].map(adding));
    await Promise.all(late);
    expect(await bench.rows(account, 'balance')).toEqual(expected.map((each) => [each]));
    expect(met).toBeGreaterThan(0);
    expect((await bench.stored()).marked).toBe(0);
  });

  it('lets a row keep its unique value where another of the same batch changes its own', async () => {
    await bench.write(accounts([1, 'a', 0], [2, 'b', 0], [3, 'c', 0]));
    const owner = unit();
    const both = bench.update(account, [[1], [2], [3]], [{ balance: 1 }, { balance: 2, email: 'n' }, { email: 'b' }]);
    await bench.fenced(owner, both);
    await bench.apply(owner, both);
    expect(await bench.rows(account, 'id', 'email', 'balance')).toEqual([
      [1, 'a', 1],
      [2, 'n', 2],
      [3, 'b', 0],
    ]);
  });

  it('refuses every ordinary write that meets a fence, and keeps nothing of it', async () => {
    await bench.write(accounts([1, 'a', 1], [2, 'b', 2]));
    const owner = unit();
    await bench.fenced(owner, change(1, { balance: 9 }, 1), accounts([3, 'c', 3]));
    const before = await bench.rows(account, 'id', 'email', 'balance');
    const [id, email, balance] = ['id', 'email', 'balance'].map((name) => fieldOf(account, name));
    const upsert = (key: number, keys: readonly string[] = ['id']): WriteBatch => ({
      ...accounts([7, 'g', 7], [key, 'c', 5]),
      onConflict: { do: 'update', update: balance ? [balance] : [], keys: keys.map((name) => fieldOf(account, name)) },
    });
    const is = (key: number) => ({ op: 'eq', on: { field: id ?? fieldOf(account, 'id') }, value: key }) as const;
    const bulk = { op: 'updateWhere', entity: account, set: [], increment: [] } as const;
    const writes: (() => Promise<unknown>)[] = [
      () => bench.write(bench.update(account, [[2], [1]], { balance: 5 })),
      () => bench.write(bench.remove(account, [2], [1])),
      () => bench.write(change(1, { balance: 5 }, 99)),
      () => bench.write(change(3, { balance: 5 })),
      () => bench.write(accounts([8, null, 8], [3, null, 8])),
      () => bench.write(accounts([8, 'c', 8])),
      () => bench.write(change(2, { email: 'c' })),
      () => bench.write(upsert(1)),
      () => bench.write(upsert(3)),
      () => bench.write(upsert(8, ['email'])),
      () => bench.store.bulk({ op: 'deleteWhere', entity: account, where: ALL }, {}),
      () => bench.store.bulk({ ...bulk, where: ALL, increment: balance ? [{ field: balance, by: 1n }] : [] }, {}),
      () => bench.store.bulk({ ...bulk, where: is(2), set: email ? [{ field: email, value: 'c' }] : [] }, {}),
    ];
    for (const [i, write] of writes.entries()) expect(await refused(write, `write ${i}`)).toEqual([owner]);
    expect(await bench.rows(account, 'id', 'email', 'balance')).toEqual(before);
    await expect(bench.write(accounts([9, 'b', 9]))).rejects.toThrow(UniqueViolationError);
    // What is only placed there is none of what a change of many finds.
    expect(
      await bench.store.bulk({ ...bulk, where: is(3), increment: balance ? [{ field: balance, by: 1n }] : [] }, {}),
    ).toBe(0);
  });

  it('ends the transaction of a write that was refused, so that nothing of it can be committed', async () => {
    await bench.write(accounts([1, null, 1]));
    const owner = unit();
    await bench.fenced(owner, change(1, { balance: 9 }));
    const transaction = await bench.store.domain.begin({});
    await bench.store.write(accounts([2, null, 2]), { transaction });
    const upsert = { ...accounts([3, null, 3], [1, null, 3]), onConflict: { do: 'ignore' } } as const;
    expect(await refused(() => bench.store.write(upsert, { transaction }))).toEqual([owner]);
    await expect(transaction.commit()).rejects.toThrow(FencedError);
    expect(await bench.rows(account, 'id')).toEqual([[1]]);
    // Fences last whatever becomes of the transaction around them.
    const around = await bench.store.domain.begin({});
    expect(await bench.participant.fence(unit(), [accounts([4, null, 4])], { transaction: around })).toMatchObject({
      held: [],
    });
    await around.rollback();
    expect(await bench.owners()).toHaveLength(2);
  });

  it('fences, installs and takes back a thousand rows in as many statements as three', async () => {
    const costs: number[][] = [];
    for (const size of [3, 1_000]) {
      await bench.clear();
      const numbers = Array.from({ length: size }, (_, i) => i);
      await bench.write(accounts(...numbers.map((i) => [i, `m${i}`, i] as const)));
      const batches = [
        bench.update(
          account,
          numbers.slice(0, -1).map((i) => [i]),
          numbers.slice(0, -1).map((i) => ({ email: `n${i}`, version: 2 })),
          1,
        ),
        bench.remove(account, [size - 1]),
        accounts(...numbers.map((i) => [size + i, `x${i}`, i] as const)),
      ];
      const cost: number[] = [];
      const counted = async (work: () => Promise<unknown>) => {
        sent.length = 0;
        await work();
        cost.push(runs());
      };
      const owner = unit();
      await counted(() => bench.fenced(owner, ...batches));
      await counted(() => bench.unfence(owner, ...batches));
      const next = unit();
      await counted(() => bench.fenced(next, ...batches));
      await counted(() => bench.apply(next, ...batches));
      await counted(() => bench.participant.unfenceAll(next, {}));
      costs.push(cost);
      expect(await bench.stored()).toEqual({ nodes: 2 * size - 1, relationships: 0, marked: 0 });
    }
    const [few, many] = costs;
    expect(many).toEqual(few);
    expect(Math.max(...(many ?? []))).toBeLessThanOrEqual(6);
  });

  it('finds fences by their index', async () => {
    const label = `${bench.opened.labelPrefix}Account`;
    const driver = bench.store.native({});
    if (!('executeQuery' in driver)) throw new Error('Outside of a transaction it is the driver.');
    for (const where of ['n._f = $unit', 'n._f IS NOT NULL']) {
      const { summary } = await driver.executeQuery(`EXPLAIN MATCH (n:\`${label}\`) WHERE ${where} RETURN n`, {
        unit: '',
      });
      expect(operatorsOf(summary.plan).join()).toMatch(/NodeIndex(Seek|Scan)/);
    }
    expect(await bench.store.schema.plan({})).toEqual([]);
  });

  it('asks nothing of a store that has no fences, and leaves the index of those to others', async () => {
    const { labelPrefix } = bench.opened;
    const plain = await openStore([Account], { labelPrefix, driver: { logging } });
    expect(await plain.store.schema.plan({})).toEqual([]);
    sent.length = 0;
    const [own, entity] = [new Bench(plain), plain.of(Account)];
    await own.write(own.insert(entity, { id: 1, email: null, balance: 1, version: 1 }));
    await own.write(own.update(entity, [[1]], { balance: 2 }, 1));
    await own.store.bulk({ op: 'deleteWhere', entity, where: ALL }, {});
    expect(await own.rows(entity, 'id')).toEqual([]);
    expect(sent.filter((message) => /C: RUN/.test(message)).length).toBeGreaterThanOrEqual(6);
    expect(sent.filter((message) => /_fo|_fc|\b_f\b/.test(message))).toEqual([]);
    await plain.store.close();
  });

  it('refuses a property that is called like a mark', async () => {
    @Node({ label: 'Odd' })
    class Odd {
      @Id('integer') id!: number;
      @Property('string', { column: '_f' }) name!: string;
    }
    await expect(openStore([Odd], { fenced: true })).rejects.toThrow(ConfigurationError);
    const plain = await openStore([Odd]);
    await plain.store.close();
  });
});
