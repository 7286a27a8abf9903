import {
  compileDomain,
  Document,
  type EntityClass,
  Field,
  Id,
  Measurement,
  Node,
  Property,
  SchemaError,
  Tag,
  Timestamp,
} from '@storeweave/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PostgresStores, postgres } from '../postgres.js';
import { databases, type TestDatabase } from '../testing/databases.fixture.js';

/** Classes made by hand, since each test needs several versions of one class. */
function entity(name: string, kind: (target: never) => void, members: Record<string, unknown>): EntityClass {
  const made = { [name]: class {} }[name] as EntityClass;
  for (const [member, decorate] of Object.entries(members))
    (decorate as (target: object, name: string) => void)(made.prototype, member);
  kind(made as never);
  return made;
}

const node = (members: Record<string, unknown>) =>
  entity('Part', Node({ label: 'parts' }) as never, { id: Id('integer'), ...members });
const paper = (members: Record<string, unknown>) =>
  entity('Paper', Document({ collection: 'papers' }) as never, { id: Id('integer'), ...members });

describe.each(databases)('TableSchema on $name', ({ open }) => {
  let database: TestDatabase;
  const opened: PostgresStores[] = [];

  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());
  const closeAll = async () => {
    for (const stores of opened.splice(0)) for (const store of Object.values(stores)) await store.close();
  };
  afterEach(closeAll);
  beforeEach(async () => {
    await database.ask('drop schema public cascade; create schema public');
    await database.ask('drop schema if exists other cascade');
  });

  async function storesFor(classes: EntityClass[], schema?: string): Promise<PostgresStores> {
    const domain = compileDomain(classes);
    const stores = postgres({ domain: database.domain, ...(schema === undefined ? {} : { schema }) });
    for (const [name, store] of Object.entries(stores))
      await store.open({ name, entities: domain.entities.filter((each) => each.store === name) });
    opened.push(stores);
    return stores;
  }

  it('makes all tables and then has nothing left to do', async () => {
    const reading = entity('Gauge', Measurement({ name: 'gauges' }) as never, {
      at: Timestamp(),
      name: Tag(),
      value: Field(),
    });
    const stores = await storesFor([
      node({ name: Property('string', { index: true, length: 30 }) }),
      paper({ tags: Property('string', { array: true, index: true }), at: Property('timestamp', { unique: true }) }),
      reading,
    ]);
    for (const { schema } of Object.values(stores)) {
      const plan = (await schema?.plan({})) ?? [];
      expect(plan).toMatchObject([{ kind: 'create', destructive: false }]);
      await schema?.apply(plan, {});
      expect(await schema?.plan({})).toEqual([]);
    }
  });

  it('adds columns and indexes, and only reports what is no longer declared', async () => {
    const before = await storesFor([node({ name: Property('string', { index: true }) })]);
    await before.graph.schema.apply(await before.graph.schema.plan({}), {});
    await database.ask(`insert into parts values (1, 'a')`);
    const after = await storesFor([
      node({ size: Property('integer', { nullable: true, index: true }), count: Property('integer', { default: 7 }) }),
    ]);
    const plan = await after.graph.schema.plan({});
    expect(plan.map(({ kind, summary, destructive }) => [kind, summary, destructive])).toEqual([
      ['alter', 'add column parts.size', false],
      ['alter', 'add column parts.count', false],
      ['drift', 'parts has the column name, which Part does not declare', false],
      ['alter', 'add index parts_size_idx to parts', false],
      ['drift', 'parts has the index parts_name_idx, which Part does not declare', false],
    ]);
    await after.graph.schema.apply(plan, {});
    expect((await after.graph.schema.plan({})).map(({ kind }) => kind)).toEqual(['drift', 'drift']);
    expect(await database.ask('select name, size, count from parts')).toEqual([['a', null, '7']]);
  });

  it('marks as destructive what may lose values or meet rows that refuse', async () => {
    const before = await storesFor([
      node({ size: Property('integer', { nullable: true }) }),
      paper({ title: Property('string') }),
    ]);
    for (const { schema } of Object.values(before)) await schema?.apply(await schema.plan({}), {});
    const changed = [
      node({ size: Property('string'), name: Property('string') }),
      paper({ title: Property('string', { unique: true }) }),
    ];
    const empty = await storesFor(changed);
    expect((await empty.document.schema.plan({})).map(({ destructive }) => destructive)).toEqual([false]);
    await database.ask(
      `insert into parts values (1, 5); insert into papers values (1, '{"title": "a"}'), (2, '{"title": "a"}')`,
    );
    const stores = await storesFor(changed);
    const plan = await stores.graph.schema.plan({});
    expect(plan.map(({ summary, destructive }) => [summary, destructive])).toEqual([
      ['change parts.size from integer to character varying', true],
      ['forbid nulls in parts.size', true],
      ['add column parts.name (rows exist and it has no default)', true],
    ]);
    await stores.graph.schema.apply(plan.slice(0, 2), {});
    expect(await database.ask('select size from parts')).toEqual([['5']]);
    expect(await stores.document.schema.plan({})).toMatchObject([{ kind: 'alter', destructive: true }]);
  });

  it('rebuilds an index whose definition changed', async () => {
    const first = await storesFor([paper({ size: Property('integer', { index: true }) })]);
    await first.document.schema.apply(await first.document.schema.plan({}), {});
    const second = await storesFor([paper({ size: Property('bigint', { index: true }) })]);
    const plan = await second.document.schema.plan({});
    expect(plan.map(({ summary }) => summary)).toEqual(['rebuild index papers_size_idx of papers']);
    await second.document.schema.apply(plan, {});
    expect(await second.document.schema.plan({})).toEqual([]);
    const [[definition = ''] = []] = await database.ask(
      `select indexdef from pg_indexes where indexname = 'papers_size_idx'`,
    );
    expect(definition).toContain('bigint');
  });

  it('refuses a table that belongs to something else', async () => {
    const asNode = await storesFor([node({})]);
    await asNode.graph.schema.apply(await asNode.graph.schema.plan({}), {});
    const rival = entity('Part', Document({ collection: 'parts' }) as never, { id: Id('integer') });
    await expect(storesFor([rival])).rejects.toThrow(
      /Part \(document\) and Part \(graph\) would both be kept in the table "parts"/,
    );
    await closeAll();
    const asDocument = await storesFor([rival]);
    await expect(asDocument.document.schema.plan({})).rejects.toThrow(SchemaError);
    await expect(asDocument.document.schema.plan({})).rejects.toThrow(/"parts", which is the table of graph Part/);
    await database.ask('create view papers as select 1 as id');
    const view = await storesFor([paper({})]);
    await expect(view.document.schema.plan({})).rejects.toThrow(/was not made for it/);
    await database.ask('drop view papers; create table papers (id integer primary key, name text)');
    await expect(view.document.schema.plan({})).rejects.toThrow(/was not made for it/);
  });

  it('keeps tables in a schema of their own, where one is named', async () => {
    const stores = await storesFor([node({}), paper({ title: Property('string') })], 'other');
    for (const { schema } of Object.values(stores)) {
      await schema?.apply((await schema.plan({})) ?? [], {});
      expect(await schema?.plan({})).toEqual([]);
    }
    expect(
      await database.ask(`select table_name from information_schema.tables where table_schema = 'other' order by 1`),
    ).toEqual([['papers'], ['parts']]);
  });

  it('is safe for two processes at once', async () => {
    const classes = [
      node({ name: Property('string', { index: true }) }),
      paper({ title: Property('string', { unique: true }) }),
    ];
    const all = await Promise.all(Array.from({ length: 4 }, () => storesFor(classes)));
    await Promise.all(
      all.flatMap((stores) =>
        Object.values(stores).map(async ({ schema }) => schema?.apply(await schema.plan({}), {})),
      ),
    );
    for (const { schema } of Object.values(all[0] as PostgresStores)) expect(await schema?.plan({})).toEqual([]);
  });

  it('joins the transaction that it is given, and leaves nothing when that is rolled back', async () => {
    const { graph } = await storesFor([node({})]);
    const transaction = await database.domain.begin({});
    await graph.schema.apply(await graph.schema.plan({ transaction }), { transaction });
    expect(await graph.schema.plan({ transaction })).toEqual([]);
    await transaction.rollback();
    expect(await graph.schema.plan({})).toHaveLength(1);
  });
});
