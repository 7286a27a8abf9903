/**
 * Any condition, order and walk means in Neo4j what it means in memory: random ones are asked of both, over rows with
 * absent values in every place. The memory store is the reference because it is written without Cypher.
 */
import {
  type Collection,
  type Condition,
  type EntityModel,
  type Field,
  Id,
  ManyToOne,
  Node,
  OneToMany,
  type Operand,
  type Order,
  Property,
  type Ref,
  Related,
  type RelationModel,
  type Value,
} from '@storeweave/core';
import { type MemoryStore, memoryStore } from '@storeweave/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fieldOf, type OpenedStore, openStore } from './servers.fixture.js';

@Node()
class Author {
  @Id('integer') id!: number;
  @Property('string', { nullable: true, index: true }) name!: string | null;
  @Property('integer', { nullable: true, index: true }) age!: number | null;
  @Property('bigint', { nullable: true }) big!: bigint | null;
  @Property('float', { nullable: true }) score!: number | null;
  @Property('decimal', { nullable: true, index: true }) price!: string | null;
  @Property('boolean', { nullable: true }) active!: boolean | null;
  @Property('date', { nullable: true }) born!: string | null;
  @Property('timestamp', { nullable: true, precision: 'ns' }) at!: bigint | null;
  @Property('enum', { nullable: true, values: [1, 2] }) role!: 1 | 2 | null;
  @Property('json', { nullable: true }) meta!: unknown;
  @Property('string', { nullable: true, array: true }) tags!: string[] | null;
  @Property('bytes', { nullable: true }) blob!: Uint8Array | null;
  @OneToMany(
    () => Post,
    (post) => post.author,
  )
  posts!: Collection<Post>;
  @Related(() => Author, 'FRIEND') friends!: Collection<Author>;
  @Related(() => Author, 'FRIEND', { direction: 'in' }) friendOf!: Collection<Author>;
  @Related(() => Author, 'FRIEND', { direction: 'both' }) known!: Collection<Author>;
}

@Node()
class Post {
  @Id('integer') blog!: number;
  @Id('integer') number!: number;
  @ManyToOne(() => Author, { nullable: true }) author!: Ref<Author>;
  @Property('string') title!: string;
}

const words = fc.constantFrom('a', 'b', 'ab', 'A', 'a%', 'a_b', 'a\\b', '', 'zz', '"', '`', '🧵');
const json = fc.constantFrom<Value>(
  ...[1, 2, 'a', 'ab', true, [], ['a', 'b'], {}, { x: 1 }, { x: { y: 2 } }, { x: 'ab' }, { x: null }, { x: ['a', 1] }],
  { x: [1, { y: 2 }] },
  { 'x/y': 1, 'x=#1': 2, '0': 'a' },
);
const valuesOf: Record<string, fc.Arbitrary<Value>> = {
  id: fc.integer({ min: 0, max: 30 }),
  name: words,
  age: fc.integer({ min: -3, max: 3 }),
  big: fc.bigInt({ min: -2n, max: 2n }),
  score: fc.constantFrom(-1, 0, 0.5, 1, Number.POSITIVE_INFINITY),
  price: fc.constantFrom('-1', '-1.5', '0', '0.5', '1.5', '10'),
  active: fc.boolean(),
  born: fc.constantFrom('1999-12-31', '2000-01-01', '2024-02-29'),
  at: fc.constantFrom(0n, -1n, 1_700_000_000_123_456_789n),
  role: fc.constantFrom(1, 2),
  meta: json,
  tags: fc.array(words, { maxLength: 3 }),
  blob: fc.constantFrom(new Uint8Array(), Uint8Array.of(0), Uint8Array.of(255, 0)),
};
const value = (name: string) => valuesOf[name] ?? fc.constant<Value>(null);

describe('random questions', () => {
  let opened: OpenedStore;
  let memory: MemoryStore;
  let author: EntityModel;
  let post: EntityModel;
  let condition: fc.Arbitrary<Condition>;

  beforeAll(async () => {
    opened = await openStore([Author, Post]);
    memory = memoryStore();
    await memory.open({ name: 'graph', entities: opened.entities });
    author = opened.of(Author);
    post = opened.of(Post);
    condition = conditions(author, post);
    const sample = <T>(arbitrary: fc.Arbitrary<T>, seed: number) => fc.sample(arbitrary, { numRuns: 1, seed })[0] as T;
    const ids = Array.from({ length: 30 }, (_, id) => id);
    const rows = new Map<EntityModel, Value[][]>([
      [
        author,
        ids.map((id) =>
          author.fields.map((field) =>
            field.id ? id : sample(fc.option(value(field.name), { freq: 4 }), id * 31 + field.index),
          ),
        ),
      ],
      [
        post,
        ids.map((n) =>
          post.fields.map((field) =>
            field.name === 'blog'
              ? n % 3
              : field.name === 'number'
                ? Math.floor(n / 3)
                : field.name === 'title'
                  ? sample(words, n)
                  : n % 4 === 0
                    ? null
                    : (n * 7) % 20,
          ),
        ),
      ],
      [opened.link('FRIEND'), ids.map((id) => [id, (id * 11 + 1) % 30])],
    ]);
    for (const [entity, list] of rows) {
      for (const store of [opened.store, memory])
        await store.write({ op: 'insert', entity, fields: entity.fields, rows: list.map((row) => [...row]) }, {});
    }
  });
  afterAll(() => opened?.store.close());

  it('finds and counts the same', async () => {
    const order: Order[] = [{ on: { field: fieldOf(author, 'id') }, direction: 'asc', nulls: 'last' }];
    await fc.assert(
      fc.asyncProperty(condition, async (where) => {
        const spec = { entity: author, fields: author.fields, where, order };
        expect(await opened.store.read(spec, {})).toStrictEqual(await memory.read(spec, {}));
        expect(await opened.store.count(author, where, {})).toBe(await memory.count?.(author, where, {}));
      }),
      { numRuns: 200 },
    );
  }, 180_000);

  it('orders and limits the same, in all and per group', async () => {
    const order = fc.tuple(
      fc.constantFrom(...author.fields.filter(({ name }) => !['id', 'meta', 'blob'].includes(name))),
      fc.constantFrom('asc' as const, 'desc' as const),
      fc.constantFrom('first' as const, 'last' as const),
    );
    const group = fc.option(fc.constantFrom(...['age', 'role', 'active'].map((name) => fieldOf(author, name))), {
      nil: undefined,
    });
    const bound = fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(fc.array(order, { maxLength: 2 }), group, bound, bound, async (orders, by, limit, offset) => {
        const spec = {
          entity: author,
          fields: author.ids,
          limit,
          offset,
          perGroup: by === undefined ? undefined : [by],
          order: [
            ...orders.map(([field, direction, nulls]): Order => ({ on: { field }, direction, nulls })),
            { on: { field: fieldOf(author, 'id') }, direction: 'asc', nulls: 'last' } satisfies Order,
          ],
        };
        expect(await opened.store.read(spec, {})).toStrictEqual(await memory.read(spec, {}));
      }),
      { numRuns: 80 },
    );
  }, 120_000);
});

function conditions(author: EntityModel, post: EntityModel): fc.Arbitrary<Condition> {
  const operators = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const;
  const field = (name: string) => fieldOf(author, name);
  const plain = fc.constantFrom(
    ...author.fields.filter(({ type, array }) => type !== 'json' && type !== 'bytes' && !array),
  );
  const path: fc.Arbitrary<readonly string[]> = fc.constantFrom(
    ['x'],
    ['x', 'y'],
    ['x', '0'],
    ['x', '1', 'y'],
    ['x/y'],
    ['x=#1'],
    ['0'],
    ['nope'],
  );
  const meta: Operand = { field: field('meta') };
  const at = (keys: readonly string[]): Operand => ({ ...meta, path: keys });
  const scalar = fc.constantFrom<Value>(1, 2, 'a', 'ab', true);
  const each = <T extends Condition>(make: (field: Field) => fc.Arbitrary<T>) => plain.chain(make);
  const among = fc.constantFrom('in' as const, 'notIn' as const);
  const leaf = fc.oneof(
    each((on) =>
      fc
        .tuple(fc.constantFrom(...operators), value(on.name))
        .map(([op, v]): Condition => ({ op, on: { field: on }, value: v })),
    ),
    each((on) =>
      fc
        .tuple(among, fc.array(value(on.name), { maxLength: 3 }))
        .map(([op, values]): Condition => ({ op, on: { field: on }, values })),
    ),
    each((on) =>
      fc
        .tuple(value(on.name), value(on.name))
        .map(([low, high]): Condition => ({ op: 'between', on: { field: on }, low, high })),
    ),
    fc
      .tuple(
        fc.constantFrom('like' as const, 'ilike' as const),
        fc.constantFrom('a%', '_', '%b', 'a\\%', 'a\\\\b', '', '%_%', 'a_%'),
      )
      .map(([op, pattern]): Condition => ({ op, on: { field: field('name') }, pattern })),
    fc
      .tuple(path, fc.constantFrom('a%', '%'))
      .map(([keys, pattern]): Condition => ({ op: 'like', on: at(keys), pattern })),
    fc
      .tuple(
        fc.oneof(
          fc.constantFrom(...author.fields).map((on): Operand => ({ field: on })),
          path.map(at),
        ),
        fc.boolean(),
      )
      .map(([on, present]): Condition => ({ op: 'exists', on, present })),
    fc
      .tuple(path, fc.constantFrom(...operators), scalar)
      .map(([keys, op, v]): Condition => ({ op, on: at(keys), value: v })),
    fc
      .tuple(path, among, fc.array(scalar, { maxLength: 2 }))
      .map(([keys, op, values]): Condition => ({ op, on: at(keys), values })),
    fc
      .array(words, { maxLength: 2 })
      .map((v): Condition => ({ op: 'contains', on: { field: field('tags') }, value: v })),
    value('tags').map((v): Condition => ({ op: 'eq', on: { field: field('tags') }, value: v })),
    value('blob').map((v): Condition => ({ op: 'eq', on: { field: field('blob') }, value: v })),
    words.map((v): Condition => ({ op: 'contains', on: { field: field('name') }, value: v })),
    json.map((v): Condition => ({ op: 'contains', on: meta, value: v })),
    json.map((v): Condition => ({ op: 'eq', on: meta, value: v })),
    fc.tuple(path, json).map(([keys, v]): Condition => ({ op: 'contains', on: at(keys), value: v })),
    fc
      .array(value('id'), { maxLength: 4 })
      .map((ids): Condition => ({ op: 'keys', fields: author.ids, rows: ids.map((id) => [id]) })),
  );
  const relation = (owner: EntityModel, name: string) => owner.relationsByName.get(name) as RelationModel;
  const onPost = fc.oneof(
    words.map((v): Condition => ({ op: 'eq', on: { field: fieldOf(post, 'title') }, value: v })),
    fc
      .array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 9 })), { maxLength: 4 })
      .map((rows): Condition => ({ op: 'keys', fields: post.ids, rows })),
    fc.constant<Condition>({ op: 'and', conditions: [] }),
  );
  return fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc
        .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('condition'), { maxLength: 3 }))
        .map(([op, parts]): Condition => ({ op, conditions: parts })),
      tie('condition').map((inner): Condition => ({ op: 'not', condition: inner })),
      fc
        .tuple(fc.constantFrom('friends', 'friendOf', 'known'), tie('condition'))
        .map(([name, where]): Condition => ({ op: 'related', relation: relation(author, name), where })),
      onPost.map((where): Condition => ({ op: 'related', relation: relation(author, 'posts'), where })),
      tie('condition').map(
        (where): Condition => ({
          op: 'related',
          relation: relation(author, 'posts'),
          where: { op: 'related', relation: relation(post, 'author'), where },
        }),
      ),
    ),
  })).condition;
}
