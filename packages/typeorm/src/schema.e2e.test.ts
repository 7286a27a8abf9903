/** The schema follows the metadata, keeps every value on the way, and is the same after a second look. */
import {
  type Collection,
  type Defaults,
  Embedded,
  type Field,
  Id,
  Index,
  ManyToMany,
  ManyToOne,
  OneToMany,
  optional,
  Property,
  type Ref,
  Relational,
  type SchemaChange,
  Unique,
  Version,
} from '@storeweave/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { databases, fields, type Opened, openStore, type TestDatabase } from './databases.fixture.js';

class Place {
  @Property('string', { nullable: true }) street?: string | null;
  @Property('decimal', { precision: 9, scale: 6, nullable: true }) latitude?: string | null;
}

/** Everything that a column can be. */
@Relational({ table: 'specimens', namespace: 'zoo' })
@Index(['labels'], { type: 'gin' })
@Index(['data'], { type: 'gin' })
@Unique(['code', 'state'])
@Index(['amount', 'code'], { where: 'amount > 10 and "enabled"' })
class Specimen {
  declare readonly [optional]: Defaults<
    | 'code'
    | 'name'
    | 'amount'
    | 'big'
    | 'ratio'
    | 'price'
    | 'enabled'
    | 'day'
    | 'at'
    | 'exact'
    | 'data'
    | 'state'
    | 'level'
    | 'labels'
    | 'numbers'
  >;
  @Id('bigint', { generated: 'sequence' }) id!: bigint;
  @Property('string', { length: 12, default: "it's" }) code!: string;
  @Property('text', { default: 'a::b "c" \\ {}' }) name!: string;
  @Property('integer', { default: -5 }) amount!: number;
  @Property('bigint', { default: 9_007_199_254_740_993n }) big!: bigint;
  @Property('float', { default: 1.5e-7 }) ratio!: number;
  @Property('decimal', { precision: 10, scale: 2, default: '1.50' }) price!: string;
  @Property('boolean', { default: true, column: 'enabled' }) enabled!: boolean;
  @Property('date', { default: '2024-02-29' }) day!: string;
  @Property('timestamp', { default: new Date(1_700_000_000_123) }) at!: Date;
  @Property('timestamp', { nullable: true, precision: 'us' }) exact?: bigint | null;
  @Property('json', { default: { b: [1, 'x'], a: null } }) data!: object;
  @Property('bytes', { nullable: true }) bytes?: Uint8Array | null;
  @Property('enum', { values: ['new', "o'ld"], default: 'new' }) state!: 'new' | "o'ld";
  @Property('enum', { values: [1, 2], array: true, default: [1, 2] }) level!: (1 | 2)[];
  @Property('text', { array: true, default: ['a b', '"'] }) labels!: string[];
  @Property('integer', { array: true, default: [] }) numbers!: number[];
  @Embedded(() => Place, { nullable: true }) place?: Place | null;
  @Version() version!: number;
}

/** Two states of one model. */
function first() {
  @Relational({ table: 'authors' })
  class Author {
    @Id() id!: string;
    @Property('string', { length: 10 }) name!: string;
    @Property('integer', { nullable: true }) age?: number | null;
    @Property('string', { nullable: true }) gone?: string | null;
    @Property('enum', { values: ['a', 'b'] }) role!: 'a' | 'b';
    @OneToMany(
      () => Book,
      (book) => book.author,
    )
    books!: Collection<Book>;
  }
  @Relational({ table: 'books' })
  class Book {
    @Id('integer', { generated: 'sequence' }) id!: number;
    @Property('string', { index: true }) title!: string;
    @ManyToOne(() => Author, { onDelete: 'cascade' }) author!: Ref<Author>;
  }
  return [Author, Book];
}

function second() {
  @Relational({ table: 'tags' })
  class Tag {
    @Id('string') name!: string;
  }
  @Relational({ table: 'authors' })
  class Author {
    declare readonly [optional]: Defaults<'role' | 'active'>;
    @Id() id!: string;
    @Property('text') name!: string;
    @Property('bigint', { nullable: true }) age?: bigint | null;
    @Property('enum', { values: ['a', 'b', 'c'], default: 'c' }) role!: 'a' | 'b' | 'c';
    @Property('boolean', { default: true }) active!: boolean;
    @Property('string') must!: string;
    @OneToMany(
      () => Book,
      (book) => book.author,
    )
    books!: Collection<Book>;
  }
  @Relational({ table: 'books' })
  class Book {
    @Id('integer', { generated: 'sequence' }) id!: number;
    @Property('string', { unique: true }) title!: string;
    @Property('string', { length: 3, nullable: true }) short?: string | null;
    @ManyToOne(() => Author, { onDelete: 'restrict' }) author!: Ref<Author>;
    @ManyToMany(() => Tag) tags!: Collection<Tag>;
  }
  return [Author, Book, Tag];
}

const author = '018f3c5e-0000-7000-8000-000000000001';

describe.each(databases)('on $name', ({ name, open }) => {
  let database: TestDatabase;
  const opened: Opened[] = [];

  beforeAll(async () => {
    database = await open();
  });
  afterEach(async () => {
    for (const { store } of opened.splice(0)) await store.close();
    await database.reset();
  });
  afterAll(() => database?.close());
  const openWith = async (...[classes]: [Parameters<typeof openStore>[1]]) => {
    const made = await openStore(database.options(), classes);
    opened.push(made);
    return made;
  };
  const summaries = (changes: readonly SchemaChange[]) =>
    changes.map((change) => `${change.destructive ? '! ' : ''}${change.summary}`);

  it('makes every kind of column, index and default, and finds nothing to do afterwards', async () => {
    const { store, entity } = await openWith([Specimen]);
    const plan = await store.schema.plan({});
    expect(plan.every((change) => change.kind === 'create' && !change.destructive)).toBe(true);
    await store.schema.apply(plan, {});
    expect(await store.schema.plan({})).toStrictEqual([]);

    await store.relational.sql('insert into zoo.specimens default values', [], {}).catch(async () => {
      // Whatever has no default must be given.
      await store.relational.sql('insert into zoo.specimens (version) values (1)', [], {});
    });
    const specimen = entity('Specimen');
    const [row] = await store.read({ entity: specimen, fields: specimen.fields }, {});
    const values = Object.fromEntries(specimen.fields.map((field, i) => [field.name, row?.[i]]));
    expect(values).toMatchObject({
      code: "it's",
      name: 'a::b "c" \\ {}',
      amount: -5,
      big: 9_007_199_254_740_993n,
      ratio: 1.5e-7,
      price: '1.50',
      enabled: true,
      day: '2024-02-29',
      at: 1_700_000_000_123,
      data: { b: [1, 'x'], a: null },
      state: 'new',
      level: [1, 2],
      labels: ['a b', '"'],
      numbers: [],
      'place.street': null,
      version: 1,
    });
    const indexes = await store.relational.sql(
      `select indexdef from pg_indexes where schemaname = 'zoo' order by 1`,
      [],
      {},
    );
    expect(indexes.map(({ indexdef }) => indexdef)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/USING gin \(labels\)/),
        expect.stringMatching(/USING gin \(data\)/),
        expect.stringMatching(/WHERE \(\(amount > 10\) AND enabled\)/),
      ]),
    );
    const [identity] = await store.relational.sql(
      `select is_identity from information_schema.columns where table_schema = 'zoo' and column_name = 'id'`,
      [],
      {},
    );
    expect(identity).toStrictEqual({ is_identity: 'YES' });
  });

  it('widens and adds in place, leaves what could lose values, and never drops by itself', async () => {
    const one = await openWith(first());
    await one.store.schema.apply(await one.store.schema.plan({}), {});
    const authors = one.entity('Author');
    const books = one.entity('Book');
    const row: Record<string, unknown> = { id: author, name: 'Ada', age: 36, gone: 'kept', role: 'a' };
    await one.store.write(
      { op: 'insert', entity: authors, fields: authors.fields, rows: [authors.fields.map((field) => row[field.name])] },
      {},
    );
    const insertBook = { op: 'insert', entity: books, fields: fields(books, 'title', 'author') } as const;
    await one.store.write(
      {
        ...insertBook,
        rows: [
          ['Same', author],
          ['Same', author],
        ],
      },
      {},
    );
    await one.store.close();

    const two = await openWith(second());
    const plan = await two.store.schema.plan({});
    expect(summaries(plan).sort()).toStrictEqual(
      [
        'add c to the values of authors.role',
        'add column active to authors',
        '! add column must to authors, but the rows in it have no value for must: give the property a default, or make it nullable',
        'add column short to books',
        'create table tags',
        'create table book_tags',
        'create index book_tags_tag_name_idx on book_tags',
        '! create index books_title_key on books, but some rows have the same values',
        'add foreign key book_tags_book_id_fkey to book_tags',
        'add foreign key book_tags_tag_name_fkey to book_tags',
        'change the type of authors.name from character varying(10) to text',
        'change the type of authors.age from integer to bigint',
        '! drop column gone of authors, which Author does not have',
        'let the deletion of Author restrict Book.author',
        'set the default of authors.role to c',
      ].sort(),
    );
    await two.store.schema.apply(
      plan.filter((change) => !change.destructive),
      {},
    );
    expect(
      await two.store.relational.sql('select id, name, age, gone, role, active from authors', [], {}),
    ).toStrictEqual([{ id: author, name: 'Ada', age: 36, gone: 'kept', role: 'a', active: true }]);
    const left = await two.store.schema.plan({});
    expect(left.every((change) => change.destructive)).toBe(true);
    expect(left).toHaveLength(3);

    // Told to, and with the rows out of the way, the rest is done too.
    await two.store.relational.sql('delete from books', [], {});
    await two.store.relational.sql('delete from authors', [], {});
    await two.store.schema.apply(await two.store.schema.plan({}), {});
    expect(await two.store.schema.plan({})).toStrictEqual([]);

    // An older version of the application still finds what it needs.
    const back = await openWith(first());
    const behind = await back.store.schema.plan({});
    expect(behind.filter((change) => change.kind === 'drift').map((change) => change.summary)).toStrictEqual([
      'the type of authors.role still knows c: PostgreSQL cannot take values away',
      'authors.name is text, which holds more than the character varying(10) of Author',
      'authors.age is bigint, which holds more than the integer of Author',
    ]);
    expect(behind.filter((change) => change.destructive && change.kind !== 'drop')).toStrictEqual([]);
  });

  it('changes a type at the user’s risk, value by value', async () => {
    const { store, entity } = await openWith(first());
    await store.schema.apply(await store.schema.plan({}), {});
    await store.relational.sql(`alter table authors alter age type text, alter age set default '7'`, [], {});
    await store.relational.sql(
      `insert into authors (id, name, role, age) values ('${author}', 'x', 'a', '36')`,
      [],
      {},
    );
    const plan = await store.schema.plan({});
    expect(summaries(plan)).toContain('! change the type of authors.age from text to integer');
    await store.schema.apply(plan, {});
    expect(await store.schema.plan({})).toStrictEqual([]);
    expect(
      await store.count(
        entity('Author'),
        { op: 'eq', on: { field: fields(entity('Author'), 'age')[0] as Field }, value: 36 },
        {},
      ),
    ).toBe(1);
  });

  it('says which step failed, and keeps nothing of it', async () => {
    const { store } = await openWith(first());
    const [change] = await store.schema.plan({});
    if (change === undefined) throw new Error('no change');
    await store.schema.apply(await store.schema.plan({}), {});
    await store.relational.sql('alter table books drop column title', [], {});
    await store.relational.sql(`insert into authors (id, name, role) values ('${author}', 'x', 'a')`, [], {});
    await store.relational.sql(`insert into books (author_id) values ('${author}')`, [], {});
    const failing = store.schema.apply(await store.schema.plan({}), {});
    await expect(failing).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH', entity: 'Book' });
    await expect(failing).rejects.toThrow(/add column title to books.*failed/);
  });

  // A PGlite has one session, and with it one process.
  if (name === 'PostgreSQL')
    it('may be applied by several at once', async () => {
      const stores = await Promise.all([1, 2, 3].map(() => openStore(database.options(), second())));
      opened.push(...stores);
      const plans = await Promise.all(stores.map(({ store }) => store.schema.plan({})));
      expect(plans.every((plan) => plan.length > 5)).toBe(true);
      await Promise.all(stores.map(({ store }, i) => store.schema.apply(plans[i] ?? [], {})));
      expect(await stores[0]?.store.schema.plan({})).toStrictEqual([]);
    });

  it('leaves alone what it does not know', async () => {
    const { store } = await openWith(first());
    await store.schema.apply(await store.schema.plan({}), {});
    await store.relational.sql('create table foreign_table (id int)', [], {});
    await store.relational.sql('create index by_hand on books (id, title)', [], {});
    await store.relational.sql('alter table books add constraint by_hand_check check (id > 0)', [], {});
    await store.relational.sql('alter table authors alter name set default upper(current_user)', [], {});
    expect(await store.schema.plan({})).toStrictEqual([]);
  });

  it('sees an index that is defined differently under the same name', async () => {
    const { store } = await openWith([Specimen]);
    await store.schema.apply(await store.schema.plan({}), {});
    const specimen = opened.at(-1)?.entity('Specimen');
    for (const index of specimen?.indexes ?? []) {
      await store.relational.sql(`drop index zoo."${index.name}"`, [], {});
      const where = index.where === undefined ? 'where amount > 0' : 'where amount > 11';
      await store.relational.sql(`create index "${index.name}" on zoo.specimens (code) ${where}`, [], {});
    }
    const plan = await store.schema.plan({});
    expect(plan).toHaveLength(specimen?.indexes.length ?? -1);
    expect(plan.every((change) => /make index .* anew/.test(change.summary))).toBe(true);
    await store.schema.apply(plan, {});
    expect(await store.schema.plan({})).toStrictEqual([]);
  });
});
