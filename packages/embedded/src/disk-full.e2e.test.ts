import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskFullError } from '@storeweave/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanUp, databaseIn, newFolder, query } from './database.fixture.js';

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mounts();
if (!canMount)
  console.warn(
    'NOT TESTED: a full disk. It needs a small file system of its own (tmpfs), which only root on Linux can mount.',
  );

function mounts(): boolean {
  const probe = mkdtempSync(join(tmpdir(), 'storeweave-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true });
  }
}

describe.runIf(canMount)('a full disk', () => {
  let root: string;
  let disk: string;
  beforeEach(() => {
    root = newFolder();
    disk = join(root, 'disk');
    mkdirSync(disk);
  });
  afterEach(async () => {
    await cleanUp(join(disk, 'data'));
    execFileSync('umount', [disk]);
    await cleanUp(root);
  });
  const size = (megabytes: number, remount = false) =>
    execFileSync('mount', ['-t', 'tmpfs', '-o', `${remount ? 'remount,' : ''}size=${megabytes}m`, 'tmpfs', disk]);

  it('is reported while the database is made, with nothing left behind', async () => {
    size(20);
    await expect(databaseIn(join(disk, 'data')).open()).rejects.toBeInstanceOf(DiskFullError);
    expect(readdirSync(join(disk, 'data'))).toEqual(['storeweave.lock']);
    size(200, true);
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

    size(300, true);
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
