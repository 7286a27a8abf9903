/**
 * Any condition, order and aggregation means on a SQL database what it means in memory: random ones are asked of both,
 * over rows with absent values in every place. The memory store is the reference because it is written without SQL.
 */
import type {
  AggregateSpec,
  Condition,
  EntityModel,
  Field,
  Operand,
  Order,
  RelationModel,
  Store,
  Value,
} from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databases, openStore, type TestDatabase } from './databases.fixture.js';
import { relate, sampleEntity } from './sample-model.fixture.js';

const Author = sampleEntity('Author', {
  fields: {
    id: { type: 'integer', id: true },
    name: { type: 'text', nullable: true },
    age: { type: 'integer', nullable: true },
    big: { type: 'bigint', nullable: true },
    score: { type: 'float', nullable: true },
    price: { type: 'decimal', nullable: true },
    active: { type: 'boolean', nullable: true },
    born: { type: 'date', nullable: true },
    at: { type: 'timestamp', nullable: true },
    role: { type: 'enum', enumValues: ['a', 'b'], nullable: true },
    meta: { type: 'json', nullable: true },
    tags: { type: 'text', array: true, nullable: true },
  },
});
const Post = sampleEntity('Post', {
  fields: {
    blog: { type: 'integer', id: true },
    number: { type: 'integer', id: true },
    author: { type: 'integer', nullable: true, column: 'author_id' },
    title: { type: 'text' },
  },
});
const Friend = sampleEntity('Friend', {
  fields: {
    from: { type: 'integer', id: true, column: 'from_id' },
    to: { type: 'integer', id: true, column: 'to_id' },
  },
});
const postAuthor = relate(Post, 'author', Author);
const relations: RelationModel[] = [
  relate(Author, 'posts', Post, {
    kind: 'one-to-many',
    container: 'collection',
    join: { via: 'target', fields: Author.ids, targetFields: [field(Post, 'author')] },
  }),
  ...(['out', 'in', 'both'] as const).map((direction) =>
    relate(Author, `friends ${direction}`, Author, {
      kind: 'related',
      container: 'collection',
      join: {
        via: 'link',
        link: Friend,
        ownerFields: [field(Friend, direction === 'in' ? 'to' : 'from')],
        targetFields: [field(Friend, direction === 'in' ? 'from' : 'to')],
        direction,
      },
    }),
  ),
];

function field(entity: EntityModel, name: string): Field {
  const found = entity.fieldsByName.get(name);
  if (found === undefined) throw new Error(`no field ${name}`);
  return found;
}

const words = fc.constantFrom('a', 'b', 'ab', 'A', 'a%', 'a_b', 'a\\b', '', 'zz', '"');
const json: fc.Arbitrary<Value> = fc.constantFrom(
  ...([
    1,
    2,
    'a',
    'ab',
    true,
    [],
    ['a', 'b'],
    {},
    { x: 1 },
    { x: { y: 2 } },
    { x: 'ab' },
    { x: null },
    { x: ['a', 1] },
    { x: [1, { y: 2 }] },
  ] as const),
);
const valuesOf: Record<string, fc.Arbitrary<Value>> = {
  id: fc.integer({ min: 0, max: 30 }),
  name: words,
  age: fc.integer({ min: -3, max: 3 }),
  big: fc.bigInt({ min: -2n, max: 2n }),
  score: fc.constantFrom(-1, 0, 0.5, 1, Number.POSITIVE_INFINITY, Number.NaN),
  price: fc.constantFrom('-1', '0', '0.50', '1.5', '10'),
  active: fc.boolean(),
  born: fc.constantFrom('1999-12-31', '2000-01-01', '2024-02-29'),
  at: fc.constantFrom(0, 1, 1_700_000_000_123),
  role: fc.constantFrom('a', 'b'),
  meta: json,
  tags: fc.array(words, { maxLength: 3 }),
};
const value = (name: string): fc.Arbitrary<Value> => {
  const known = valuesOf[name];
  if (known === undefined) throw new Error(`no values for ${name}`);
  return known;
};

const operators = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const;
const plain = fc.constantFrom(...Author.fields.filter(({ type, array }) => type !== 'json' && !array));
const path = fc.constantFrom(['x'], ['x', 'y'], ['x', '0'], ['x', '1', 'y'], ['nope']);
const meta: Operand = { field: field(Author, 'meta') };
const tags: Operand = { field: field(Author, 'tags') };
const anyOperand = fc.oneof(
  fc.constantFrom(...Author.fields).map((each): Operand => ({ field: each })),
  path.map((keys): Operand => ({ ...meta, path: keys })),
);
const scalarJson = fc.constantFrom<Value>(1, 2, 'a', 'ab', true);

const leaf: fc.Arbitrary<Condition> = fc.oneof(
  plain.chain((each) =>
    fc
      .tuple(fc.constantFrom(...operators), value(each.name))
      .map(([op, v]): Condition => ({ op, on: { field: each }, value: v })),
  ),
  plain.chain((each) =>
    fc
      .tuple(fc.constantFrom('in' as const, 'notIn' as const), fc.array(value(each.name), { maxLength: 3 }))
      .map(([op, values]): Condition => ({ op, on: { field: each }, values })),
  ),
  plain.chain((each) =>
    fc
      .tuple(value(each.name), value(each.name))
      .map(([low, high]): Condition => ({ op: 'between', on: { field: each }, low, high })),
  ),
  fc
    .tuple(fc.constantFrom('like' as const, 'ilike' as const), fc.constantFrom('a%', '_', '%b', 'a\\%', 'a\\\\b', ''))
    .map(([op, pattern]): Condition => ({ op, on: { field: field(Author, 'name') }, pattern })),
  fc
    .tuple(path, fc.constantFrom('a%', '%'))
    .map(([keys, pattern]): Condition => ({ op: 'like', on: { ...meta, path: keys }, pattern })),
  fc.tuple(anyOperand, fc.boolean()).map(([on, present]): Condition => ({ op: 'exists', on, present })),
  fc
    .tuple(path, fc.constantFrom(...operators), scalarJson)
    .map(([keys, op, v]): Condition => ({ op, on: { ...meta, path: keys }, value: v })),
  fc
    .tuple(path, fc.constantFrom('in' as const, 'notIn' as const), fc.array(scalarJson, { maxLength: 2 }))
    .map(([keys, op, values]): Condition => ({ op, on: { ...meta, path: keys }, values })),
  fc.array(words, { maxLength: 2 }).map((v): Condition => ({ op: 'contains', on: tags, value: v })),
  value('tags').map((v): Condition => ({ op: 'eq', on: tags, value: v })),
  words.map((v): Condition => ({ op: 'contains', on: { field: field(Author, 'name') }, value: v })),
  json.map((v): Condition => ({ op: 'contains', on: meta, value: v })),
  fc.tuple(path, scalarJson).map(([keys, v]): Condition => ({ op: 'contains', on: { ...meta, path: keys }, value: v })),
  fc
    .array(value('id'), { maxLength: 4 })
    .map((ids): Condition => ({ op: 'keys', fields: Author.ids, rows: ids.map((id) => [id]) })),
);
const onPost: fc.Arbitrary<Condition> = fc.oneof(
  words.map((v): Condition => ({ op: 'eq', on: { field: field(Post, 'title') }, value: v })),
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 9 })), { maxLength: 4 })
    .map((rows): Condition => ({ op: 'keys', fields: Post.ids, rows })),
  fc.constant<Condition>({ op: 'and', conditions: [] }),
);
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('condition'), { maxLength: 3 }))
      .map(([op, conditions]): Condition => ({ op, conditions })),
    tie('condition').map((inner): Condition => ({ op: 'not', condition: inner })),
    fc
      .tuple(fc.constantFrom(...relations.slice(1)), tie('condition'))
      .map(([relation, where]): Condition => ({ op: 'related', relation, where })),
    onPost.map((where): Condition => ({ op: 'related', relation: relations[0] as RelationModel, where })),
    tie('condition').map(
      (where): Condition => ({
        op: 'related',
        relation: relations[0] as RelationModel,
        where: { op: 'related', relation: postAuthor, where },
      }),
    ),
  ),
}));

const author = (id: number): fc.Arbitrary<Value[]> =>
  fc.tuple(
    ...Author.fields.map((each) => (each.id ? fc.constant<Value>(id) : fc.option(value(each.name), { freq: 4 }))),
  );

function rows(): { authors: Value[][]; posts: Value[][]; friends: Value[][] } {
  const sample = <T>(arbitrary: fc.Arbitrary<T>, seed: number): T => {
    const [only] = fc.sample(arbitrary, { numRuns: 1, seed });
    return only as T;
  };
  const ids = Array.from({ length: 30 }, (_, id) => id);
  return {
    authors: ids.map((id) => sample(author(id), id)),
    posts: ids.map((n) => [n % 3, Math.floor(n / 3), n % 4 === 0 ? null : (n * 7) % 20, sample(words, n)]),
    friends: ids.map((id) => [id, (id * 11 + 1) % 30]),
  };
}

describe.each(databases)('on $name', ({ open }) => {
  let database: TestDatabase;
  let sql: Store;
  let memory: Store;

  beforeAll(async () => {
    database = await open();
    const entities = [Author, Post, Friend];
    sql = await openStore(database.domain(), entities);
    memory = memoryStore();
    await memory.open({ name: 'relational', entities });
    const { authors, posts, friends } = rows();
    for (const store of [sql, memory]) {
      const fill = (entity: EntityModel, list: Value[][]) =>
        store.write({ op: 'insert', entity, fields: entity.fields, rows: list.map((row) => [...row]) }, {});
      await fill(Author, authors);
      await fill(Post, posts);
      await fill(Friend, friends);
    }
  });
  afterAll(async () => {
    await sql?.close();
    await database?.close();
  });

  it('selects the same rows', async () => {
    const byId: Order[] = [{ on: { field: field(Author, 'id') }, direction: 'asc', nulls: 'last' }];
    await fc.assert(
      fc.asyncProperty(condition, async (where) => {
        const spec = { entity: Author, fields: Author.ids, where, order: byId };
        expect(await sql.read(spec, {})).toStrictEqual(await memory.read(spec, {}));
        expect(await sql.count?.(Author, where, {})).toBe(await memory.count?.(Author, where, {}));
      }),
      { numRuns: 400 },
    );
  });

  it('orders and limits them the same, in all and per group', async () => {
    const sortable = fc.oneof(
      fc
        .constantFrom(...Author.fields.filter(({ name }) => name !== 'meta' && name !== 'id'))
        .map((each): Operand => ({ field: each })),
    );
    const order = fc.tuple(
      sortable,
      fc.constantFrom('asc' as const, 'desc' as const),
      fc.constantFrom('first' as const, 'last' as const),
    );
    const groups = fc.option(fc.constantFrom(...['age', 'role', 'active'].map((name) => field(Author, name))), {
      nil: undefined,
    });
    const bound = fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        fc.array(order, { maxLength: 2 }),
        groups,
        bound,
        bound,
        async (orders, group, limit, offset) => {
          const spec = {
            entity: Author,
            fields: Author.fields,
            limit,
            offset,
            perGroup: group === undefined ? undefined : [group],
            order: [
              ...orders.map(([on, direction, nulls]): Order => ({ on, direction, nulls })),
              { on: { field: field(Author, 'id') }, direction: 'asc', nulls: 'last' } satisfies Order,
            ],
          };
          expect(await sql.read(spec, {})).toStrictEqual(await memory.read(spec, {}));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('groups them the same', async () => {
    const number = (name: string): Operand => ({ field: field(Author, name) });
    const specs: AggregateSpec[] = ['age', 'big', 'price'].flatMap((name) => [
      {
        entity: Author,
        columns: [
          { alias: 'role', on: number('role') },
          { alias: 'n', function: 'count' },
          { alias: 'some', function: 'count', on: number(name) },
          { alias: 'distinct', function: 'countDistinct', on: number(name) },
          { alias: 'sum', function: 'sum', on: number(name) },
          { alias: 'avg', function: 'avg', on: number(name) },
          { alias: 'least', function: 'min', on: number(name) },
          { alias: 'most', function: 'max', on: number(name) },
          { alias: 'flag', function: 'max', on: number('active') },
        ],
        order: [{ alias: 'role', direction: 'asc' }],
      },
    ]);
    specs.push(
      {
        entity: Post,
        columns: [
          { alias: 'name', on: number('name'), through: ['author'] },
          { alias: 'posts', function: 'count' },
          { alias: 'oldest', function: 'min', on: number('born'), through: ['author'] },
        ],
        having: [{ alias: 'posts', op: 'gt', value: 1 }],
        order: [
          { alias: 'posts', direction: 'desc' },
          { alias: 'name', direction: 'desc' },
        ],
        limit: 3,
        offset: 1,
      },
      {
        entity: Author,
        columns: [
          { alias: 'n', function: 'count' },
          { alias: 'x', function: 'max', on: { ...meta, path: ['x', 'y'] } },
        ],
      },
      { entity: Author, columns: [{ alias: 'n', function: 'count' }], where: { op: 'or', conditions: [] } },
    );
    for (const spec of specs) {
      const wanted = await memory.aggregate?.(spec, {});
      const got = await sql.aggregate?.(spec, {});
      const rounded = (list: typeof got) =>
        list?.map((row) => row.map((v) => (typeof v === 'number' ? Number(v.toFixed(9)) : v)));
      expect(rounded(got)).toStrictEqual(rounded(wanted));
    }
  });
});
