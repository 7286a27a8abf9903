import { fork } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError, FolderDamagedError, FolderLockedError, StoreBusyError } from '@storeweave/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { cleanUp, databaseIn, newFolder, query } from './database.fixture.js';

let root: string;

beforeEach(() => {
  root = newFolder();
});
afterEach(() => cleanUp(root));

describe('EmbeddedDatabase', () => {
  it('works in memory, and forgets', async () => {
    const database = databaseIn(undefined);
    await database.open();
    await query(database, 'create table t (n int)');
    await database.close();
    await expect(database.take({})).rejects.toThrow(/closed/);
    await database.open();
    expect(await query(database, `select to_regclass('t') as t`)).toEqual([{ t: null }]);
  });

  it('keeps a folder over close and open, and refuses a second owner meanwhile', async () => {
    const path = join(root, 'a', 'data');
    const database = databaseIn(path);
    await database.open();
    await query(database, 'create table t as select 42 as n');
    await expect(databaseIn(path).open()).rejects.toBeInstanceOf(FolderLockedError);
    expect(await query(database, 'select n from t')).toEqual([{ n: 42 }]);
    await database.close();
    await database.close();

    const again = databaseIn(path);
    await again.open();
    expect(await query(again, 'select n from t')).toEqual([{ n: 42 }]);
  });

  it('brings each commit to the disk, unless told not to', async () => {
    const settings = `select current_setting('fsync') as fsync, current_setting('wal_sync_method') as method`;
    const durable = databaseIn(join(root, 'durable'));
    await durable.open();
    expect(await query(durable, settings)).toEqual([{ fsync: 'on', method: 'fsync' }]);
    const files = durable.pglite as unknown as { fs: { syncs: number } };
    await query(durable, 'create table t (n int)');
    const before = files.fs.syncs;
    for (let i = 0; i < 10; i++) await query(durable, `insert into t values (${i})`);
    expect(files.fs.syncs - before).toBeGreaterThanOrEqual(10);

    const quick = databaseIn(join(root, 'quick'), { fsync: false });
    await quick.open();
    expect(await query(quick, settings)).toEqual([{ fsync: 'off', method: 'fsync' }]);
  });

  it('hands out the session in turn, and names the holder to one who waited too long', async () => {
    const database = databaseIn(undefined, { acquireTimeoutMs: 50 });
    await database.open();
    const turn = await database.take({ label: '"nightly import"', transaction: true });
    const late = query(database, 'select 1');
    await expect(late).rejects.toBeInstanceOf(StoreBusyError);
    await expect(late).rejects.toThrow(/embedded database in memory.*held by "nightly import", for \d+ ms/);
    turn.end();
    expect(await query(database, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('upkeep', () => {
  const vacuumed = `select count(*)::int as n from pg_stat_user_tables where last_vacuum is not null and last_analyze is not null`;

  it('vacuums what has changed much, once nobody has the session', async () => {
    const database = databaseIn(undefined, { upkeepMs: 20 });
    await database.open();
    await query(database, `create table "Odd name" as select n from generate_series(1, 5000) n`);
    await query(database, `create table quiet as select n from generate_series(1, 10) n`);
    const turn = await database.take({});
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await database.pglite.query(vacuumed)).rows).toEqual([{ n: 0 }]);
    turn.end();
    await vi.waitFor(async () => expect(await query(database, vacuumed)).toEqual([{ n: 1 }]), {
      timeout: 5_000,
      interval: 100,
    });
  });
});

describe('a folder that is not a whole database', () => {
  it('is refused where it holds other files, and left as it is', async () => {
    writeFileSync(join(root, 'thesis.doc'), 'mine');
    const refused = databaseIn(root).open();
    await expect(refused).rejects.toBeInstanceOf(ConfigurationError);
    await expect(refused).rejects.toThrow(/holds other files \(thesis\.doc\)/);
    expect(readdirSync(root)).toEqual(['thesis.doc']);
    await expect(databaseIn(join(root, 'thesis.doc')).open()).rejects.toThrow(/not a folder/);
  });

  it('is refused where it is a bare data folder of PostgreSQL', async () => {
    writeFileSync(join(root, 'PG_VERSION'), '18\n');
    await expect(databaseIn(root).open()).rejects.toThrow(/itself the data folder of a PostgreSQL or PGlite.*pg_dump/);
  });

  it('is made anew where making it was interrupted', async () => {
    mkdirSync(join(root, 'postgres', 'base'), { recursive: true });
    writeFileSync(join(root, 'postgres', 'PG_VERSION'), '18\n');
    writeFileSync(join(root, 'postgres.unfinished'), '');
    const database = databaseIn(root);
    await database.open();
    expect(await query(database, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(readdirSync(root).sort()).toEqual(['postgres', 'storeweave.lock']);
  });

  const damages: [name: string, damage: (postgres: string) => void, message: RegExp][] = [
    ['without version', (postgres) => rmSync(join(postgres, 'PG_VERSION')), /PG_VERSION is missing.*Restore/],
    ['with an empty version', (postgres) => writeFileSync(join(postgres, 'PG_VERSION'), ''), /PG_VERSION is empty/],
    [
      'of another version',
      (postgres) => writeFileSync(join(postgres, 'PG_VERSION'), '15\n'),
      /made by PostgreSQL 15; this PGlite is PostgreSQL 18/,
    ],
    ['without base', (postgres) => rmSync(join(postgres, 'base'), { recursive: true }), /base is missing/],
    [
      'with a truncated control file',
      (postgres) => truncateSync(join(postgres, 'global/pg_control'), 100),
      /pg_control.*read 100 of 296/,
    ],
    [
      'with a truncated log',
      (postgres) => truncateSync(join(postgres, 'pg_wal', wal(postgres)), 1000),
      /checkpoint record/,
    ],
    [
      'with a system table overwritten',
      (postgres) => writeFileSync(join(postgres, 'base/5/1259'), Buffer.alloc(8192, 7)),
      /invalid page/,
    ],
  ];
  const wal = (postgres: string) =>
    readdirSync(join(postgres, 'pg_wal')).find((name) => /^[0-9A-F]{24}$/.test(name)) ?? '';
  let whole: string;
  beforeAll(async () => {
    whole = newFolder();
    const database = databaseIn(whole, { fsync: false });
    await database.open();
    await database.close();
  });
  afterAll(() => rmSync(whole, { recursive: true }));

  it.each(damages)('is reported %s, and the folder is free again', async (_, damage, message) => {
    cpSync(whole, root, { recursive: true });
    damage(join(root, 'postgres'));
    for (let i = 0; i < 2; i++) {
      const failed = databaseIn(root).open();
      await expect(failed).rejects.toBeInstanceOf(FolderDamagedError);
      await expect(failed).rejects.toThrow(message);
    }
  });
});

describe('SIGKILL', () => {
  it('loses nothing that was acknowledged, and keeps no half of a transaction', async () => {
    const path = join(root, 'data');
    let acknowledged = -1;
    for (let round = 0; round < 2; round++) {
      const child = fork(new URL('./writer.fixture.ts', import.meta.url), [path, String(acknowledged + 1)], {
        execArgv: ['--conditions=@storeweave/source', '--import', 'tsx'],
      });
      const enough = acknowledged + 40 + round * 7;
      await new Promise<void>((resolve, reject) => {
        child.on('message', (n) => {
          acknowledged = Number(n);
          if (acknowledged === enough) child.kill('SIGKILL');
        });
        child.once('exit', (code, signal) =>
          signal === 'SIGKILL' ? resolve() : reject(new Error(`writer ended with ${code}`)),
        );
      });
      const database = databaseIn(path);
      await database.open();
      const [row] = (await query(
        database,
        'select count(distinct batch)::int as batches, count(*)::int as rows, max(batch) as last from t',
      )) as Record<string, number>[];
      expect(row?.last).toBeGreaterThanOrEqual(acknowledged);
      expect(row).toEqual({ batches: (row?.last ?? 0) + 1, rows: ((row?.last ?? 0) + 1) * 10, last: row?.last });
      acknowledged = row?.last ?? 0;
      await database.close();
    }
  }, 120_000);
});
