/** The stores that `npm run contract` tries: in memory, PGlite, and a PostgreSQL server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { type MemoryDomain, memoryDomain, memoryStore } from '@storeweave/testing';
import type { Excuse } from '@storeweave/testing/contract';
import { startPostgres } from '@storeweave/testing/servers';

export interface Running {
  /** Where it runs, for the report. */
  readonly server: string;
  /** Statement that gives the version, or the version itself. */
  readonly version: string;
  /** Stores over an empty database, each time anew. */
  open(): Promise<Record<string, Store>>;
  /** An empty database, and stores over it as often as asked. */
  reopenable(): Promise<() => Promise<Record<string, Store>>>;
  stop(): Promise<void>;
}

export interface Target {
  readonly name: string;
  readonly excuses?: readonly Excuse[];
  start(): Promise<Running>;
}

export const contractTargets: readonly Target[] = [
  {
    name: 'memory',
    start: async () => ({
      server: 'this process',
      version: `node ${process.version}`,
      open: async () => inMemory(memoryDomain()),
      reopenable: async () => {
        const domain = memoryDomain();
        return async () => inMemory(domain);
      },
      stop: async () => {},
    }),
  },
  {
    name: 'pglite',
    start: async () => {
      const folders = await mkdtemp(join(tmpdir(), 'storeweave-contract-'));
      return {
        server: 'PGlite in this process',
        version: await versionOf(embedded()),
        open: async () => embedded(),
        reopenable: async () => {
          const path = await mkdtemp(join(folders, 'data-'));
          return async () => embedded({ path, fsync: false });
        },
        stop: () => rm(folders, { recursive: true, force: true }),
      };
    },
  },
  {
    name: 'postgres',
    start: async () => {
      const server = await startPostgres();
      let databases = 0;
      return {
        server: server.origin,
        version: `PostgreSQL ${server.version}`,
        open: async () => {
          databases++;
          return embedded({ url: await server.database(`contract_${databases}`) });
        },
        reopenable: async () => {
          databases++;
          const url = await server.database(`contract_${databases}`);
          return async () => embedded({ url });
        },
        stop: () => server.stop(),
      };
    },
  },
];

function inMemory(domain: MemoryDomain): Record<string, Store> {
  const store = () => memoryStore({ domain });
  return { relational: store(), document: store(), graph: store(), timeseries: store() };
}

async function versionOf(stores: Record<string, Store>): Promise<string> {
  const { relational } = stores;
  if (relational?.relational === undefined) return 'unknown';
  await relational.open({ name: 'relational', entities: [] });
  try {
    const [row] = await relational.relational.sql('select version() as version', [], {});
    return String(row?.version).replace(/ on .*/, '');
  } finally {
    await relational.close();
  }
}
