/** What a real PostgreSQL reports through TypeORM's connections, as errors of Storeweave, and that work goes on after it. */
import { type EntityModel, Id, ManyToOne, Property, type Ref, Relational, type Transaction } from '@storeweave/core';
import { sharedPostgres } from '@storeweave/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from './databases.fixture.js';
import type { TypeormStore } from './typeorm-store.js';

@Relational({ table: 'accounts' })
class Account {
  @Id('integer') id!: number;
  @Property('string', { length: 10, unique: true, column: 'holder' }) owner!: string;
  @Property('integer') balance!: number;
  @ManyToOne(() => Account, { nullable: true }) parent!: Ref<Account>;
}

describe('errors of the server', () => {
  let store: TypeormStore;
  let account: EntityModel;
  const sql = (text: string, access = {}) => store.relational.sql(text, [], access);
  const row = (id: number, more: Record<string, unknown> = {}) =>
    account.fields.map((field) => ({ id, owner: `o${id}`, balance: 0, parent: null, ...more })[field.name]);
  const insert = (rows: unknown[][], access = {}) =>
    store.write({ op: 'insert', entity: account, fields: account.fields, rows }, access);
  const change = (id: number, access: object) =>
    sql(`update accounts set balance = balance + 1 where id = ${id}`, access);

  async function inTransaction<R>(work: (transaction: Transaction) => Promise<R>, options = {}): Promise<R> {
    const transaction = await store.domain.begin({ label: 'test', ...options });
    try {
      return await work(transaction);
    } finally {
      await transaction.rollback();
    }
  }

  beforeAll(async () => {
    const url = await (await sharedPostgres()).database('errors');
    const opened = await openStore({ url, poolSize: 4 }, [Account]);
    store = opened.store;
    account = opened.entity('Account');
    await store.schema.apply(await store.schema.plan({}), {});
    await sql('alter table accounts add check (balance > -100)');
    await insert([row(1), row(2)]);
  });
  afterAll(() => store?.close());

  it.each([
    ['UNIQUE_VIOLATION', { owner: 'o1' }, 'owner', 'accounts_holder_key'],
    ['CHECK_VIOLATION', { balance: -100 }, 'balance', 'accounts_balance_check'],
    ['FOREIGN_KEY_VIOLATION', { parent: 99 }, 'parent', 'accounts_parent_id_fkey'],
    ['NOT_NULL_VIOLATION', { balance: null }, 'balance', undefined],
  ])('%s names entity, property and constraint', async (code, more, property, constraint) => {
    const failing = insert([row(3, more)]);
    await expect(failing).rejects.toMatchObject({ code, entity: 'Account', property, constraint, store: 'relational' });
    await expect(failing).rejects.toHaveProperty('cause.code', expect.stringMatching(/^23/));
  });

  it('a read-only transaction', async () => {
    const failing = inTransaction((transaction) => insert([row(3)], { transaction }), { readOnly: true });
    await expect(failing).rejects.toMatchObject({ code: 'READ_ONLY', isRetryable: false });
  });

  it('a statement that takes too long, and a lock that is not to be had', async () => {
    const slow = inTransaction(async (transaction) => {
      await sql(`set local statement_timeout = 50`, { transaction });
      return sql('select pg_sleep(5)', { transaction });
    });
    await expect(slow).rejects.toMatchObject({ code: 'TIMEOUT', cause: { code: '57014' } });
    await inTransaction(async (holder) => {
      await change(1, { transaction: holder });
      const waiting = inTransaction(async (transaction) => {
        await sql(`set local lock_timeout = 50`, { transaction });
        return change(1, { transaction });
      });
      await expect(waiting).rejects.toMatchObject({ code: 'TIMEOUT', cause: { code: '55P03' } });
    });
  });

  it('a deadlock, and a serialization failure', async () => {
    const both = await inTransaction((one) =>
      inTransaction(async (two) => {
        await change(1, { transaction: one });
        await change(2, { transaction: two });
        return Promise.allSettled([change(2, { transaction: one }), change(1, { transaction: two })]);
      }),
    );
    const failed = both.filter((each) => each.status === 'rejected');
    expect(failed).toHaveLength(1);
    expect(failed[0]?.reason).toMatchObject({ code: 'DEADLOCK', isRetryable: true });
    const skewed = inTransaction(
      async (one) => {
        await sql('select * from accounts', { transaction: one });
        await change(1, {});
        await change(1, { transaction: one });
      },
      { isolation: 'repeatable read' },
    );
    await expect(skewed).rejects.toMatchObject({ code: 'SERIALIZATION_FAILURE', isRetryable: true });
  });

  it.each([
    ['53100', 'DISK_FULL'],
    ['53300', 'CONNECTION_FAILED'],
    ['08006', 'CONNECTION_FAILED'],
    ['57P03', 'CONNECTION_FAILED'],
    ['42501', 'STORE_FAILED'],
  ])('%s, as if the server had said it, is %s', async (state, code) => {
    await sql(`create or replace function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'no' using errcode = '${state}'; end $$`);
    await sql('create or replace trigger refuse before insert on accounts execute function refuse()');
    try {
      await expect(insert([row(3)])).rejects.toMatchObject({ code, cause: { code: state } });
    } finally {
      await sql('drop trigger refuse on accounts');
    }
  });

  it('a connection that the server ends, and the next one works', async () => {
    const failing = inTransaction(async (transaction) => {
      const [session] = await sql('select pg_backend_pid() as pid', { transaction });
      await sql(`select pg_terminate_backend(${String(session?.pid)})`);
      return change(1, { transaction });
    });
    await expect(failing).rejects.toMatchObject({ code: 'CONNECTION_FAILED', isRetryable: true });
    expect(await sql('select count(*)::int as n from accounts')).toStrictEqual([{ n: 2 }]);
  });
});
