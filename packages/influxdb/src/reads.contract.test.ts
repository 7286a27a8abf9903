/** Reads, counts, streams and deletions find what the memory store finds: random points, random questions. */
import type { Condition, Order, ReadSpec, Row, Store } from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proxyTo, type TroubleProxy } from './proxy.fixture.js';
import { condition, fieldOf, points, sample } from './sample.fixture.js';
import { Beat, everything, insert, model, openStore, serverOptions } from './store.fixture.js';
import type { InfluxdbStore } from './store.js';

const beat = model(Beat);
const all: Condition = { op: 'and', conditions: [] };
const direction = fc.constantFrom<Order['direction']>('asc', 'desc');

/** Ends in the identity, as every order does that the core asks for with a limit. */
const order: fc.Arbitrary<Order[]> = fc
  .tuple(
    fc.subarray(['at', 'place', 'channel', 'level', 'real', 'whole', 'big', 'flag', 'word', 'exact'], { maxLength: 2 }),
    fc.boolean(),
    direction,
    fc.constantFrom<Order['nulls']>('first', 'last'),
  )
  .map(([names, byTime, way, nulls]) =>
    [...(byTime ? ['at'] : []), ...names, 'at', 'place', 'channel'].map((name) => ({
      on: { field: fieldOf(name) },
      direction: way,
      nulls,
    })),
  );

const question: fc.Arbitrary<ReadSpec> = fc
  .record({
    where: fc.option(condition, { nil: undefined }),
    fields: fc.subarray([...sample.fields], { minLength: 1 }),
    order,
    limit: fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined }),
    offset: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
    perGroup: fc.option(fc.subarray(['place', 'channel', 'flag'].map(fieldOf), { minLength: 1 }), { nil: undefined }),
  })
  .map((spec) => ({ entity: sample, ...spec }));

async function pieces(store: Store, spec: ReadSpec, batchSize: number): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const piece of store.stream?.(spec, { batchSize }) ?? []) {
    expect(piece.length).toBeLessThanOrEqual(batchSize);
    rows.push(...piece);
  }
  return rows;
}

describe('a store of points', () => {
  let store: InfluxdbStore;
  let proxy: TroubleProxy;
  beforeAll(async () => {
    const direct = await serverOptions('reads');
    proxy = await proxyTo(direct.url);
    store = await openStore({ ...direct, url: proxy.url });
  });
  afterAll(async () => {
    await store.close();
    await proxy.close();
  });

  const both = async (rows: readonly Row[]) => {
    await store.bulk({ op: 'deleteWhere', entity: sample, where: all }, {});
    await insert(store, sample, rows);
    const reference = memoryStore();
    await reference.open({ name: 'timeseries', entities: [sample] });
    await reference.write({ op: 'insert', entity: sample, fields: sample.fields, rows }, {});
    return reference;
  };

  it('reads, counts and streams what the memory store does', async () => {
    await fc.assert(
      fc.asyncProperty(points, fc.array(question, { minLength: 10, maxLength: 10 }), async (rows, questions) => {
        const reference = await both(rows);
        for (const spec of questions) {
          const expected = await reference.read(spec, {});
          expect(await store.read(spec, {})).toEqual(expected);
          expect(await pieces(store, spec, 7)).toEqual(expected);
          expect(await store.count(sample, spec.where, {})).toBe(await reference.count?.(sample, spec.where, {}));
        }
      }),
      { numRuns: 10 },
    );
  }, 180_000);

  it('deletes what the memory store does, by condition and by key', async () => {
    await fc.assert(
      fc.asyncProperty(points, condition, fc.infiniteStream(fc.boolean()), async (rows, where, coins) => {
        const reference = await both(rows);
        const remove = { op: 'deleteWhere', entity: sample, where } as const;
        expect(await store.bulk(remove, {})).toBe(await reference.bulk?.(remove, {}));
        const left = await everything(store, sample);
        const byTime = [{ on: { field: fieldOf('at') }, direction: 'asc', nulls: 'last' }] as const;
        expect(left).toEqual(await reference.read({ entity: sample, fields: sample.fields, order: byTime }, {}));
        const keys = rows.filter(() => coins.next().value).map((row) => sample.ids.map((field) => row[field.index]));
        const batch = { op: 'delete', entity: sample, keys } as const;
        expect(await store.write(batch, {})).toEqual(await reference.write(batch, {}));
        expect(await everything(store, sample)).toEqual(
          await reference.read({ entity: sample, fields: sample.fields, order: byTime }, {}),
        );
      }),
      { numRuns: 20 },
    );
  }, 180_000);

  it('deletes a stretch of time by one request, and what is picked out by one for each run', async () => {
    const deletions = () => proxy.passed.filter(({ path }) => path.startsWith('/api/v2/delete')).length;
    const rows = Array.from({ length: 100 }, (_, i): Row => [i, `s${i % 2}`, i]);
    await insert(store, beat, rows);
    proxy.passed.length = 0;
    const [at] = beat.fields;
    if (at === undefined) throw new Error('no time');
    await store.bulk({ op: 'deleteWhere', entity: beat, where: { op: 'lt', on: { field: at }, value: 50 } }, {});
    expect(deletions()).toBe(1);
    // All that is left of one series but one point in its middle.
    const keys = rows
      .filter((row) => row[1] === 's0' && Number(row[0]) >= 50 && row[0] !== 70)
      .map((row) => row.slice(0, 2));
    await store.write({ op: 'delete', entity: beat, keys }, {});
    expect(deletions()).toBe(3);
    expect((await everything(store, beat)).length).toBe(26);
  });

  it('streams many points in order, whatever their density, and as many as are asked for', async () => {
    const rows = Array.from({ length: 35_000 }, (_, i): Row => [(i < 20_000 ? i : i * 1_000) - 500, `s${i % 3}`, i]);
    await store.bulk({ op: 'deleteWhere', entity: beat, where: all }, {});
    await insert(store, beat, rows);
    for (const direction of ['asc', 'desc'] as const) {
      const expected = direction === 'asc' ? rows : [...rows].reverse();
      const order = beat.ids.map((field) => ({ on: { field }, direction, nulls: 'last' }) as const);
      const spec = { entity: beat, fields: beat.fields, order };
      proxy.passed.length = 0;
      expect(await pieces(store, spec, 1_000)).toEqual(expected);
      expect(proxy.passed.length).toBeGreaterThan(3);
      expect(await pieces(store, { ...spec, limit: 30_000, offset: 4_000 }, 999)).toEqual(
        expected.slice(4_000, 34_000),
      );
      expect(await pieces(store, { ...spec, limit: 5, offset: 1 }, 2)).toEqual(expected.slice(1, 6));
    }
    await store.bulk({ op: 'deleteWhere', entity: beat, where: all }, {});
  });

  it('fetches of each series no more than a limit asks for', async () => {
    const rows = Array.from({ length: 2_000 }, (_, i): Row => [10_000 + i, `s${i % 2}`, i]);
    await insert(store, beat, rows);
    const newest = beat.ids.map((field) => ({ on: { field }, direction: 'desc', nulls: 'last' }) as const);
    proxy.passed.length = 0;
    expect(await store.read({ entity: beat, fields: beat.fields, order: newest, limit: 3 }, {})).toEqual(
      rows.slice(-3).reverse(),
    );
    expect(proxy.passed.map(({ body }) => /tail\(n: 3\)/.test(body))).toEqual([true]);
  });

  it('updates what is there, tells what is not, and leaves what it is not told to change', async () => {
    const row = (values: object) =>
      sample.fields.map((field) => (values as Record<string, unknown>)[field.name] ?? null);
    const reference = await both([
      row({ at: 1n, place: 'a', channel: 1, level: 1, real: 1, word: 'x' }),
      row({ at: 2n, place: 'a', channel: 1, level: 2, real: 2, word: 'y' }),
    ]);
    const update = {
      op: 'update',
      entity: sample,
      fields: ['real', 'word', 'whole'].map(fieldOf),
      keys: [
        [1n, 'a', 1],
        [3n, 'a', 1],
        [2n, 'a', 1],
      ],
      rows: [
        [undefined, null, 5],
        [9, 'z', 9],
        [7, undefined, undefined],
      ],
    } as const;
    const batch = update as unknown as Parameters<Store['write']>[0];
    expect(await store.write(batch, {})).toEqual(await reference.write(batch, {}));
    const change = {
      op: 'updateWhere',
      entity: sample,
      where: { op: 'gt', on: { field: fieldOf('level') }, value: 1 },
      set: [{ field: fieldOf('word'), value: null }],
      increment: [{ field: fieldOf('whole'), by: 3 }],
    } as const;
    expect(await store.bulk(change, {})).toBe(await reference.bulk?.(change, {}));
    const some = row({ at: 1n, place: 'a', channel: 1, level: 100, real: 100 });
    const upsert = { do: 'update', update: [fieldOf('level')] } as const;
    for (const onConflict of [upsert, { do: 'ignore' } as const]) {
      const rows = [some, row({ at: 5n, place: 'b', channel: 1, level: 5 })];
      const insertion = { op: 'insert', entity: sample, fields: sample.fields, rows, onConflict } as const;
      expect(await store.write(insertion, {})).toEqual(await reference.write(insertion, {}));
    }
    const byTime = [{ on: { field: fieldOf('at') }, direction: 'asc', nulls: 'last' }] as const;
    expect(await everything(store, sample)).toEqual(
      await reference.read({ entity: sample, fields: sample.fields, order: byTime }, {}),
    );
  });
});
