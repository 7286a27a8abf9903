/** Groupings on MongoDB and on the memory store, which is the reference: the same rows, joins and absent values included. */
import {
  type AggregateColumn,
  type AggregateSpec,
  Document,
  Id,
  ManyToOne,
  Property,
  type Ref,
  type Row,
} from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Opened, openStore } from './servers.fixture.js';

@Document({ collection: 'makers' })
class Maker {
  @Id('integer') id!: number;
  @Property('string', { nullable: true }) country!: string | null;
}

@Document({ collection: 'wares' })
class Ware {
  @Id('integer') id!: number;
  @Property('string') kind!: string;
  @Property('integer', { nullable: true }) stock!: number | null;
  @Property('bigint') sold!: bigint;
  @Property('decimal', { nullable: true, precision: 12, scale: 2 }) price!: string | null;
  @Property('decimal', { nullable: true }) weight!: string | null;
  @Property('json', { nullable: true }) data!: unknown;
  @ManyToOne(() => Maker, { nullable: true }) maker!: Ref<Maker>;
}

const memory = memoryStore();
let opened: Opened;
const long = '1234567890123456789012345678901234567';

beforeAll(async () => {
  opened = await openStore([Maker, Ware]);
  const [makers, wares] = [opened.model(Maker), opened.model(Ware)];
  await memory.open({ name: 'document', entities: [makers, wares] });
  const rows: Row[] = Array.from({ length: 20 }, (_, i) => [
    i,
    `kind ${i % 3}`,
    i % 5 === 0 ? null : i,
    BigInt(i) * 1_000_000_000_000n,
    i % 4 === 0 ? null : `${i}.10`,
    i % 6 === 0 ? null : i % 2 === 0 ? `${i}.5` : `${i % 3 === 0 ? '-' : ''}${long}.${i}`,
    i % 3 === 0 ? null : { size: i % 2 },
    i % 7 === 0 ? null : i % 4,
  ]);
  for (const store of [opened.store, memory]) {
    const made = [
      [0, 'NO'],
      [1, 'SE'],
      [2, null],
    ] as Row[];
    await store.write({ op: 'insert', entity: makers, fields: makers.fields, rows: made }, {});
    await store.write({ op: 'insert', entity: wares, fields: wares.fields, rows: rows.map((row) => [...row]) }, {});
  }
});
afterAll(() => opened?.[Symbol.asyncDispose]());

function on(name: string): Pick<AggregateColumn, 'on'> {
  const [property = '', ...path] = name.split('.');
  const field = opened.model(Ware).fieldsByName.get(property);
  if (field === undefined) throw new Error(`no ${property}`);
  return { on: path.length === 0 ? { field } : { field, path } };
}

function country(): AggregateColumn {
  const field = opened.model(Maker).fieldsByName.get('country');
  if (field === undefined) throw new Error('no country');
  return { alias: 'country', on: { field }, through: ['maker'] };
}

async function sameRows(spec: Omit<AggregateSpec, 'entity'>): Promise<Row[]> {
  const whole = { entity: opened.model(Ware), ...spec };
  const rows = await opened.store.aggregate(whole, {});
  const plain = (found: Row[]) =>
    found.map((row) => row.map((value) => (typeof value === 'number' ? Number(value.toFixed(6)) : value)));
  expect(plain(rows)).toEqual(plain((await memory.aggregate?.(whole, {})) ?? []));
  return rows;
}

it('groups over a relation, with and without what it leads to', async () => {
  const rows = await sameRows({
    columns: [country(), { alias: 'n', function: 'count' }, { alias: 'sold', function: 'sum', ...on('sold') }],
    order: [{ alias: 'country', direction: 'desc' }],
  });
  expect(rows.map(([name]) => name)).toEqual(['SE', 'NO', null]);
});

it('folds numbers of every type, and absent ones as nothing', async () => {
  await sameRows({
    columns: [
      { alias: 'kind', ...on('kind') },
      { alias: 'stock', function: 'sum', ...on('stock') },
      { alias: 'mean', function: 'avg', ...on('stock') },
      { alias: 'some', function: 'count', ...on('stock') },
      { alias: 'kinds', function: 'countDistinct', ...on('stock') },
      { alias: 'price', function: 'sum', ...on('price') },
      { alias: 'least', function: 'min', ...on('weight') },
      { alias: 'most', function: 'max', ...on('weight') },
      { alias: 'last', function: 'max', ...on('sold') },
    ],
    having: [{ alias: 'stock', op: 'gt', value: 40 }],
    order: [
      { alias: 'stock', direction: 'asc' },
      { alias: 'kind', direction: 'asc' },
    ],
    limit: 2,
  });
});

it('groups by a place inside json', async () => {
  const rows = await sameRows({
    columns: [
      { alias: 'size', ...on('data.size') },
      { alias: 'n', function: 'count' },
    ],
    order: [{ alias: 'size', direction: 'asc' }],
  });
  expect(rows.map(([size]) => size)).toEqual([0, 1, null]);
});

it('has one row without keys, also where nothing is found', async () => {
  const columns: AggregateColumn[] = [
    { alias: 'n', function: 'count' },
    { alias: 'stock', function: 'sum', ...on('stock') },
  ];
  const where = { op: 'eq', ...on('kind'), value: 'none' } as never;
  expect(await sameRows({ columns, where })).toEqual([[0, null]]);
  expect(await sameRows({ columns, having: [{ alias: 'n', op: 'gt', value: 19 }] })).toHaveLength(1);
  expect(await sameRows({ columns, having: [{ alias: 'n', op: 'gt', value: 20 }] })).toEqual([]);
});
