/** Transactions end as they say, whatever happens to statements, connections and callers in between. */
import {
  AbortedError,
  CommitUnknownError,
  ConnectionError,
  DeadlockError,
  InvalidStateError,
  InvalidValueError,
  ReadOnlyError,
  SerializationError,
  StoreBusyError,
  TimeoutError,
  type Transaction,
  UniqueViolationError,
} from '@storeweave/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { databases, type TestDatabase } from './databases.fixture.js';
import type { PgDomain } from './pg-domain.js';
import { RawSql } from './raw-sql.js';

const run = async (domain: PgDomain, text: string, transaction?: Transaction, more: object = {}) =>
  new RawSql(domain).sql(text, [], { transaction, ...more });

describe.each(databases)('on $name', ({ open, name }) => {
  const hasServer = name === 'PostgreSQL';
  let database: TestDatabase;
  let domain: PgDomain;

  beforeAll(async () => {
    database = await open();
    const setup = database.domain();
    await setup.open();
    await run(setup, 'create table account (id int primary key, amount int)');
    await setup.close();
  });
  beforeEach(async () => {
    domain = database.domain(3);
    await domain.open();
    await run(domain, 'delete from account');
    await run(domain, 'insert into account values (1, 10), (2, 20)');
  });
  afterEach(() => domain.close());
  afterAll(() => database?.close());

  const amounts = async () => (await run(domain, 'select amount from account order by id')).map((row) => row.amount);

  it('commits and rolls back', async () => {
    const first = await domain.begin({});
    await run(domain, 'update account set amount = 11 where id = 1', first);
    await first.commit();
    const second = await domain.begin({});
    await run(domain, 'update account set amount = 99', second);
    await second.rollback();
    await second.rollback();
    expect(await amounts()).toStrictEqual([11, 20]);
    await expect(run(domain, 'select 1', first)).rejects.toThrow(InvalidStateError);
    await expect(first.commit()).rejects.toThrow(InvalidStateError);
  });

  it('does not take the ROLLBACK that COMMIT answered for a commit', async () => {
    const transaction = await domain.begin({});
    await run(domain, 'update account set amount = 0', transaction);
    await expect(run(domain, 'insert into account values (1, 1)', transaction)).rejects.toThrow(UniqueViolationError);
    await expect(run(domain, 'select 1', transaction)).rejects.toThrow(InvalidStateError);
    await expect(transaction.commit()).rejects.toThrow(UniqueViolationError);
    expect(await amounts()).toStrictEqual([10, 20]);
  });

  it('goes on after a rollback to a savepoint', async () => {
    const transaction = await domain.begin({});
    await run(domain, 'update account set amount = 11 where id = 1', transaction);
    await transaction.savepoint?.('one');
    await expect(run(domain, 'select 1 / 0', transaction)).rejects.toThrow(InvalidValueError);
    await transaction.rollbackTo?.('one');
    await transaction.release?.('one');
    await run(domain, 'update account set amount = 21 where id = 2', transaction);
    await transaction.commit();
    expect(await amounts()).toStrictEqual([11, 21]);
  });

  it('serves several callers of one transaction in turn', async () => {
    const transaction = await domain.begin({});
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => run(domain, `select ${n} as n`, transaction)),
    );
    expect(results.map(([row]) => row?.n)).toStrictEqual(Array.from({ length: 20 }, (_, n) => n));
    await transaction.commit();
  });

  it('is read-only and isolated as asked', async () => {
    const reading = await domain.begin({ readOnly: true, isolation: 'repeatable read' });
    const [row] = await run(domain, `select current_setting('transaction_isolation') as level`, reading);
    expect(row?.level).toBe('repeatable read');
    await expect(run(domain, 'delete from account', reading)).rejects.toThrow(ReadOnlyError);
    await reading.rollback();
  });

  it('ends a transaction whose time is over', async () => {
    const transaction = await domain.begin({ timeoutMs: 80 });
    await run(domain, 'update account set amount = 0', transaction);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await expect(run(domain, 'select 1', transaction)).rejects.toThrow(TimeoutError);
    await expect(transaction.commit()).rejects.toThrow(TimeoutError);
    await transaction.rollback();
    expect(await amounts()).toStrictEqual([10, 20]);
  });

  it('ends a transaction whose signal fires', async () => {
    const abort = new AbortController();
    const transaction = await domain.begin({ signal: abort.signal });
    await run(domain, 'update account set amount = 0', transaction);
    abort.abort(new Error('enough'));
    await expect(run(domain, 'select 1', transaction)).rejects.toThrow(AbortedError);
    await expect(transaction.commit()).rejects.toThrow(AbortedError);
    expect(await amounts()).toStrictEqual([10, 20]);
    await expect(domain.begin({ signal: abort.signal })).rejects.toThrow(AbortedError);
    await expect(run(domain, 'select 1', undefined, { signal: abort.signal })).rejects.toThrow(AbortedError);
  });

  it('says who holds the connections when none is left', async () => {
    const held = await Promise.all(
      Array.from({ length: hasServer ? 3 : 1 }, (_, n) => domain.begin({ label: `import ${n}` })),
    );
    const waiting = domain.begin({ label: 'late', acquireTimeoutMs: 60 });
    await expect(waiting).rejects.toThrow(StoreBusyError);
    await expect(waiting).rejects.toThrow(/"late" within 60 ms.*"import 0" for \d+ ms/);
    for (const each of held) await each.rollback();
    // The connection that came too late went back.
    for (let n = 0; n < 5; n++) await run(domain, 'select 1');
    await Promise.all(held.map(() => domain.begin({ acquireTimeoutMs: 1000 }).then((each) => each.rollback())));
  });

  it('refuses a transaction of another domain', async () => {
    const other = database.domain(1, { name: 'other' });
    const transaction = { domain: other } as unknown as Transaction;
    await expect(run(domain, 'select 1', transaction)).rejects.toThrow(
      /domain "other" was given to a store of domain "postgres"/,
    );
  });

  it('prepares hot statements, and prepares them anew after a change of the schema', async () => {
    const hot = { text: 'select * from account where id = $1::int', values: ['1'], prepare: true };
    const read = () => domain.use({}, (session) => session.query(hot));
    for (let n = 0; n < 5; n++) expect((await read()).rows).toStrictEqual([['1', '10']]);
    await run(domain, 'alter table account add extra text');
    expect((await read()).rows).toStrictEqual([['1', '10', null]]);
    for (let n = 0; n < 5; n++) await read();
    await run(domain, 'alter table account drop extra');
    const transaction = await domain.begin({});
    const inside = domain.use({ transaction }, (session) => session.query(hot));
    await expect(inside).rejects.toThrow(SerializationError);
    await expect(inside).rejects.toMatchObject({ isRetryable: true });
    await transaction.rollback();
    expect((await read()).rows).toStrictEqual([['1', '10']]);
    for (let n = 0; n < 5; n++) await read();
    await run(domain, 'alter table account add extra text');
    domain.forgetStatements();
    const next = await domain.begin({});
    expect((await domain.use({ transaction: next }, (session) => session.query(hot))).rows).toStrictEqual([
      ['1', '10', null],
    ]);
    await next.commit();
    await run(domain, 'alter table account drop extra');
  });

  it('opens once for all of its users, and closes after the last', async () => {
    await domain.open();
    await domain.close();
    expect(await amounts()).toStrictEqual([10, 20]);
  });

  if (!hasServer) return;
  describe('with a server', () => {
    it('stops a statement that its caller no longer waits for', async () => {
      const began = Date.now();
      await expect(run(domain, 'select pg_sleep(20)', undefined, { timeoutMs: 50 })).rejects.toThrow(TimeoutError);
      await expect(run(domain, 'select pg_sleep(20)', undefined, { signal: AbortSignal.timeout(50) })).rejects.toThrow(
        AbortedError,
      );
      const transaction = await domain.begin({ timeoutMs: 100 });
      await expect(run(domain, 'select pg_sleep(20)', transaction)).rejects.toThrow(TimeoutError);
      await transaction.rollback();
      await vi.waitFor(async () => {
        const [row] = await run(
          domain,
          `select count(*) as n from pg_stat_activity where query like '%pg_sleep(20)%' and state = 'active' and pid <> pg_backend_pid()`,
        );
        expect(row?.n).toBe(0);
      });
      expect(Date.now() - began).toBeLessThan(10_000);
    });

    it('does not wait for ever for a server that does not stop', async () => {
      const transaction = await domain.begin({});
      const limited = run(domain, 'select pg_sleep(0.3)', transaction, { timeoutMs: 30 });
      await expect(limited).rejects.toThrow(TimeoutError);
      // The statement was cancelled, so the transaction can only be rolled back.
      await expect(run(domain, 'select 1', transaction)).rejects.toThrow(InvalidStateError);
      await transaction.rollback();
    });

    it('tells a lost connection before COMMIT from one during COMMIT', async () => {
      const kill = async (transaction: Transaction) => {
        const [row] = await run(domain, 'select pg_backend_pid() as pid', transaction);
        await run(domain, `select pg_terminate_backend(${row?.pid})`);
      };
      const idle = await domain.begin({});
      await kill(idle);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await expect(idle.commit()).rejects.toThrow(ConnectionError);

      const committing = await domain.begin({});
      await run(
        domain,
        'create table if not exists slow (id int primary key deferrable initially deferred)',
        committing,
      );
      await run(
        domain,
        `create or replace function slowly() returns trigger language plpgsql as 'begin perform pg_sleep(5); return null; end'`,
        committing,
      );
      await run(
        domain,
        'create constraint trigger slow after insert on slow deferrable initially deferred for each row execute function slowly()',
        committing,
      );
      await run(domain, 'insert into slow values (1)', committing);
      const [row] = await run(domain, 'select pg_backend_pid() as pid', committing);
      const commit = committing.commit();
      setTimeout(() => void run(domain, `select pg_terminate_backend(${row?.pid})`), 100);
      await expect(commit).rejects.toThrow(CommitUnknownError);
      // Broken connections are not used again.
      for (let n = 0; n < 6; n++) expect(await amounts()).toStrictEqual([10, 20]);
    });

    it('names failures of concurrency as what they are', async () => {
      const [a, b] = await Promise.all([
        domain.begin({ isolation: 'serializable' }),
        domain.begin({ isolation: 'serializable' }),
      ]);
      await run(domain, 'select sum(amount) from account', a);
      await run(domain, 'select sum(amount) from account', b);
      await run(domain, 'update account set amount = 0 where id = 1', a);
      await run(domain, 'update account set amount = 0 where id = 2', b);
      await a.commit();
      await expect(b.commit()).rejects.toThrow(SerializationError);

      const [c, d] = await Promise.all([domain.begin({}), domain.begin({})]);
      await run(domain, 'update account set amount = 1 where id = 1', c);
      await run(domain, 'update account set amount = 1 where id = 2', d);
      const both = await Promise.allSettled([
        run(domain, 'update account set amount = 2 where id = 2', c),
        run(domain, 'update account set amount = 2 where id = 1', d),
      ]);
      const failed = both.filter((each) => each.status === 'rejected');
      expect(failed).toHaveLength(1);
      expect(failed[0]?.reason).toBeInstanceOf(DeadlockError);
      await Promise.all([c.rollback(), d.rollback()]);

      const [e, f] = await Promise.all([domain.begin({}), domain.begin({})]);
      await run(domain, 'select * from account for update', e);
      await expect(run(domain, 'select * from account for update nowait', f)).rejects.toThrow(TimeoutError);
      await Promise.all([e.rollback(), f.rollback()]);
    });

    it('says that nobody listens', async () => {
      const { poolConnections } = await import('./pg-pool.js');
      const pg = (await import('pg')).default;
      const { PgDomain: Domain } = await import('./pg-domain.js');
      const lost = new Domain(poolConnections(() => new pg.Pool({ host: '127.0.0.1', port: 1 }) as never));
      await expect(lost.open()).rejects.toThrow(ConnectionError);
    });
  });
});
