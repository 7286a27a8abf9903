/**
 * Random conditions, orders and patches on documents with awkward values, on MongoDB and on the memory store, which is
 * the reference: both must find the same documents in the same order, and leave the same ones behind.
 */
import {
  type Condition,
  Document,
  type Field,
  Id,
  JSON_NULL,
  type Operand,
  type Order,
  type PatchOperation,
  Property,
  type Row,
  StoreweaveError,
  type Value,
} from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Opened, openStore } from './servers.fixture.js';

@Document({ collection: 'oddities' })
class Oddity {
  @Id('integer') id!: number;
  @Property('string', { nullable: true }) text!: string | null;
  @Property('float', { nullable: true }) real!: number | null;
  @Property('decimal', { nullable: true }) exact!: string | null;
  @Property('json', { nullable: true }) data!: unknown;
  @Property('string', { nullable: true, array: true }) list!: string[] | null;
}

const memory = memoryStore();
let opened: Opened;
beforeAll(async () => {
  opened = await openStore([Oddity]);
  await memory.open({ name: 'document', entities: [opened.model(Oddity)] });
});
afterAll(() => opened?.[Symbol.asyncDispose]());

const texts = ['', 'a', 'A', 'ab', 'a.c', 'abc', 'a%', '$a', "it's", 'back\\slash', 'line\n', '漢字'];
const reals = [0, -0.5, 5, 1e10, Number.POSITIVE_INFINITY];
const long = '1234567890123456789012345678901234567';
const exacts = [
  '0',
  '-2.50',
  '10',
  `${long}.1`,
  `${long}.2`,
  `-${long}.1`,
  `-${long}.2`,
  '1234567890123456789012345678901234',
];
const jsons = [
  JSON_NULL,
  5,
  '5',
  'a',
  true,
  {},
  [],
  ['a', 5, null],
  [['a'], { a: 1 }],
  { a: 1, b: 'x' },
  { b: 'x', a: 1 },
  { a: null },
  { b: null },
  { a: { b: { c: 'deep' } }, $a: 1, 'a.b': 2, '': 3 },
  { a: [1, { b: 'x' }, 'two'], 0: 'zero' },
  [{ a: 1 }, { a: { b: 5 } }],
];
const paths = [['a'], ['a', 'b'], ['a', '1', 'b'], ['0'], ['1', 'a'], ['$a'], ['a.b'], [''], ['a', 'b', 'c']];

const columns: readonly (readonly Value[])[] = [
  texts,
  reals,
  exacts,
  jsons,
  [[], ['a'], ['a', 'b'], ['b', 'a'], ['$a', '']],
];
const rows: Row[] = Array.from({ length: 48 }, (_, id) => [
  id,
  ...columns.map((values, i) => ((id + i) % 7 === 0 ? null : values[(id * (i + 3)) % values.length])),
]);

const field = (name: string) => opened.model(Oddity).fieldsByName.get(name) as Field;

function comparison(name: string, values: readonly Value[]): fc.Arbitrary<Condition> {
  const on = { field: field(name) };
  const value = fc.constantFrom(...values);
  const op = fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte') as fc.Arbitrary<'eq'>;
  return fc.oneof(
    fc.record({ op, on: fc.constant(on), value }),
    fc.record({
      op: fc.constantFrom('in', 'notIn') as fc.Arbitrary<'in'>,
      on: fc.constant(on),
      values: fc.array(value, { maxLength: 3 }),
    }),
    fc.record({ op: fc.constant('between' as const), on: fc.constant(on), low: value, high: value }),
    fc.record({ op: fc.constant('exists' as const), on: fc.constant(on), present: fc.boolean() }),
  );
}

function conditions(): fc.Arbitrary<Condition> {
  const text = { field: field('text') };
  const pattern = fc.constantFrom('a%', '%a%', 'a_c', '_', '%', 'a\\%', 'A', '%\n', 'back\\\\%', '$a');
  const inJson = fc
    .option(fc.constantFrom(...paths), { nil: undefined })
    .map((path): Operand => ({ field: field('data'), ...(path === undefined ? {} : { path }) }));
  const jsonValue = fc.constantFrom<Value>(...jsons.filter((each) => each !== JSON_NULL), 1, 'x', 'two', 'deep', {
    b: 'x',
  });
  const scalar = fc.constantFrom<Value>(5, 1, 'x', 'a', '5', 'deep');
  const leaf = fc.oneof(
    comparison('text', texts),
    comparison('real', reals),
    comparison('exact', [...exacts, `${long}.15`, '1.5']),
    fc.record({ op: fc.constantFrom('like', 'ilike') as fc.Arbitrary<'like'>, on: fc.constant(text), pattern }),
    fc.record({ op: fc.constant('contains' as const), on: fc.constant(text), value: fc.constantFrom(...texts) }),
    fc.record({
      op: fc.constant('contains' as const),
      on: fc.constant({ field: field('list') }),
      value: fc.constantFrom<Value>(['a'], ['b', 'a'], ['$a']),
    }),
    fc.record({ op: fc.constantFrom('eq', 'ne', 'contains') as fc.Arbitrary<'eq'>, on: inJson, value: jsonValue }),
    fc.record({
      op: fc.constantFrom('in', 'notIn') as fc.Arbitrary<'in'>,
      on: inJson,
      values: fc.array(jsonValue, { maxLength: 3 }),
    }),
    fc.record({ op: fc.constant('exists' as const), on: inJson, present: fc.boolean() }),
    fc
      .record({
        op: fc.constantFrom('gt', 'gte', 'lt', 'lte', 'like') as fc.Arbitrary<'gt'>,
        path: fc.constantFrom(...paths),
        value: scalar,
      })
      .map(({ op, path, value }): Condition => {
        const on = { field: field('data'), path };
        return (op as string) === 'like' ? { op: 'like', on, pattern: `${String(value)}%` } : { op, on, value };
      }),
  ) as fc.Arbitrary<Condition>;
  const { tree } = fc.letrec<{ tree: Condition }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 2 },
      leaf,
      fc.record({
        op: fc.constantFrom('and', 'or') as fc.Arbitrary<'and'>,
        conditions: fc.array(tie('tree'), { maxLength: 3 }),
      }),
      fc.record({ op: fc.constant('not' as const), condition: tie('tree') }),
    ) as fc.Arbitrary<Condition>,
  }));
  return tree;
}

const orders = (): fc.Arbitrary<Order[]> =>
  fc
    .subarray(['text', 'real', 'exact'], { minLength: 0 })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          fc.record({
            on: fc.constant({ field: field(name) }),
            direction: fc.constantFrom('asc' as const, 'desc' as const),
            nulls: fc.constantFrom('first' as const, 'last' as const),
          }),
        ),
      ),
    )
    .map((list) => [...list, { on: { field: field('id') }, direction: 'asc', nulls: 'last' }]);

async function fill(): Promise<void> {
  const entity = opened.model(Oddity);
  for (const store of [opened.store, memory]) {
    await store.bulk?.({ op: 'deleteWhere', entity, where: { op: 'and', conditions: [] } }, {});
    await store.write({ op: 'insert', entity, fields: entity.fields, rows: rows.map((row) => [...row]) }, {});
  }
}

it('finds what the reference finds, in its order', async () => {
  await fill();
  const entity = opened.model(Oddity);
  const fields = [field('id')];
  const property = fc.asyncProperty(conditions(), orders(), async (where, order) => {
    const found = await opened.store.read({ entity, fields, where, order }, {});
    const about = JSON.stringify(where, (key, value: unknown) =>
      key === 'field' ? (value as Field).name : typeof value === 'symbol' ? 'JSON_NULL' : value,
    );
    expect(found.flat(), about).toEqual((await memory.read({ entity, fields, where, order }, {})).flat());
  });
  await fc.assert(property, { numRuns: 400 });
}, 300_000);

it('limits per group as the reference does', async () => {
  await fill();
  const entity = opened.model(Oddity);
  const fields = [field('id')];
  const property = fc.asyncProperty(orders(), fc.nat(2), fc.nat(3), async (order, offset, limit) => {
    const spec = { entity, fields, order, offset, limit, perGroup: [field('list'), field('text')] };
    expect((await opened.store.read(spec, {})).flat()).toEqual((await memory.read(spec, {})).flat());
  });
  await fc.assert(property, { numRuns: 30 });
}, 120_000);

it('leaves what the reference leaves after a patch inside json', async () => {
  const entity = opened.model(Oddity);
  const on = fc.constantFrom(...paths, ['a', '3'], ['new', 'x']).map((path) => ({ field: field('data'), path }));
  const value = fc.constantFrom<Value>(1, 'x', { b: 1 }, [1], '$a', JSON_NULL);
  const operation = fc.oneof(
    fc.record({ op: fc.constant('set' as const), on, value }),
    fc.record({ op: fc.constant('unset' as const), on }),
    fc.record({
      op: fc.constantFrom('push', 'pull') as fc.Arbitrary<'push'>,
      on,
      values: fc.array(
        value.filter((each) => each !== JSON_NULL),
        { minLength: 1, maxLength: 2 },
      ),
    }),
    fc.record({ op: fc.constant('inc' as const), on, by: fc.constantFrom<Value>(1, -0.5) }),
  ) as fc.Arbitrary<PatchOperation>;
  await fill();
  const all = async (store: Pick<typeof memory, 'read'>) =>
    store.read(
      { entity, fields: entity.fields, order: [{ on: { field: field('id') }, direction: 'asc', nulls: 'last' }] },
      {},
    );
  const property = fc.asyncProperty(operation, fc.nat(rows.length - 1), async (each, id) => {
    const spec = { entity, target: { keys: [[id]] }, operations: [each] };
    const before = (await all(memory))[id];
    const outcome = (store: { documents?: typeof memory.documents }) =>
      Promise.resolve(store.documents?.patch(spec, {})).catch((error: unknown) =>
        error instanceof StoreweaveError ? 'refused' : error,
      );
    expect(await outcome(opened.store)).toEqual(await outcome(memory));
    const about = JSON.stringify([before, each], (key, value: unknown) =>
      key === 'field' ? (value as Field).name : typeof value === 'symbol' ? 'JSON_NULL' : value,
    );
    expect((await all(opened.store))[id], about).toEqual((await all(memory))[id]);
  });
  await fc.assert(property, { numRuns: 300 });
}, 300_000);
