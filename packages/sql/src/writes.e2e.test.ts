/** Batches do what the SPI says: order of what is returned, rows that were missed, what stays as it is, conflicts. */
import { type EntityModel, type Field, UniqueViolationError, type Value } from '@storeweave/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ColumnStore, databases, openStore, type TestDatabase } from './databases.fixture.js';
import { sampleEntity } from './sample-model.fixture.js';

const Item = sampleEntity('Item', {
  version: 'version',
  fields: {
    id: { type: 'integer', id: true, generated: 'sequence' },
    sku: { type: 'string', length: 20, nullable: true },
    shelf: { type: 'integer', nullable: true },
    labels: { type: 'text', array: true, nullable: true },
    version: { type: 'integer' },
  },
  indexes: (field) => [
    { name: 'item_sku', fields: [field('sku')], unique: true },
    { name: 'item_shelf', fields: [field('shelf')], unique: true, where: 'version > 5' },
  ],
});
const Ticket = sampleEntity('Ticket', { fields: { id: { type: 'bigint', id: true, generated: 'sequence' } } });
const Pair = sampleEntity('Pair', {
  fields: {
    left: { type: 'integer', id: true },
    right: { type: 'text', id: true },
    note: { type: 'text', nullable: true },
  },
});

const of = (entity: EntityModel, ...names: string[]): Field[] =>
  names.map((name) => {
    const field = entity.fieldsByName.get(name);
    if (field === undefined) throw new Error(`no field ${name}`);
    return field;
  });
const newFields = of(Item, 'sku', 'shelf', 'labels', 'version');
const all = { op: 'and', conditions: [] } as const;

describe.each(databases)('on $name', ({ open }) => {
  let database: TestDatabase;
  let store: ColumnStore;

  beforeAll(async () => {
    database = await open();
    store = await openStore(database.domain(), [Item, Ticket, Pair]);
  });
  afterEach(async () => {
    for (const entity of [Item, Ticket, Pair]) await store.bulk({ op: 'deleteWhere', entity, where: all }, {});
  });
  afterAll(async () => {
    await store?.close();
    await database?.close();
  });

  const insert = async (rows: Value[][]): Promise<number[]> => {
    const { returned } = await store.write(
      { op: 'insert', entity: Item, fields: newFields, rows, returning: Item.ids },
      {},
    );
    return (returned ?? []).map(([id]) => id as number);
  };
  const items = (...names: string[]) =>
    store.read(
      {
        entity: Item,
        fields: of(Item, ...names),
        order: [{ on: { field: of(Item, 'id')[0] as Field }, direction: 'asc', nulls: 'last' }],
      },
      {},
    );

  it('returns made keys in the order of the rows', async () => {
    const ids = await insert(Array.from({ length: 500 }, (_, n) => [`sku-${500 - n}`, n, null, 1]));
    expect(new Set(ids).size).toBe(500);
    const rows = await items('id', 'sku');
    expect(rows).toStrictEqual(ids.map((id, n) => [id, `sku-${500 - n}`]));
  });

  it('makes rows of nothing but a sequence', async () => {
    const { count, returned } = await store.write(
      { op: 'insert', entity: Ticket, fields: [], rows: [[], [], []], returning: Ticket.ids },
      {},
    );
    expect(count).toBe(3);
    expect(new Set(returned?.map(([id]) => id)).size).toBe(3);
    expect(returned?.every(([id]) => typeof id === 'bigint')).toBe(true);
  });

  it('leaves alone what is undefined, and sets what is null', async () => {
    const [a, b, c] = await insert([
      ['a', 1, ['x'], 1],
      ['b', 2, ['y'], 1],
      ['c', 3, ['z'], 1],
    ]);
    const result = await store.write(
      {
        op: 'update',
        entity: Item,
        fields: of(Item, 'sku', 'labels', 'version'),
        rows: [
          [undefined, ['new', null], 2],
          ['B', undefined, 2],
          [undefined, null, 2],
        ],
        keys: [[c], [b], [a]],
      },
      {},
    );
    expect(result).toStrictEqual({ count: 3 });
    expect(await items('sku', 'shelf', 'labels', 'version')).toStrictEqual([
      ['a', 1, null, 2],
      ['B', 2, ['y'], 2],
      ['c', 3, ['new', null], 2],
    ]);
  });

  it('tells which rows were missed, and writes the others', async () => {
    const [a, b] = await insert([
      ['a', 1, null, 1],
      ['b', 2, null, 7],
    ]);
    const updated = await store.write(
      {
        op: 'update',
        entity: Item,
        fields: of(Item, 'shelf'),
        rows: [[10], [20], [30]],
        keys: [[a], [-1], [b]],
        versions: [1, 1, 6],
      },
      {},
    );
    expect(updated).toStrictEqual({ count: 1, missed: [1, 2] });
    expect(await items('shelf')).toStrictEqual([[10], [2]]);
    const deleted = await store.write({ op: 'delete', entity: Item, keys: [[a], [b]], versions: [9, 7] }, {});
    expect(deleted).toStrictEqual({ count: 1, missed: [0] });
    expect(await store.write({ op: 'delete', entity: Item, keys: [[b], [a]] }, {})).toStrictEqual({
      count: 1,
      missed: [0],
    });
  });

  it('updates and deletes by composite keys', async () => {
    const write = (rows: Value[][]) => store.write({ op: 'insert', entity: Pair, fields: Pair.fields, rows }, {});
    await write([
      [1, 'a', null],
      [1, 'b', null],
      [2, 'a', null],
    ]);
    const note = of(Pair, 'note');
    await store.write(
      {
        op: 'update',
        entity: Pair,
        fields: note,
        rows: [['x'], ['y']],
        keys: [
          [1, 'b'],
          [2, 'a'],
        ],
      },
      {},
    );
    const missed = await store.write(
      {
        op: 'delete',
        entity: Pair,
        keys: [
          [1, 'a'],
          [2, 'b'],
        ],
      },
      {},
    );
    expect(missed).toStrictEqual({ count: 1, missed: [1] });
    const left = await store.read(
      {
        entity: Pair,
        fields: note,
        where: {
          op: 'keys',
          fields: Pair.ids,
          rows: [
            [1, 'b'],
            [2, 'a'],
            [1, 'a'],
          ],
        },
      },
      {},
    );
    expect(left.flat().sort()).toStrictEqual(['x', 'y']);
  });

  it('updates what exists, and lets its version grow', async () => {
    const [a] = await insert([['a', 1, null, 4]]);
    const { count, returned } = await store.write(
      {
        op: 'insert',
        entity: Item,
        fields: newFields,
        rows: [
          ['b', 2, null, 1],
          ['a', 9, null, 1],
        ],
        returning: of(Item, 'id', 'version'),
        onConflict: { do: 'update', keys: of(Item, 'sku'), update: of(Item, 'shelf') },
      },
      {},
    );
    expect(count).toBe(2);
    expect(returned?.[0]?.[1]).toBe(1);
    expect(returned?.[1]).toStrictEqual([a, 5]);
    expect((await items('sku', 'shelf')).sort()).toStrictEqual([
      ['a', 9],
      ['b', 2],
    ]);
  });

  it('ignores what exists, and returns it all the same', async () => {
    const [a] = await insert([['a', 1, null, 4]]);
    const { count, returned } = await store.write(
      {
        op: 'insert',
        entity: Item,
        fields: newFields,
        rows: [
          ['b', 2, null, 1],
          ['a', 9, null, 1],
          ['c', 3, null, 1],
        ],
        returning: of(Item, 'id', 'shelf', 'version'),
        onConflict: { do: 'ignore', keys: of(Item, 'sku') },
      },
      {},
    );
    expect(count).toBe(2);
    expect(returned?.map(([, shelf, version]) => [shelf, version])).toStrictEqual([
      [2, 1],
      [1, 4],
      [3, 1],
    ]);
    expect(returned?.[1]?.[0]).toBe(a);
  });

  it('finds a partial unique index by its predicate', async () => {
    await insert([['a', 1, null, 6]]);
    const { count } = await store.write(
      {
        op: 'insert',
        entity: Item,
        fields: newFields,
        rows: [['b', 1, null, 7]],
        onConflict: { do: 'update', keys: of(Item, 'shelf'), update: of(Item, 'sku') },
      },
      {},
    );
    expect(count).toBe(1);
    expect(await items('sku', 'version')).toStrictEqual([['b', 7]]);
  });

  it('keeps nothing of a batch that fails, however large', async () => {
    const rows = Array.from({ length: 12_000 }, (_, n): Value[] => [`sku-${n}`, n, null, 1]);
    rows.push(['sku-3', 0, null, 1]);
    const writing = insert(rows);
    await expect(writing).rejects.toThrow(UniqueViolationError);
    await expect(writing).rejects.toMatchObject({ entity: 'Item', property: 'sku', constraint: 'item_sku' });
    expect(await store.count(Item, undefined, {})).toBe(0);
    rows.pop();
    expect(await insert(rows)).toHaveLength(12_000);
    const missing = await store.write(
      { op: 'delete', entity: Item, keys: (await items('id')).map(([id], n) => [n === 11_000 ? -5 : id]) },
      {},
    );
    expect(missing).toStrictEqual({ count: 11_999, missed: [11_000] });
  });

  it('counts an absent value as 0 in an increment, and returns the number of rows', async () => {
    await insert([
      ['a', null, null, 1],
      ['b', 5, null, 1],
      ['c', 6, null, 2],
    ]);
    const [shelf, version, sku] = of(Item, 'shelf', 'version', 'sku') as [Field, Field, Field];
    const count = await store.bulk(
      {
        op: 'updateWhere',
        entity: Item,
        where: { op: 'eq', on: { field: version }, value: 1 },
        set: [{ field: sku, value: null }],
        increment: [{ field: shelf, by: -2 }],
      },
      {},
    );
    expect(count).toBe(2);
    expect(await items('sku', 'shelf')).toStrictEqual([
      [null, -2],
      [null, 3],
      ['c', 6],
    ]);
  });

  it('streams in pieces, also when nobody reads to the end', async () => {
    await insert(Array.from({ length: 100 }, (_, n) => [`s${n}`, n, null, 1]));
    const sizes: number[] = [];
    for await (const rows of store.stream({ entity: Item, fields: Item.fields }, { batchSize: 40 }))
      sizes.push(rows.length);
    expect(sizes).toStrictEqual([40, 40, 20]);
    for await (const rows of store.stream({ entity: Item, fields: Item.fields }, { batchSize: 7 })) {
      expect(rows).toHaveLength(7);
      break;
    }
    // A connection that was not given back would be missed by now.
    for (let n = 0; n < 10; n++)
      for await (const _ of store.stream({ entity: Item, fields: Item.ids }, { batchSize: 1 })) break;
    expect(await store.count(Item, undefined, {})).toBe(100);
  });

  it('never takes a value for a part of the statement', async () => {
    const evil = `x'); drop table items; --`;
    await insert([[evil.slice(0, 20), 1, [evil, '{"\\'], 1]]);
    const [field] = of(Item, 'labels') as [Field];
    expect(await store.count(Item, { op: 'contains', on: { field }, value: [evil] }, {})).toBe(1);
    expect(
      await store.relational.sql(
        'select $1::text as x, $2::int[] as y, $3::text is null as z',
        [evil, [1, 2], null],
        {},
      ),
    ).toStrictEqual([{ x: evil, y: [1, 2], z: true }]);
  });
});
