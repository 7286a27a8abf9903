/** The user's own TypeORM beside ours: in the same transaction, in turn with our statements, and through one gate. */
import { EventEmitter } from 'node:events';
import { Id, InvalidStateError, Property, Relational, StoreBusyError } from '@storeweave/core';
import { DataSource, type EntityManager, EntitySchema } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { databases, fields, openStore, type TestDatabase } from './databases.fixture.js';
import type { AcquireHook } from './options.js';
import { typeorm } from './typeorm.js';
import type { TypeormStore } from './typeorm-store.js';

@Relational({ table: 'notes' })
class Note {
  @Id('integer') id!: number;
  @Property('string', { unique: true }) text!: string;
}

describe.each(databases)('on $name', ({ name, open }) => {
  let database: TestDatabase;
  const stores: TypeormStore[] = [];

  beforeAll(async () => {
    database = await open();
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await database.reset();
  });
  afterAll(() => database?.close());

  async function notes(options = database.options()) {
    const { store, entity } = await openStore(options, [Note]);
    stores.push(store);
    await store.schema.apply(await store.schema.plan({}), {});
    const note = entity('Note');
    const add = (id: number, text: string, access = {}) =>
      store.write({ op: 'insert', entity: note, fields: note.fields, rows: [[id, text]] }, access);
    return { store, note, add, count: (access = {}) => store.count(note, undefined, access) };
  }

  it('hands out the DataSource outside a transaction', async () => {
    const { store, add } = await notes();
    await add(1, 'one');
    const native = store.native({}) as DataSource;
    expect(native).toBe(store.dataSource);
    const found = await native.getRepository(Note).find();
    expect(found).toStrictEqual([Object.assign(new Note(), { id: 1, text: 'one' })]);
  });

  it('hears of a client that is lost before anybody has it', async () => {
    const { store, count } = await notes();
    const { master: pool } = store.dataSource.driver as unknown as { master: EventEmitter };
    // The driver has it on loan to nobody yet, and an event that nobody hears would end the process.
    const client = new EventEmitter();
    pool.emit('connect', client);
    expect(() => client.emit('error', new Error('terminating connection'))).not.toThrow();
    expect(await count()).toBe(0);
  });

  it('hands out an EntityManager that sees, and shares the fate of, what the transaction does', async () => {
    const { store, add, count } = await notes();
    const transaction = await store.domain.begin({ label: 'test' });
    await add(1, 'one', { transaction });
    const manager = store.native({ transaction }) as EntityManager;
    expect(store.native({ transaction })).toBe(manager);
    await manager.query(`insert into notes values (2, 'two')`);
    await manager.insert(Note, { id: 3, text: 'three' });
    expect(await manager.count(Note)).toBe(3);
    // Its own transactions are savepoints of ours.
    await expect(
      manager.transaction(async (inner) => {
        await inner.query('delete from notes');
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await manager.transaction((inner) => inner.query(`update notes set text = 'zwei' where id = 2`));
    expect(await count({ transaction })).toBe(3);
    // In turn, not at once, whoever asks.
    await Promise.all([
      manager.query('select pg_sleep(0.01)'),
      count({ transaction }),
      manager.count(Note),
      add(4, 'four', { transaction }),
    ]);
    await transaction.rollback();
    expect(await count()).toBe(0);
  });

  it('does not let it end our transaction', async () => {
    const { store, add, count } = await notes();
    const transaction = await store.domain.begin({ label: 'test' });
    const manager = store.native({ transaction }) as EntityManager;
    for (const text of ['commit', ' ROLLBACK', 'end;', 'abort', 'rollback work']) {
      await expect(manager.query(text)).rejects.toThrow(/commits or rolls back by itself/);
    }
    await expect(manager.queryRunner?.commitTransaction()).rejects.toThrow(/commits or rolls back by itself/);
    await add(1, 'one', { transaction });
    await transaction.commit();
    expect(await count()).toBe(1);
  });

  it('closes without waiting for a transaction that nobody ends', async () => {
    const { store, add, count } = await notes();
    const transaction = await store.domain.begin({ label: 'forgotten' });
    await add(1, 'one', { transaction });
    await store.close();
    await expect(count({ transaction })).rejects.toThrow(InvalidStateError);
    await transaction.rollback();
  });

  it('names the property of a constraint that it made', async () => {
    const { add } = await notes();
    await add(1, 'same');
    await expect(add(2, 'same')).rejects.toMatchObject({ entity: 'Note', property: 'text', store: 'relational' });
  });

  it('uses a DataSource of the application, and leaves it and its tables as they were', async () => {
    const { url, extra, poolSize } = database.options();
    const mine = new EntitySchema({
      name: 'Mine',
      tableName: 'mine',
      columns: { id: { type: 'integer', primary: true } },
    });
    const dataSource = new DataSource({
      type: 'postgres',
      url,
      extra,
      poolSize,
      entities: [mine],
      installExtensions: false,
      uuidExtension: 'pgcrypto',
    });
    await dataSource.initialize();
    await dataSource.query('create table mine (id integer primary key, extra text)');
    const { store, add, count } = await notes({ dataSource });
    await add(1, 'one');
    expect(await count()).toBe(1);
    expect(await dataSource.getRepository(mine).count()).toBe(0);
    expect(await dataSource.getRepository(Note).count()).toBe(1);
    await store.close();
    expect(dataSource.isInitialized).toBe(true);
    expect(await dataSource.query('select extra from mine')).toStrictEqual([]);
    await dataSource.destroy();
  });

  it('asks the gate before every connection, and tells it when each is given back', async () => {
    const log: string[] = [];
    let held = 0;
    const acquire: AcquireHook = async ({ purpose, label }) => {
      if (held > 0 && name === 'PGlite') throw new StoreBusyError(`held while ${label} asked`);
      held++;
      log.push(`${purpose}: ${label}`);
      return { release: () => held-- };
    };
    const { store, note, count } = await notes({ ...database.options(), acquire });
    expect(held).toBe(0);
    log.length = 0;
    await count({ label: 'a count' });
    await (store.native({}) as DataSource).query('select 1');
    const transaction = await store.domain.begin({ label: 'a unit of work' });
    await store.read({ entity: note, fields: fields(note, 'id') }, { transaction });
    await (store.native({ transaction }) as EntityManager).query('select 1');
    expect(held).toBe(1);
    if (name === 'PGlite') {
      await expect(store.dataSource.query('select 1')).rejects.toThrow('held while a query on the DataSource asked');
    }
    await transaction.commit();
    expect(held).toBe(0);
    expect(log.slice(0, 3)).toStrictEqual([
      'statement: a count',
      'native: a query on the DataSource',
      'transaction: a unit of work',
    ]);
    for await (const _ of store.stream({ entity: note, fields: note.fields }, { batchSize: 1 })) break;
    expect(held).toBe(0);
  });
});

it('refuses a DataSource of another kind of database', () => {
  const dataSource = { options: { type: 'mssql' } } as unknown as DataSource;
  expect(() => typeorm({ dataSource })).toThrow(/"postgres", "mariadb", .*this one is of type "mssql"/);
});
