/** Whatever a field may hold comes back as it went in, on every database, alone and in arrays. */
import {
  type EntityModel,
  type Field,
  type FieldType,
  InvalidValueError,
  JSON_NULL,
  type Value,
} from '@storeweave/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ColumnStore, databases, openStore, type TestDatabase } from './databases.fixture.js';
import { sampleEntity, sampleField } from './sample-model.fixture.js';

const text = fc.oneof(
  fc.string({ unit: 'binary' }).map((each) => each.replaceAll('\0', '')),
  fc.constantFrom(
    '',
    'NULL',
    'null',
    '{}',
    '"',
    '\\',
    '\\"',
    '{a,"b"}',
    ' \t\n',
    "'; drop table x; --",
    '🧵\u{10ffff}',
  ),
);
const integer = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 99_999 }))
  .map(([whole, part]) => `${whole}.${String(part).padStart(5, '0')}`);
const date = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((each) => each.toISOString().slice(0, 10));
const ms = fc.oneof(
  // PostgreSQL begins in 4713 BC, and the years of Date end before its own.
  fc.integer({ min: -210_000_000_000_000, max: 8_640_000_000_000_000 }),
  fc.constantFrom(
    0,
    -1,
    1,
    951_782_399_999,
    -62_135_596_800_001,
    -62_167_219_200_001,
    253_402_300_800_000,
    Number.POSITIVE_INFINITY,
  ),
);
const micros = fc.bigInt({ min: -210_000_000_000_000_000n, max: 8_640_000_000_000_000_000n });
const jsonSafe = fc.jsonValue({ noUnicodeString: false, stringUnit: 'binary' }).map((value) => {
  // Not in jsonb: NUL. Not in JSON: minus zero.
  const plain = JSON.parse(JSON.stringify(value).replaceAll('\\u0000', '').replaceAll('-0', '0')) as Value;
  return plain === null ? JSON_NULL : plain;
});

const kinds: readonly {
  readonly name: string;
  readonly type: FieldType;
  readonly values: fc.Arbitrary<Value>;
  readonly spec?: Partial<Field>;
}[] = [
  { name: 'string', type: 'string', values: text },
  { name: 'text', type: 'text', values: text },
  { name: 'integer', type: 'integer', values: integer },
  { name: 'bigint', type: 'bigint', values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { name: 'float', type: 'float', values: fc.double() },
  {
    name: 'decimal',
    type: 'decimal',
    values: decimal.map((each) => each.replace(/^-0\.0+$/, '0.00000')),
    spec: { precision: 40, scale: 5 },
  },
  { name: 'boolean', type: 'boolean', values: fc.boolean() },
  { name: 'date', type: 'date', values: date },
  { name: 'timestamp', type: 'timestamp', values: ms },
  { name: 'timestamp of microseconds', type: 'timestamp', values: micros, spec: { timePrecision: 'us' } },
  {
    name: 'timestamp of nanoseconds',
    type: 'timestamp',
    values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    spec: { timePrecision: 'ns' },
  },
  { name: 'uuid', type: 'uuid', values: fc.uuid() },
  { name: 'json', type: 'json', values: jsonSafe },
  { name: 'bytes', type: 'bytes', values: fc.uint8Array() },
  { name: 'enum', type: 'enum', values: fc.constantFrom('a', 'b"c'), spec: { enumValues: ['a', 'b"c'] } },
  { name: 'enum of numbers', type: 'enum', values: fc.constantFrom(1, 20), spec: { enumValues: [1, 20] } },
];

function entityOf(kind: (typeof kinds)[number], at: number): EntityModel {
  const { type, spec } = kind;
  return sampleEntity(`Kind${at}`, {
    fields: {
      id: { type: 'integer', id: true },
      one: { type, ...spec, nullable: true },
      many: { type, ...spec, nullable: true, array: true },
    },
  });
}

const entities = kinds.map(entityOf);

describe.each(databases)('$name keeps', ({ open }) => {
  let database: TestDatabase;
  let store: ColumnStore;
  let nextId = 1;

  beforeAll(async () => {
    database = await open();
    store = await openStore(database.domain(), entities);
  });
  afterAll(async () => {
    await store?.close();
    await database?.close();
  });

  async function roundTrip(entity: EntityModel, rows: readonly (readonly Value[])[]): Promise<Value[][]> {
    const keyed = rows.map((row) => [nextId++, ...row]);
    await store.write({ op: 'insert', entity, fields: entity.fields, rows: keyed }, {});
    const [id] = entity.ids;
    if (id === undefined) throw new Error('no id');
    const found = await store.read(
      {
        entity,
        fields: entity.fields.slice(1),
        where: { op: 'in', on: { field: id }, values: keyed.map((row) => row[0]) },
        order: [{ on: { field: id }, direction: 'asc', nulls: 'last' }],
      },
      {},
    );
    // An update and a comparison travel by other statements.
    await store.write(
      {
        op: 'update',
        entity,
        fields: entity.fields.slice(1),
        rows: keyed.map((row) => row.slice(1)),
        keys: keyed.map((row) => [row[0]]),
      },
      {},
    );
    const again = await store.read(
      {
        entity,
        fields: entity.fields.slice(1),
        where: { op: 'between', on: { field: id }, low: keyed[0]?.[0], high: keyed.at(-1)?.[0] },
        order: [{ on: { field: id }, direction: 'asc', nulls: 'last' }],
      },
      {},
    );
    expect(again).toStrictEqual(found);
    return found;
  }

  it.each(kinds.map((kind, at) => ({ ...kind, at })))('$name', async ({ values, at }) => {
    const entity = entities[at];
    if (entity === undefined) throw new Error('no entity');
    const one = fc.option(values, { freq: 8 });
    const many = fc.option(fc.array(fc.option(values, { freq: 5 }), { maxLength: 6 }), { freq: 8 });
    const rows = fc.array(fc.tuple(one, many), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        expect(await roundTrip(entity, given)).toStrictEqual(given.map((row) => [...row]));
      }),
      { numRuns: 40 },
    );
  });

  it.each(kinds.map((kind, at) => ({ ...kind, at })))('$name in comparisons', async ({ values, at, type }) => {
    const entity = entities[at];
    const one = entity?.fieldsByName.get('one');
    const many = entity?.fieldsByName.get('many');
    if (entity === undefined || one === undefined || many === undefined) throw new Error('no field');
    await fc.assert(
      fc.asyncProperty(values, fc.array(values, { minLength: 1, maxLength: 3 }), async (value, list) => {
        const id = nextId++;
        await store.write({ op: 'insert', entity, fields: entity.fields, rows: [[id, value, list]] }, {});
        const mine = { op: 'eq', on: { field: entity.fields[0] as Field }, value: id } as const;
        const count = (where: Parameters<ColumnStore['count']>[1] & object) =>
          store.count(entity, { op: 'and', conditions: [mine, where] }, {});
        expect(await count({ op: 'eq', on: { field: one }, value })).toBe(1);
        expect(await count({ op: 'in', on: { field: one }, values: [value, value] })).toBe(1);
        expect(await count({ op: 'ne', on: { field: one }, value })).toBe(0);
        expect(await count({ op: 'eq', on: { field: many }, value: list })).toBe(1);
        if (type !== 'json')
          expect(await count({ op: 'contains', on: { field: many }, value: list.slice(0, 1) })).toBe(1);
      }),
      { numRuns: 15 },
    );
  });

  it.each([
    ['a NUL', 'a\0b'],
    ['half of a surrogate pair', 'a\ud800b'],
  ])('neither %s in a text, and says in which', async (_, bad) => {
    const at = kinds.findIndex(({ name }) => name === 'text');
    const entity = entities[at];
    if (entity === undefined) throw new Error('no entity');
    for (const row of [
      [nextId++, bad, null],
      [nextId++, null, ['fine', bad]],
    ]) {
      const writing = store.write(
        { op: 'insert', entity, fields: entity.fields, rows: [[nextId++, 'fine', null], row] },
        {},
      );
      await expect(writing).rejects.toThrow(InvalidValueError);
      await expect(writing).rejects.toMatchObject({ entity: entity.name, property: row[1] === null ? 'many' : 'one' });
    }
    const json = entities[kinds.findIndex(({ name }) => name === 'json')];
    if (json === undefined) throw new Error('no entity');
    for (const value of [bad, { deep: [bad] }, { [bad]: 1 }]) {
      const writing = store.write(
        { op: 'insert', entity: json, fields: json.fields, rows: [[nextId++, value, null]] },
        {},
      );
      await expect(writing).rejects.toMatchObject({ code: 'VALUE_INVALID', property: 'one' });
    }
    const escaped = { text: `a\\u0000 \\ud800 ${'\\'}` };
    expect(await roundTrip(json, [[escaped, null]])).toStrictEqual([[escaped, null]]);
  });
});

it('names a value without JSON form', async () => {
  const { encoderOf } = await import('./encode.js');
  const entity = sampleEntity('Odd', { fields: { id: { type: 'integer', id: true }, data: { type: 'json' } } });
  const encoder = encoderOf(entity, sampleField('data', 1, { type: 'json' }));
  const circular: { self?: unknown } = {};
  circular.self = circular;
  for (const value of [undefined, () => 1, 1n, circular]) {
    expect(() => encoder.value(value)).toThrow(/Odd\.data \(json\) cannot be stored: it has no JSON form/);
  }
});
