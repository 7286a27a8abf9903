import {
  type Condition,
  type EntityModel,
  type Field,
  InvalidValueError,
  JSON_NULL,
  NotNullViolationError,
  type PatchOperation,
  type Row,
  UniqueViolationError,
  type Value,
} from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databases, type TestDatabase } from '../testing/databases.fixture.js';
import { documentDomain, Guide, Note } from '../testing/document-model.fixture.js';
import { PostgresDocumentStore } from './document-store.js';

const guide = documentDomain.of(Guide);
const note = documentDomain.of(Note);

const uuid = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;

function field(name: string, entity: EntityModel = guide): Field {
  const found = entity.fieldsByName.get(name);
  if (found === undefined) throw new Error(`${entity.name} has no ${name}`);
  return found;
}

const on = (name: string, ...path: string[]) =>
  path.length === 0 ? { field: field(name) } : { field: field(name), path };

/** A row of all fields; those not given are null. */
function row(n: number, values: Record<string, Value> = {}): Row {
  const all: Record<string, Value> = { id: uuid(n), version: 1, code: `c${n}`, title: `t${n}`, visits: n, ...values };
  return guide.fields.map(({ name }) => all[name] ?? null);
}

const full: Record<string, Value> = {
  body: 'quotes " \\ and {braces} €😀\n',
  size: 9_007_199_254_740_993n,
  score: 0.1,
  price: '12345678901234567890.0123456789',
  open: false,
  day: '2024-02-29',
  opened: Date.parse('1969-12-31T23:59:59.999Z'),
  exact: -1n,
  other: uuid(99),
  meta: { a: [1, 'x', null, { b: true }], e: {} },
  raw: Uint8Array.of(0, 255, 10),
  kind: 'b',
  tags: ['x', 'y"z', 'NULL', ''],
  prices: ['1.50', '-0.001'],
  sizes: [2n ** 62n, -1n],
  times: [0, 1_700_000_000_123],
  parts: [Uint8Array.of(1, 2), Uint8Array.of()],
  'home.city': 'Oslo',
  'home.position.latitude': 59.91,
};

describe.each(databases)('PostgresDocumentStore on $name', ({ open }) => {
  let database: TestDatabase;
  let store: PostgresDocumentStore;

  beforeAll(async () => {
    database = await open();
    store = new PostgresDocumentStore(database.domain);
    await store.open({ name: 'document', entities: documentDomain.entities });
    await store.schema.apply(await store.schema.plan({}), {});
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });
  beforeEach(async () => {
    await database.ask('truncate guides, notes restart identity');
  });

  const insert = (...rows: Row[]) => store.write({ op: 'insert', entity: guide, fields: guide.fields, rows }, {});
  const byId = [{ on: on('id'), direction: 'asc' as const, nulls: 'last' as const }];
  const all = () => store.read({ entity: guide, fields: guide.fields, order: byId }, {});
  const document = async () =>
    JSON.parse((await database.ask('select doc from guides'))[0]?.[0] ?? 'null') as Record<string, unknown>;
  const ids = async (where: Condition) =>
    (await store.read({ entity: guide, fields: [field('visits')], where, order: byId }, {})).map(([n]) => n);
  const get = async (...names: string[]) =>
    (await store.read({ entity: guide, fields: names.map((name) => field(name)) }, {}))[0];
  const patch = (...operations: PatchOperation[]) =>
    store.documents.patch({ entity: guide, target: { keys: [[uuid(1)]] }, operations }, {});

  it('has nothing left to plan after apply', async () => {
    expect(await store.schema.plan({})).toEqual([]);
  });

  it('gives back every value as it went in', async () => {
    await insert(
      row(1, full),
      row(2),
      row(3, { meta: JSON_NULL, score: -0, tags: [] }),
      row(4, { score: Number.NaN, opened: 8.64e15 / 2 }),
    );
    const price = full.price;
    const expected = [
      row(1, { ...full, price }),
      row(2),
      row(3, { meta: JSON_NULL, score: -0, tags: [] }),
      row(4, { score: Number.NaN, opened: 8.64e15 / 2 }),
    ];
    expect(await all()).toEqual(expected);
  });

  it('keeps the shape of the class, exact digits and no nulls', async () => {
    await insert(row(1, full));
    const [[text = ''] = []] = await database.ask('select doc::text from guides');
    expect(text).toContain('"size": 9007199254740993');
    expect(text).toContain('"price": 12345678901234567890.0123456789');
    expect(await document()).toMatchObject({
      home: { city: 'Oslo', position: { latitude: 59.91 } },
      opened: -1,
      day: '2024-02-29',
      raw: 'AP8K',
    });
    expect(await document()).not.toHaveProperty('id');
  });

  it('makes numbers by sequence and returns them in order', async () => {
    await insert(row(1));
    const result = await store.write(
      {
        op: 'insert',
        entity: note,
        fields: [field('text', note), field('guide', note)],
        rows: [
          ['a', uuid(1)],
          [null, uuid(1)],
        ],
        returning: note.ids,
      },
      {},
    );
    expect(result).toEqual({ count: 2, returned: [[1], [2]] });
  });

  it('says what is taken and what is missing in the words of the class', async () => {
    await insert(row(1));
    const taken = insert(row(2, { code: 'c1' }));
    await expect(taken).rejects.toThrow(UniqueViolationError);
    await expect(taken).rejects.toMatchObject({ entity: 'Guide', property: 'code' });
    await expect(insert(row(3, { title: null }))).rejects.toThrow(NotNullViolationError);
    const absent = store.write(
      {
        op: 'insert',
        entity: guide,
        fields: [field('id'), field('version'), field('code')],
        rows: [[uuid(4), 1, 'x']],
      },
      {},
    );
    await expect(absent).rejects.toThrow(/Guide.title must have a value/);
    await expect(insert(row(5, { body: 'a\0b' }))).rejects.toThrow(InvalidValueError);
  });

  it('gives a document the defaults that a batch leaves out', async () => {
    await store.write(
      {
        op: 'insert',
        entity: guide,
        fields: ['id', 'version', 'code', 'title'].map((name) => field(name)),
        rows: [[uuid(1), 1, 'c', 't']],
      },
      {},
    );
    expect(await get('visits', 'body')).toEqual([0, null]);
  });

  it('updates only the leaves that changed, and guards by version', async () => {
    await insert(row(1, full), row(2), row(3));
    const names = ['version', 'title', 'body', 'home.street', 'home.city', 'home.position.longitude'];
    const result = await store.write(
      {
        op: 'update',
        entity: guide,
        fields: names.map((name) => field(name)),
        rows: [
          [2, 'new', undefined, 'Main', null, 10.75],
          [2, undefined, 'text', undefined, undefined, undefined],
          [2, 'never', undefined, undefined, undefined, undefined],
        ],
        keys: [[uuid(1)], [uuid(2)], [uuid(3)]],
        versions: [1, 1, 7],
      },
      {},
    );
    expect(result).toEqual({ count: 2, missed: [2] });
    const rows = await all();
    expect(rows[0]).toEqual(
      row(1, {
        ...full,
        version: 2,
        title: 'new',
        'home.city': null,
        'home.street': 'Main',
        'home.position.longitude': 10.75,
      }),
    );
    expect(rows[1]).toEqual(row(2, { version: 2, body: 'text' }));
    expect(rows[2]).toEqual(row(3));
    const [[second = ''] = []] = await database.ask(`select doc::text from guides where id = '${uuid(2)}'`);
    expect(second).not.toContain('home');
  });

  it('upserts by id and by a unique property, keeping what was not given', async () => {
    await insert(row(1, { body: 'old', 'home.city': 'Oslo', 'home.street': 'Main' }));
    const fields = ['id', 'version', 'code', 'title', 'home.city'].map((name) => field(name));
    await store.write(
      {
        op: 'insert',
        entity: guide,
        fields,
        rows: [
          [uuid(9), 1, 'c1', 'new', 'Bergen'],
          [uuid(2), 1, 'c2', 'two', null],
        ],
        onConflict: { do: 'update', keys: [field('code')], update: [field('title'), field('home.city')] },
      },
      {},
    );
    expect(await all()).toEqual([
      row(1, { version: 2, title: 'new', body: 'old', 'home.city': 'Bergen', 'home.street': 'Main' }),
      row(2, { visits: 0, title: 'two' }),
    ]);
    const result = await store.write(
      {
        op: 'insert',
        entity: guide,
        fields,
        rows: [
          [uuid(8), 1, 'c1', 'no', null],
          [uuid(3), 1, 'c3', 'yes', null],
        ],
        onConflict: { do: 'ignore', keys: [field('code')] },
        returning: [field('id'), field('title')],
      },
      {},
    );
    expect(result).toEqual({
      count: 1,
      returned: [
        [uuid(1), 'new'],
        [uuid(3), 'yes'],
      ],
    });
  });

  it('patches inside documents in one statement', async () => {
    await insert(
      row(1, { meta: { n: 1, list: [1, 2, 2, 3], deep: { list: ['a'] } }, tags: ['x'], size: 2n ** 60n, price: '0.1' }),
    );
    const version = await patch(
      { op: 'inc', on: on('version'), by: 1 },
      { op: 'set', on: on('title'), value: 'new' },
      { op: 'inc', on: on('visits'), by: 5 },
      { op: 'inc', on: on('visits'), by: -1 },
      { op: 'inc', on: on('size'), by: 1n },
      { op: 'inc', on: on('price'), by: '0.2' },
      { op: 'inc', on: on('score'), by: 0.5 },
      { op: 'push', on: on('tags'), values: ['y', 'x'] },
      { op: 'pull', on: on('tags'), values: ['x'] },
      { op: 'push', on: on('prices'), values: ['1.5'] },
      { op: 'pull', on: on('sizes'), values: [1n] },
      { op: 'set', on: on('home.position.latitude'), value: 1 },
      { op: 'pull', on: on('meta', 'list'), values: [2] },
      { op: 'inc', on: on('meta', 'n'), by: 2 },
      { op: 'set', on: on('meta', 'new', 'path'), value: { a: null } },
      { op: 'set', on: on('meta', 'deep', 'list', '0'), value: 'b' },
      { op: 'unset', on: on('meta', 'deep', 'nothing') },
      { op: 'unset', on: on('body') },
    );
    expect(version).toBe(1);
    expect(await all()).toEqual([
      row(1, {
        version: 2,
        title: 'new',
        visits: 5,
        size: 2n ** 60n + 1n,
        price: '0.3000000000',
        score: 0.5,
        tags: ['y'],
        prices: ['1.5'],
        'home.position.latitude': 1,
        meta: { n: 3, list: [1, 3], deep: { list: ['b'] }, new: { path: { a: null } } },
      }),
    ]);
  });

  it('refuses changes that the values do not allow, and changes nothing then', async () => {
    await insert(row(1, { meta: { text: '5', list: [] }, visits: 2_147_483_647 }));
    await expect(patch({ op: 'inc', on: on('meta', 'text'), by: 1 })).rejects.toThrow(InvalidValueError);
    await expect(patch({ op: 'push', on: on('meta', 'text'), values: [1] })).rejects.toThrow(InvalidValueError);
    await expect(patch({ op: 'pull', on: on('meta', 'text'), values: [1] })).rejects.toThrow(InvalidValueError);
    await expect(patch({ op: 'set', on: on('meta', 'list', 'a'), value: 1 })).rejects.toThrow(InvalidValueError);
    await expect(patch({ op: 'inc', on: on('visits'), by: 1 })).rejects.toThrow(InvalidValueError);
    await expect(patch({ op: 'unset', on: on('title') })).rejects.toThrow(NotNullViolationError);
    expect(await all()).toEqual([row(1, { meta: { text: '5', list: [] }, visits: 2_147_483_647 })]);
  });

  it('patches and updates by condition', async () => {
    await insert(row(1), row(2), row(3));
    const where: Condition = { op: 'gt', on: on('visits'), value: 1 };
    expect(
      await store.documents.patch(
        { entity: guide, target: { where }, operations: [{ op: 'push', on: on('tags'), values: ['hot'] }] },
        {},
      ),
    ).toBe(2);
    expect(
      await store.bulk(
        {
          op: 'updateWhere',
          entity: guide,
          where,
          set: [
            { field: field('body'), value: 'b' },
            { field: field('title'), value: 'T' },
          ],
          increment: [
            { field: field('visits'), by: 10 },
            { field: field('version'), by: 1 },
          ],
        },
        {},
      ),
    ).toBe(2);
    expect(await all()).toEqual([
      row(1),
      ...[2, 3].map((n) => row(n, { visits: n + 10, version: 2, title: 'T', body: 'b', tags: ['hot'] })),
    ]);
    expect(
      await store.bulk(
        { op: 'deleteWhere', entity: guide, where: { op: 'contains', on: on('tags'), value: ['hot'] } },
        {},
      ),
    ).toBe(2);
    expect(await store.count(guide, undefined, {})).toBe(1);
  });

  it('loses no increment to a concurrent writer', async () => {
    await insert(row(1, { visits: 0 }));
    await Promise.all(
      Array.from({ length: 20 }, () =>
        patch({ op: 'inc', on: on('visits'), by: 1 }, { op: 'push', on: on('tags'), values: ['t'] }),
      ),
    );
    const [visits, tags] = (await get('visits', 'tags')) ?? [];
    expect([visits, (tags as string[]).length]).toEqual([20, 20]);
  });

  it('finds by every kind of condition', async () => {
    await insert(
      row(1, full),
      row(2, { meta: { a: 'x' }, tags: ['x'], day: '2024-03-01', opened: 5 }),
      row(3, { meta: 'x', open: true }),
      row(4, { meta: ['x'] }),
      row(5, { meta: JSON_NULL }),
    );
    expect(await ids({ op: 'eq', on: on('price'), value: '12345678901234567890.01234567890' })).toEqual([1]);
    expect(await ids({ op: 'eq', on: on('other'), value: uuid(99).toUpperCase() })).toEqual([1]);
    expect(await ids({ op: 'eq', on: on('raw'), value: Uint8Array.of(0, 255, 10) })).toEqual([1]);
    expect(await ids({ op: 'lt', on: on('opened'), value: 0 })).toEqual([1]);
    expect(await ids({ op: 'gte', on: on('exact'), value: -1n })).toEqual([1]);
    expect(await ids({ op: 'between', on: on('day'), low: '2024-02-29', high: '2024-02-29' })).toEqual([1]);
    expect(await ids({ op: 'eq', on: on('open'), value: true })).toEqual([3]);
    expect(await ids({ op: 'ne', on: on('open'), value: true })).toEqual([1, 2, 4, 5]);
    expect(await ids({ op: 'eq', on: on('meta', 'a'), value: 'x' })).toEqual([2]);
    expect(await ids({ op: 'eq', on: on('meta', 'a', '1'), value: 'x' })).toEqual([1]);
    expect(await ids({ op: 'eq', on: on('meta', 'a'), value: [1, 'x', null, { b: true }] })).toEqual([1]);
    expect(await ids({ op: 'eq', on: on('meta', 'a'), value: [1] })).toEqual([]);
    expect(await ids({ op: 'contains', on: on('meta'), value: 'x' })).toEqual([3, 4]);
    expect(await ids({ op: 'contains', on: on('meta'), value: { a: [{ b: true }] } })).toEqual([1]);
    expect(await ids({ op: 'contains', on: on('meta', 'a'), value: 1 })).toEqual([1]);
    expect(await ids({ op: 'contains', on: on('tags'), value: ['x'] })).toEqual([1, 2]);
    expect(await ids({ op: 'exists', on: on('meta'), present: false })).toEqual([]);
    expect(await ids({ op: 'exists', on: on('home.city'), present: true })).toEqual([1]);
    expect(await ids({ op: 'like', on: on('title'), pattern: 't_' })).toEqual([1, 2, 3, 4, 5]);
    expect(await ids({ op: 'in', on: on('visits'), values: [1, 5] })).toEqual([1, 5]);
  });

  it('aggregates', async () => {
    await insert(row(1, { kind: 'a', price: '1.5' }), row(2, { kind: 'a', price: '2' }), row(3, { kind: 'b' }));
    const rows = await store.aggregate(
      {
        entity: guide,
        columns: [
          { alias: 'kind', on: on('kind') },
          { alias: 'n', function: 'count' },
          { alias: 'sum', function: 'sum', on: on('price') },
          { alias: 'max', function: 'max', on: on('visits') },
        ],
        order: [{ alias: 'kind', direction: 'asc' }],
      },
      {},
    );
    expect(rows).toEqual([
      ['a', 2, '3.5000000000', 2],
      ['b', 1, null, 3],
    ]);
  });

  it('uses the expression indexes and the index over the document', async () => {
    await insert(
      ...Array.from({ length: 900 }, (_, i) =>
        row(i + 1, { meta: { a: i }, day: '2024-01-01', opened: i * 1000, exact: BigInt(i), tags: [`t${i}`] }),
      ),
    );
    await database.ask('vacuum analyze guides');
    const plans: string[] = [];
    const { use } = database.domain;
    database.domain.use = (access, work) =>
      use.call(database.domain, access, (session) => {
        const query: typeof session.query = async (statement) => {
          await session.query({ text: 'set enable_seqscan = off', values: [] });
          const { rows } = await session.query({ ...statement, text: `explain ${statement.text}`, prepare: false });
          await session.query({ text: 'reset enable_seqscan', values: [] });
          plans.push(rows.flat().join('\n'));
          return session.query(statement);
        };
        return work(Object.assign(Object.create(session) as typeof session, { query }));
      }) as never;
    const planOf = async (where: Condition) => {
      plans.length = 0;
      await ids(where);
      return plans[0] ?? '';
    };
    try {
      expect(await planOf({ op: 'eq', on: on('code'), value: 'c7' })).toContain('guides_code_key');
      expect(await planOf({ op: 'gt', on: on('visits'), value: 490 })).toContain('guides_visits_idx');
      expect(await planOf({ op: 'between', on: on('opened'), low: 5, high: 2000 })).toContain(
        'guides_opened_title_idx',
      );
      expect(await planOf({ op: 'lt', on: on('exact'), value: 9n })).toContain('guides_exact_idx');
      expect(await planOf({ op: 'lt', on: on('day'), value: '2023-01-01' })).toContain('guides_day_idx');
      expect(await planOf({ op: 'eq', on: on('title'), value: 't7' })).toContain('guides_doc_gin');
      expect(await planOf({ op: 'eq', on: on('meta', 'a'), value: 7 })).toContain('guides_doc_gin');
      expect(await planOf({ op: 'contains', on: on('tags'), value: ['t9'] })).toContain('guides_doc_gin');
      expect(await planOf({ op: 'keys', fields: guide.ids, rows: [[uuid(1)], [uuid(2)]] })).toContain('guides_pkey');
    } finally {
      database.domain.use = use;
    }
  });

  it('patches as plain JavaScript does', async () => {
    const plain = memoryStore();
    await plain.open({ name: 'document', entities: documentDomain.entities });
    const key = fc.constantFrom('a', 'b', 'c');
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        fc.integer({ min: -9, max: 9 }),
        fc.constantFrom('x', 'y'),
        fc.boolean(),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    }));
    const path = fc.array(key, { minLength: 1, maxLength: 3 });
    const scalar = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom('x', 'y'));
    const operation: fc.Arbitrary<PatchOperation> = fc.oneof(
      fc.record({
        op: fc.constant('set' as const),
        on: path.map((keys) => on('meta', ...keys)),
        value: json.value as fc.Arbitrary<Value>,
      }),
      fc.record({
        op: fc.constant('set' as const),
        on: fc.constant(on('meta')),
        value: json.object as fc.Arbitrary<Value>,
      }),
      fc.record({
        op: fc.constant('inc' as const),
        on: path.map((keys) => on('meta', ...keys)),
        by: fc.integer({ min: -3, max: 3 }),
      }),
      fc.record({
        op: fc.constantFrom('push' as const, 'pull' as const),
        on: path.map((keys) => on('meta', ...keys)),
        values: fc.array(scalar, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({
        op: fc.constantFrom('push' as const, 'pull' as const),
        on: fc.constant(on('tags')),
        values: fc.array(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({
        op: fc.constant('set' as const),
        on: fc.constantFrom(on('home.city'), on('home.street'), on('body')),
        value: fc.constantFrom('p', 'q'),
      }),
      fc.record({ op: fc.constant('unset' as const), on: fc.constantFrom(on('home.city'), on('body'), on('tags')) }),
    );
    await fc.assert(
      fc.asyncProperty(json.object, fc.array(operation, { minLength: 1, maxLength: 5 }), async (meta, operations) => {
        await database.ask('truncate guides');
        await plain.bulk?.({ op: 'deleteWhere', entity: guide, where: { op: 'and', conditions: [] } }, {});
        const outcomes = [];
        for (const target of [store, plain]) {
          await target.write({ op: 'insert', entity: guide, fields: guide.fields, rows: [row(1, { meta })] }, {});
          const count = await target.documents
            ?.patch({ entity: guide, target: { keys: [[uuid(1)]] }, operations }, {})
            .catch(() => 'refused');
          outcomes.push([count, await target.read({ entity: guide, fields: guide.fields }, {})]);
        }
        // A key of letters into an array is refused here and ignored in memory.
        fc.pre(
          !(
            outcomes[0]?.[0] === 'refused' &&
            outcomes[1]?.[0] !== 'refused' &&
            operations.some(({ on }) => on.path !== undefined)
          ),
        );
        expect(outcomes[0]).toEqual(outcomes[1]);
      }),
      { numRuns: 150 },
    );
  });
});
