import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DiskFullError } from '@storeweave/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanUp, databaseIn, newFolder, query } from './database.fixture.js';

const NEEDS = 'A full disk is not tested here: it needs a small tmpfs, which only root on Linux can mount.';

describe('a full disk', () => {
  let root: string;
  let disk: string;
  let isMounted = false;
  beforeEach((context) => {
    root = newFolder();
    disk = join(root, 'disk');
    mkdirSync(disk);
    isMounted = mounts();
    if (isMounted) return;
    console.warn(NEEDS);
    context.skip(NEEDS);
  });
  afterEach(async () => {
    await cleanUp(join(disk, 'data'));
    if (isMounted) execFileSync('umount', [disk]);
    await cleanUp(root);
  });
  const mounts = () => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', disk], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  const size = (megabytes: number) => execFileSync('mount', ['-o', `remount,size=${megabytes}m`, disk]);

  it('is reported while the database is made, with nothing left behind', async () => {
    await expect(databaseIn(join(disk, 'data')).open()).rejects.toBeInstanceOf(DiskFullError);
    expect(readdirSync(join(disk, 'data'))).toEqual(['storeweave.lock']);
    size(200);
    await databaseIn(join(disk, 'data')).open();
  });

  it.each([
    [42, 'a table cannot grow, an ordinary error', false],
    [50, 'the log cannot grow, which PostgreSQL answers with PANIC', true],
  ])('of %d MB (%s) is reported, and what was committed is there once there is room', async (megabytes, _, dies) => {
    size(megabytes);
    const database = databaseIn(join(disk, 'data'));
    await database.open();
    await query(database, 'create table t (id int primary key, v text)');
    let committed = 0;
    const fill = async () => {
      for (; committed < 50_000; committed += 20) {
        const rows = `select ${committed} + g, repeat(md5(random()::text), 5) from generate_series(1, 20) g`;
        await query(database, `insert into t ${rows} on conflict do nothing`);
        await query(database, `update t set v = v || 'x' where id > ${committed - 400}`);
      }
    };
    const instance = database.pglite;
    await expect(fill()).rejects.toThrow(/No space left on device/);
    // Without room it says so again, and does not hang.
    await expect(fill()).rejects.toThrow(/No space left on device|room left/);

    size(300);
    const [row] = (await query(database, 'select count(*)::int as rows from t')) as { rows: number }[];
    expect(row?.rows).toBeGreaterThanOrEqual(committed);
    expect((row?.rows ?? 1) % 20).toBe(0);
    expect(database.pglite !== instance).toBe(dies);
    await query(database, `insert into t values (-1, 'room again')`);
    await database.close();
    await database.open();
    expect(await query(database, 'select v from t where id = -1')).toEqual([{ v: 'room again' }]);
  });
});
