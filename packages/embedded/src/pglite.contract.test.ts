import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contract } from '@storeweave/testing/contract';
import * as vitest from 'vitest';
import { embedded } from './embedded.js';

const folders: string[] = [];
vitest.afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

contract(
  'PGlite',
  {
    open: async () => embedded(),
    reopenable: async () => {
      const path = await mkdtemp(join(tmpdir(), 'storeweave-contract-'));
      folders.push(path);
      return async () => embedded({ path, fsync: false });
    },
  },
  vitest,
);
