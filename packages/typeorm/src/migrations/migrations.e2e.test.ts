/** Migrations from the difference between entities and database: made, run, reverted, by one and by several at once. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConfigurationError,
  type EntityClass,
  Id,
  Index,
  ManyToOne,
  Property,
  type Ref,
  Relational,
  SchemaError,
  Storeweave,
  Version,
} from '@storeweave/core';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databases, openStore, type TestDatabase } from '../databases.fixture.js';
import { typeorm } from '../typeorm.js';
import type { TypeormStore } from '../typeorm-store.js';
import { type GenerateOptions, migrations } from './migrations.js';

type MigrationClass = new () => MigrationInterface;

/** Two states of one model. */
function first(): EntityClass[] {
  @Relational({ table: 'people' })
  class Person {
    @Id() id!: string;
    @Property('string', { length: 20 }) name!: string;
    @Property('enum', { values: ['a', 'b'] }) role!: 'a' | 'b';
    @Property('string', { nullable: true }) gone?: string | null;
    @Version() version!: number;
  }
  return [Person];
}

function second(): EntityClass[] {
  @Relational({ table: 'people' })
  @Index(['name', 'role'])
  class Person {
    @Id() id!: string;
    @Property('string', { length: 60 }) name!: string;
    @Property('enum', { values: ['a', 'b', 'c`$' + '{x}\\'] }) role!: 'a' | 'b';
    @Property('string', { nullable: true }) phone?: string | null;
    @Version() version!: number;
  }
  @Relational({ table: 'pets' })
  class Pet {
    @Id('integer', { generated: 'sequence' }) id!: number;
    @ManyToOne(() => Person, { onDelete: 'cascade' }) owner!: Ref<Person>;
  }
  return [Person, Pet];
}

describe.each(databases)('on $name', ({ name: product, open }) => {
  let database: TestDatabase;
  let directory: string;
  const stores: TypeormStore[] = [];

  beforeAll(async () => {
    database = await open();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'migrations-'));
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await database.reset();
    await rm(directory, { recursive: true });
  });
  afterAll(() => database?.close());

  async function opened(classes: EntityClass[], more: object = {}): Promise<TypeormStore> {
    const { store } = await openStore({ ...database.options(), ...more }, classes);
    stores.push(store);
    return store;
  }

  /** The classes in the folder, oldest first. */
  async function written(): Promise<MigrationClass[]> {
    const files = (await readdir(directory)).sort();
    const modules = await Promise.all(files.map((file) => import(/* @vite-ignore */ join(directory, file))));
    return modules.flatMap((each: Record<string, MigrationClass>) => Object.values(each));
  }

  async function generate(store: TypeormStore, options: Partial<GenerateOptions> = {}) {
    return migrations(store, { migrations: await written() }).generate({ name: 'a step', directory, ...options });
  }

  const tables = async (store: TypeormStore) =>
    (
      await store.relational.sql(
        `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
        [],
        {},
      )
    ).map(({ name }) => name);

  it('goes from nothing to the entities and back', async () => {
    const store = await opened(first());
    const [made, ...more] = await generate(store, { name: 'create people' });
    expect(more).toStrictEqual([]);
    expect(made?.name).toMatch(/^CreatePeople\d{13}$/);
    const text = await readFile(made?.path ?? '', 'utf8');
    expect(text).toMatch(
      /^import type \{ MigrationInterface, QueryRunner \} from 'typeorm';\n\nexport class CreatePeople/,
    );
    const steps = migrations(store, { migrations: await written() });
    expect(await steps.pending()).toStrictEqual([made?.name]);
    expect(await steps.executed()).toStrictEqual([]);
    expect(await steps.run()).toStrictEqual([made?.name]);
    expect(await steps.pending()).toStrictEqual([]);
    expect(await steps.executed()).toStrictEqual([made?.name]);
    expect(await store.schema.plan({})).toStrictEqual([]);
    expect(await generate(store)).toStrictEqual([]);
    expect(await steps.run()).toStrictEqual([]);
    expect(await tables(store)).toStrictEqual(['migrations', 'people']);
    expect(await steps.revert()).toBe(made?.name);
    expect(await tables(store)).toStrictEqual(['migrations']);
    expect(await steps.revert()).toBeUndefined();
    expect(await store.relational.sql(`select 1 from pg_type where typname = 'people_role_enum'`, [], {})).toEqual([]);
  });

  it('adds a property, an index, a value and a relation, and takes them back', async () => {
    const one = await opened(first());
    await generate(one);
    await migrations(one, { migrations: await written() }).run();
    await one.relational.sql(
      `insert into people values ('018f3c5e-0000-7000-8000-000000000001', 'Ada', 'a', 'kept', 1)`,
      [],
      {},
    );
    await one.close();

    const two = await opened(second());
    await expect(generate(two)).rejects.toThrow(SchemaError);
    await expect(generate(two)).rejects.toThrow(
      /drop column gone of people[\s\S]*DROP COLUMN "gone"[\s\S]*destructive: 'include'/,
    );
    expect(await readdir(directory)).toHaveLength(1);

    const made = await generate(two, { name: 'grow', destructive: 'omit' });
    expect(made.map(({ name }) => name.replace(/\d+$/, ''))).toStrictEqual(['GrowValues', 'Grow']);
    const all = await written();
    expect(await migrations(two, { migrations: all }).run()).toStrictEqual(made.map(({ name }) => name));
    expect((await two.schema.plan({})).map((change) => change.summary)).toStrictEqual([
      'drop column gone of people, which Person does not have',
    ]);

    const [dropping] = await generate(two, { name: 'drop gone', destructive: 'include' });
    const text = await readFile(dropping?.path ?? '', 'utf8');
    expect(text).toMatch(/\/\/ DESTRUCTIVE: drop column gone of people.*\n.*DROP COLUMN "gone"/);
    expect(text).toMatch(/\/\/ Values that were lost do not come back: .*\n.*ADD COLUMN "gone" character varying`/);
    const steps = migrations(two, { migrations: await written() });
    await steps.run();
    expect(await two.schema.plan({})).toStrictEqual([]);

    expect(await steps.revert()).toBe(dropping?.name);
    expect(await two.relational.sql('select name, gone from people', [], {})).toStrictEqual([
      { name: 'Ada', gone: null },
    ]);
    expect(await steps.revert()).toMatch(/^Grow\d/);
    expect(await tables(two)).toStrictEqual(['migrations', 'people']);
    expect(await steps.revert()).toMatch(/^GrowValues/);
    await two.close();
    const back = await opened(first());
    expect((await back.schema.plan({})).filter((change) => change.kind !== 'drift')).toStrictEqual([]);
  });

  it('keeps nothing of a step that fails, and what was done before it', async () => {
    class Good1700000000001 implements MigrationInterface {
      name = 'Good1700000000001';
      async up(runner: QueryRunner): Promise<void> {
        await runner.query('create table good (id int)');
      }
      async down(runner: QueryRunner): Promise<void> {
        await runner.query('drop table absent');
      }
    }
    class Bad1700000000002 implements MigrationInterface {
      async up(runner: QueryRunner): Promise<void> {
        await runner.query('create table half (id int)');
        await runner.query('select nonsense');
      }
      async down(): Promise<void> {}
    }
    class Swallows1700000000002 extends Bad1700000000002 {
      override async up(runner: QueryRunner): Promise<void> {
        await super.up(runner).catch(() => undefined);
      }
    }
    class Commits1700000000002 extends Bad1700000000002 {
      override async up(runner: QueryRunner): Promise<void> {
        await runner.query('create table half (id int)');
        await runner.query('commit');
      }
    }
    const store = await opened([]);
    for (const bad of [Bad1700000000002, Swallows1700000000002, Commits1700000000002]) {
      const steps = migrations(store, { migrations: [bad, Good1700000000001] });
      const failing = steps.run();
      await expect(failing).rejects.toThrow(SchemaError);
      await expect(failing).rejects.toThrow(new RegExp(`${bad.name} failed: .* Nothing of it was kept`));
      expect(await tables(store)).toStrictEqual(['good', 'migrations']);
      expect(await steps.pending()).toStrictEqual([bad.name]);
      await expect(steps.generate({ name: 'x', directory })).rejects.toThrow(/did not run yet/);
      await expect(steps.revert()).rejects.toThrow(/Good1700000000001 could not be reverted: .*absent.*Nothing/);
      expect(await steps.executed()).toStrictEqual(['Good1700000000001']);
    }
    await expect(migrations(store, { migrations: [] }).revert()).rejects.toThrow(/not among the migrations/);
  });

  it('runs one that says so outside a transaction', async () => {
    class Concurrently1700000000003 implements MigrationInterface {
      transaction = false;
      async up(runner: QueryRunner): Promise<void> {
        await runner.query('create table wide (id int)');
        if (product === 'PostgreSQL') await runner.query('create index concurrently wide_id on wide (id)');
      }
      async down(runner: QueryRunner): Promise<void> {
        await runner.query('drop table wide');
        throw new Error('too late');
      }
    }
    const store = await opened([]);
    const steps = migrations(store, { migrations: [Concurrently1700000000003] });
    expect(await steps.run()).toStrictEqual(['Concurrently1700000000003']);
    await expect(steps.revert()).rejects.toThrow(/outside a transaction, so a part of it may be done/);
    expect(await tables(store)).toStrictEqual(['migrations']);
  });

  if (product === 'PostgreSQL')
    it('is run once where several run at once, and is TypeORM’s own', async () => {
      const one = await opened(second());
      await generate(one, { format: 'esm' });
      const all = await written();
      const others = await Promise.all([1, 2, 3].map(() => opened(second())));
      const ran = await Promise.all(others.map((store) => migrations(store, { migrations: all }).run()));
      expect(ran.flat()).toHaveLength(1);
      expect(await one.schema.plan({})).toStrictEqual([]);
      const { url } = database.options();
      const plain = new DataSource({ type: 'postgres', url, migrations: all, installExtensions: false });
      await plain.initialize();
      try {
        expect(await plain.showMigrations()).toBe(false);
        await plain.undoLastMigration();
        expect(await tables(one)).toStrictEqual(['migrations']);
        expect(await plain.runMigrations()).toHaveLength(1);
        expect(await one.schema.plan({})).toStrictEqual([]);
      } finally {
        await plain.destroy();
      }
    });

  it('finds its files by a glob', async () => {
    const one = await opened(first());
    await generate(one, { format: 'cjs' });
    await one.close();
    const two = await opened(first(), { migrations: [join(directory, '*.js')], migrationsTableName: 'steps' });
    expect(await migrations(two).run()).toHaveLength(1);
    expect(await tables(two)).toStrictEqual(['people', 'steps']);
  });

  it('is as the readme says', async () => {
    const { url, extra, poolSize } = database.options();
    const entities = first();
    // #region migrations
    const relational = typeorm({ url, extra, poolSize, migrations: [join(directory, '*.js')] });
    const weave = await Storeweave.open({ entities, stores: { relational }, schema: 'ignore' });
    const steps = migrations(relational);
    const [made] = await steps.generate({ name: 'CreatePeople', directory, format: 'cjs' }); // writes a file, runs nothing
    // #endregion migrations
    expect(made?.name).toMatch(/^CreatePeople\d{13}$/);
    await weave.close();
    const again = typeorm({ url, extra, poolSize, migrations: [join(directory, '*.js')] });
    await using later = await Storeweave.open({ entities, stores: { relational: again }, schema: 'ignore' });
    expect(await migrations(again).pending()).toStrictEqual([made?.name]);
    await migrations(again).run();
    expect((await later.schema.plan()).isEmpty).toBe(true);
  });

  it('refuses names that are none, and stores that are not open', async () => {
    const store = await opened(first());
    await expect(generate(store, { name: '../1' })).rejects.toThrow(ConfigurationError);
    expect(await readdir(directory)).toStrictEqual([]);
    await store.close();
    expect(() => migrations(store)).toThrow(/not open/);
  });
});
