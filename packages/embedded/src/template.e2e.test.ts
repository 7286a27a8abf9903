import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { emptyDatabase } from './template.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'storeweave-cache-'));
  for (const name of ['XDG_CACHE_HOME', 'LOCALAPPDATA', 'HOME']) vi.stubEnv(name, home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

const kept = () =>
  readdirSync(home, { recursive: true })
    .map(String)
    .find((name) => name.endsWith('.tar.gz'));
const works = async () => {
  const pglite = await PGlite.create({ loadDataDir: await emptyDatabase() });
  expect((await pglite.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await pglite.close();
};

describe('emptyDatabase', () => {
  it('is made once and kept, and does without a broken or impossible cache', async () => {
    await works();
    const name = kept();
    expect(name).toMatch(/storeweave.*pglite-\d+\.\d+\.\d+\.tar\.gz$/);
    await works();

    writeFileSync(join(home, name ?? ''), 'not an archive');
    await works();

    rmSync(home, { recursive: true });
    writeFileSync(home, 'a file where the folder should be');
    await works();
  });
});
