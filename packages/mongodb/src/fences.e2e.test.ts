/** Fences beside what other stores show in the contract suite: races, a killed server, what they cost, and what watchers see. */
import { Document, FencedError, Id, Property, type StoreweaveError, Version, type WriteBatch } from '@storeweave/core';
import { type MongodbServer, startMongodb } from '@storeweave/testing/servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CLEAN, type Fencing, openFencing, owner } from './fences.fixture.js';

@Document({ collection: 'accounts' })
class Account {
  @Id('integer') id!: number;
  @Property('string', { unique: true }) number!: string;
  @Property('integer') balance!: number;
  @Version() version!: number;
}

let bench: Fencing;
beforeAll(async () => {
  bench = await openFencing(Account);
});
afterAll(() => bench?.[Symbol.asyncDispose]());

const account = (id: number, balance = 0) => ({ id, number: `n${id}`, balance, version: 1 });

async function fill(n: number): Promise<void> {
  const entity = bench.model(Account);
  for (const { unitOfWork } of await bench.store.participant.owners(100, {})) {
    await bench.store.participant.unfenceAll({ unitOfWork, coordinator: '' }, {});
  }
  await bench.store.bulk({ op: 'deleteWhere', entity, where: { op: 'and', conditions: [] } }, {});
  await bench.store.write(bench.insert(...Array.from({ length: n }, (_, id) => account(id))), {});
}

describe('races', () => {
  beforeEach(() => fill(3));

  /** Adds to a balance once, by fence and apply or as a writer of this store alone, however often that has to be tried. */
  async function deposit(id: number, way: 'fence' | 'write'): Promise<void> {
    for (;;) {
      const [, balance, version] = (await bench.rows('id', 'balance', 'version'))[id] as [number, number, number];
      const batch = bench.update(id, version, { balance: balance + 1 });
      const mine = owner();
      try {
        if (way === 'write') {
          const { missed = [] } = await bench.store.write(batch, {});
          if (missed.length === 0) return;
          continue;
        }
        const { missed, held } = await bench.fence(mine, batch);
        if (missed.length + held.length === 0) return await bench.apply(mine, batch);
        await bench.unfence(mine, batch);
      } catch (error) {
        expect((error as StoreweaveError).isRetryable).toBe(true);
        await bench.unfence(mine, batch);
      }
    }
  }

  it('lose no update among fences and writers of this store alone', async () => {
    const work = Array.from({ length: 36 }, (_, i) => deposit(i % 3, i % 4 === 0 ? 'write' : 'fence'));
    await Promise.all(work);
    expect(await bench.rows('balance', 'version')).toEqual([0, 1, 2].map(() => [12, 13]));
    expect(await bench.store.participant.owners(10, {})).toEqual([]);
  });

  it('give a new key and a new value to one of many', async () => {
    const won = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const mine = owner();
        const batch =
          i % 2 === 0 ? bench.insert({ ...account(9), number: 'new' }) : bench.update(i % 3, 1, { number: 'new' });
        const outcome = await bench.fence(mine, batch).catch((error: StoreweaveError) => {
          expect(error.isRetryable).toBe(true);
          return { missed: [], held: [mine] };
        });
        if (outcome.missed.length + outcome.held.length === 0) return [{ mine, batch }];
        await bench.unfence(mine, batch);
        return [];
      }),
    ).then((all) => all.flat());
    expect(won).toHaveLength(1);
    for (const { mine, batch } of won) await bench.apply(mine, batch);
    expect((await bench.rows('number')).filter(([number]) => number === 'new')).toHaveLength(1);
  });
});

describe.each([
  ["the server's own bulk command", true],
  ['one request for each collection', false],
])('by %s', (_, bulkCommand) => {
  let own: Fencing;
  beforeAll(async () => {
    own = await openFencing(Account);
    if (bulkCommand) return;
    // The same calls as to a server before MongoDB 8.
    const { connection } = own.store.domain;
    const open = connection.open.bind(connection);
    connection.open = async () => ({ ...(await open()), bulkCommand: false });
    await own.store.domain.open();
  });
  afterAll(() => own?.[Symbol.asyncDispose]());

  it('a thousand rows cost what ten do', async () => {
    const entity = own.model(Account);
    const cost = async (from: number, n: number) => {
      const ids = Array.from({ length: n }, (_, i) => from + i);
      await own.store.write(own.insert(...ids.map((id) => account(id))), {});
      const some = (part: number) => ids.filter((id) => id % 4 === part);
      const [balance, version] = ['balance', 'version'].map((name) => entity.fieldsByName.get(name) as never);
      const keys = (part: number) => some(part).map((id) => [id]);
      const versions = (part: number) => some(part).map(() => 1);
      const batches: WriteBatch[] = [
        own.insert(...some(0).map((id) => account(id + 100_000))),
        {
          op: 'update',
          entity,
          fields: [balance as never, version as never],
          rows: some(1).map((id) => [id, 2]),
          keys: keys(1),
          versions: versions(1),
        },
        { op: 'delete', entity, keys: keys(2), versions: versions(2) },
        { op: 'update', entity, fields: [], rows: some(3).map(() => []), keys: keys(3), versions: versions(3) },
      ];
      const [mine, other] = [owner(), owner()];
      return {
        fence: await own.commands(async () => expect(await own.fence(mine, ...batches)).toEqual(CLEAN)),
        held: await own.commands(async () => expect((await own.fence(other, ...batches)).held).toEqual([mine])),
        unfence: await own.commands(() => own.unfence(other, ...batches)),
        apply: await own.commands(() => own.apply(mine, ...batches)),
      };
    };
    // What the server's command cannot do where a transaction begins is learned once.
    await cost(10_000, 8);
    const few = await cost(0, 12);
    expect(await cost(1_000, 1_000)).toEqual(few);
    expect(few.fence).toHaveLength(bulkCommand ? 1 : 2);
    expect(few.apply.length).toBeLessThanOrEqual(2);
    const rows = await own.rows('id', 'balance', 'version');
    expect(rows.filter(([id]) => Number(id) < 8)).toEqual([
      [0, 0, 1],
      [1, 1, 2],
      [3, 0, 1],
      [4, 0, 1],
      [5, 5, 2],
      [7, 0, 1],
    ]);
  });

  it('a fence whose answer was lost is found to be there', async () => {
    await own.store.write(own.insert(account(50_000), account(50_001)), {});
    const mine = owner();
    const batches = [
      own.insert(account(50_002)),
      own.update(50_000, 1, { number: 'sent twice' }),
      own.remove(50_001, 1),
    ];
    expect(await own.fence(mine, ...batches)).toEqual(CLEAN);
    expect(await own.fence(mine, ...batches)).toEqual(CLEAN);
    await own.apply(mine, ...batches);
    const rows = await own.rows('id', 'number');
    expect(rows.filter(([id]) => Number(id) >= 50_000 && Number(id) < 60_000)).toEqual([
      [50_000, 'sent twice'],
      [50_002, 'n50002'],
    ]);
  });
});

it('makes the server keep what was fenced over its death', async () => {
  const server: MongodbServer = await startMongodb({ ways: ['docker', 'native'], durable: true });
  try {
    const url = await server.database('killed');
    const before = await openFencing(Account, url);
    await before.store.write(before.insert(account(1), account(2), account(3)), {});
    const [mine, undecided] = [owner(), owner()];
    const batches = [before.insert(account(4)), before.update(1, 1, { balance: 7, number: 'x' }), before.remove(2, 1)];
    expect(await before.fence(mine, ...batches)).toEqual(CLEAN);
    expect(await before.fence(undecided, before.update(3, 1, { balance: 9 }), before.insert(account(5)))).toEqual(
      CLEAN,
    );
    await before[Symbol.asyncDispose]();
    await server.kill();
    await server.restart();

    await using after = await openFencing(Account, url);
    const here = after.store.participant;
    expect(await after.rows('id', 'balance')).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
    expect((await here.owners(10, {})).map(({ unitOfWork }) => unitOfWork).sort()).toEqual(
      [mine, undecided].map(({ unitOfWork }) => unitOfWork).sort(),
    );
    await expect(after.store.write(after.update(1, 1, { balance: 1 }), {})).rejects.toThrow(FencedError);
    // Another process has compiled the classes anew.
    const redo = [after.insert(account(4)), after.update(1, 1, { balance: 7, number: 'x' }), after.remove(2, 1)];
    await after.apply(mine, ...redo);
    await here.unfenceAll(undecided, {});
    await server.kill();
    await server.restart();
    expect(await after.rows('id', 'balance', 'number')).toEqual([
      [1, 7, 'x'],
      [3, 0, 'n3'],
      [4, 0, 'n4'],
    ]);
    expect(await here.owners(10, {})).toEqual([]);
  } finally {
    await server.stop();
  }
}, 600_000);
