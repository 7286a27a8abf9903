import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contract } from '@storeweave/testing/contract';
import * as vitest from 'vitest';
import { typeorm } from './typeorm.js';

const folders: string[] = [];
vitest.afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

contract(
  'SQLite',
  {
    open: async () => ({ relational: typeorm({ type: 'sqljs' }) }),
    reopenable: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'storeweave-sqlite-'));
      folders.push(folder);
      return async () => ({ relational: typeorm({ type: 'sqljs', database: join(folder, 'data.sqlite') }) });
    },
  },
  vitest,
);
