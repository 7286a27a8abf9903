import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { portableSuite } from '../portable/suite.fixture.js';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

portableSuite('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'storeweave-sqlite-'));
  folders.push(folder);
  return () => ({ type: 'sqljs', database: join(folder, 'data.sqlite') });
});
