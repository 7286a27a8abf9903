import {
  type Condition,
  InvalidValueError,
  JSON_NULL,
  NotNullViolationError,
  UniqueViolationError,
} from '@storeweave/core';
import { describe, expect, it } from 'vitest';
import { databases } from '../testing/databases.fixture.js';
import { field, full, guide, note, on, row, uuid } from '../testing/document-rows.fixture.js';
import { byId, documentSuite } from '../testing/document-store.fixture.js';

describe.each(databases)('PostgresDocumentStore on $name', ({ open }) => {
  const suite = documentSuite(open);
  const { insert, all, get } = suite;
  const document = async () =>
    JSON.parse((await suite.database.ask('select doc from guides'))[0]?.[0] ?? 'null') as Record<string, unknown>;
  const ids = async (where: Condition) =>
    (await suite.store.read({ entity: guide, fields: [field('visits')], where, order: byId }, {})).map(([n]) => n);

  it('has nothing left to plan after apply', async () => {
    expect(await suite.store.schema.plan({})).toEqual([]);
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
    const [[text = ''] = []] = await suite.database.ask('select doc::text from guides');
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
    const result = await suite.store.write(
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
    const absent = suite.store.write(
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
    await suite.store.write(
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
    const result = await suite.store.write(
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
    const [[second = ''] = []] = await suite.database.ask(`select doc::text from guides where id = '${uuid(2)}'`);
    expect(second).not.toContain('home');
  });

  it('upserts by id and by a unique property, keeping what was not given', async () => {
    await insert(row(1, { body: 'old', 'home.city': 'Oslo', 'home.street': 'Main' }));
    const fields = ['id', 'version', 'code', 'title', 'home.city'].map((name) => field(name));
    await suite.store.write(
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
    const result = await suite.store.write(
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
    const rows = await suite.store.aggregate(
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
    await suite.database.ask('vacuum analyze guides');
    const plans: string[] = [];
    const { use } = suite.database.domain;
    suite.database.domain.use = (access, work) =>
      use.call(suite.database.domain, access, (session) => {
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
      suite.database.domain.use = use;
    }
  });
});
