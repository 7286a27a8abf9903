import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { CommitUnknownError, ConnectionError, runInScope, StoreBusyError } from '@storeweave/core';
import type { ConnectionDomain } from '@storeweave/sql';
import type { TypeormStore } from '@storeweave/typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanUp, newFolder } from './database.fixture.js';
import { type PGliteOptions, relationalOnPGlite } from './relational-on-pglite.js';

const open = async (options: PGliteOptions = {}) => {
  const relational = relationalOnPGlite(options);
  await relational.open({ name: 'relational', entities: [] });
  stores.push(relational);
  return { store: relational, domain: relational.domain, dataSource: relational.dataSource };
};
const stores: TypeormStore[] = [];
const ask = async (domain: ConnectionDomain, text: string) => {
  const { rows } = await domain.use({}, (session) => session.query({ text, values: [] }));
  return rows;
};
/** Comes often enough to be prepared under a name. */
const prepared = async (domain: ConnectionDomain) => {
  for (let n = 0; n < 5; n++) {
    const statement = { text: 'select $1::int + 1', values: [String(n)], prepare: true };
    expect((await domain.use({}, (session) => session.query(statement))).rows).toEqual([[String(n + 1)]]);
  }
};

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

describe('the one session of an embedded database', () => {
  it('serves statements, transactions and the DataSource in turn', async () => {
    const { domain, dataSource } = await open();
    await ask(domain, 'create table t (n int)');
    await Promise.all(
      [1, 2, 3, 4, 5].map(async (n) => {
        const transaction = await domain.begin({ label: `unit ${n}` });
        await domain.use({ transaction }, (session) =>
          session.query({ text: `insert into t values (${n})`, values: [] }),
        );
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (n % 2 === 0) await transaction.rollback();
        else await transaction.commit();
      }),
    );
    expect(await dataSource.query('select n from t order by n')).toEqual([{ n: 1 }, { n: 3 }, { n: 5 }]);
    const [one, two] = await Promise.all([
      ask(domain, 'select 1'),
      dataSource.transaction((manager) => manager.query('select 2 as n')),
    ]);
    expect([one, two]).toEqual([[['1']], [{ n: 2 }]]);
  });

  it('names the holder to whoever waits too long, and goes on afterwards', async () => {
    const { domain, dataSource } = await open({ acquireTimeoutMs: 60 });
    const transaction = await domain.begin({ label: 'month end' });
    const late = ask(domain, 'select 1');
    await expect(late).rejects.toBeInstanceOf(StoreBusyError);
    await expect(late).rejects.toThrow(/held by "month end"/);
    await expect(dataSource.query('select 1')).rejects.toThrow(/held by "month end"/);
    await transaction.commit();
    expect(await ask(domain, 'select 1')).toEqual([['1']]);
  });

  it('fails at once for a query around the transaction in whose callback it is asked', async () => {
    const { domain, dataSource } = await open();
    await runInScope('checkout', async () => {
      const transaction = await domain.begin({ label: 'checkout' });
      const began = Date.now();
      await expect(dataSource.query('select 1')).rejects.toThrow(/held by "checkout".*for ever/);
      await expect(ask(domain, 'select 1')).rejects.toBeInstanceOf(StoreBusyError);
      expect(Date.now() - began).toBeLessThan(500);
      await transaction.rollback();
    });
    expect(await ask(domain, 'select 1')).toEqual([['1']]);
  });

  it('opens again after it was closed, and prepares its statements anew', async () => {
    const { store, domain } = await open();
    await prepared(domain);
    await store.close();
    await expect(ask(domain, 'select 1')).rejects.toThrow(/closed/);
    await store.open({ name: 'relational', entities: [] });
    await prepared(domain);
  });
});

describe('an embedded PostgreSQL that dies', () => {
  const { fsyncSync } = fs;
  const failing = (code: string) => {
    fs.fsyncSync = () => {
      throw Object.assign(new Error(`${code}: the disk says no`), { code });
    };
    syncBuiltinESMExports();
  };
  const working = () => {
    fs.fsyncSync = fsyncSync;
    syncBuiltinESMExports();
  };
  let folder: string;
  beforeEach(() => {
    folder = newFolder();
  });
  afterEach(async () => {
    working();
    for (const store of stores.splice(0)) await store.close();
    await cleanUp(folder);
  });

  it('during COMMIT leaves its outcome open, and is started again from its folder for the next', async () => {
    const { domain } = await open({ path: folder });
    await ask(domain, 'create table t as select 1 as n');
    await prepared(domain);
    const transaction = await domain.begin({});
    await domain.use({ transaction }, (session) => session.query({ text: 'insert into t values (2)', values: [] }));
    failing('EIO');
    await expect(transaction.commit()).rejects.toBeInstanceOf(CommitUnknownError);
    working();
    const rows = await ask(domain, 'select n from t order by n');
    expect(rows[0]).toEqual(['1']);
    await prepared(domain);
    await ask(domain, 'insert into t values (3)');
    expect(await ask(domain, 'select n from t where n = 3')).toEqual([['3']]);
  });

  it('before COMMIT fails the transaction with the reason, and nothing of it is kept', async () => {
    const { domain, dataSource } = await open({ path: folder });
    await ask(domain, 'create table t as select 1 as n');
    const transaction = await domain.begin({});
    await domain.use({ transaction }, (session) => session.query({ text: 'insert into t values (2)', values: [] }));
    failing('EIO');
    const failed = domain.use({ transaction }, (session) => session.query({ text: 'checkpoint', values: [] }));
    await expect(failed).rejects.toBeInstanceOf(ConnectionError);
    await expect(failed).rejects.toThrow(/embedded database in .* stopped: PANIC: .*fsync.*starts again/);
    await expect(transaction.commit()).rejects.toBeInstanceOf(ConnectionError);
    working();
    expect(await dataSource.query('select n from t')).toEqual([{ n: 1 }]);
  });
});
