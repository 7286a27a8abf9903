/**
 * The stores that `npm run contract` tries: in memory, PGlite, and every real server, alone and all of them together, so
 * that relations are tried between engines too.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { influxdb } from '@storeweave/influxdb';
import { mongodb } from '@storeweave/mongodb';
import { neo4j } from '@storeweave/neo4j';
import { type MemoryDomain, memoryDomain, memoryStore } from '@storeweave/testing';
import type { Excuse } from '@storeweave/testing/contract';
import {
  startInfluxdb,
  startMariadb,
  startMongodb,
  startNeo4j,
  startPostgres,
  type TestServer,
} from '@storeweave/testing/servers';
import { typeorm } from '@storeweave/typeorm';

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
  {
    name: 'mariadb',
    start: () =>
      onServer('MariaDB', startMariadb, async (server, name) => {
        const url = await server.database(name);
        return () => ({ relational: typeorm({ url }) });
      }),
  },
  {
    name: 'sqlite',
    start: async () => {
      const folders = await mkdtemp(join(tmpdir(), 'storeweave-contract-'));
      let files = 0;
      const inMemory = () => ({ relational: typeorm({ type: 'sqljs' }) });
      return {
        server: 'sql.js in this process',
        version: `SQLite ${await versionOf(inMemory(), 'sqlite_version()')}`,
        open: async () => inMemory(),
        reopenable: async () => {
          const database = join(folders, `${++files}.sqlite`);
          return async () => ({ relational: typeorm({ type: 'sqljs', database }) });
        },
        stop: () => rm(folders, { recursive: true, force: true }),
      };
    },
  },
  {
    name: 'mongodb',
    start: () =>
      onServer('MongoDB', startMongodb, async (server, name) => {
        const url = await server.database(name);
        return () => ({ document: mongodb({ url }) });
      }),
  },
  {
    name: 'neo4j',
    start: () =>
      onServer('Neo4j', startNeo4j, async (server, name) => {
        const { url, username, password } = server;
        const labelPrefix = await server.space(name);
        return () => ({ graph: neo4j({ url, username, password, labelPrefix }) });
      }),
  },
  {
    name: 'influxdb',
    start: () =>
      onServer('InfluxDB', startInfluxdb, async (server, name) => {
        const { url, token, org } = server;
        const bucketPrefix = await server.space(name);
        return () => ({ timeseries: influxdb({ url, token, org, bucketPrefix }) });
      }),
  },
  { name: 'four servers', start: onFourServers },
];

type Opened = Record<string, Store>;

/** `room` makes an empty place on the server and gives what opens stores over it. */
async function onServer<S extends TestServer>(
  product: string,
  start: () => Promise<S>,
  room: (server: S, name: string) => Promise<() => Opened>,
): Promise<Running> {
  const server = await start();
  return {
    server: server.origin,
    version: `${product} ${server.version}`,
    open: async () => (await room(server, 'contract'))(),
    reopenable: async () => {
      const open = await room(server, 'contract');
      return async () => open();
    },
    stop: () => server.stop(),
  };
}

/** Each model on the engine made for it. */
async function onFourServers(): Promise<Running> {
  const started = await Promise.allSettled([startPostgres(), startMongodb(), startNeo4j(), startInfluxdb()]);
  const stop = async () => {
    for (const each of started) if (each.status === 'fulfilled') await each.value.stop();
  };
  const [postgres, mongo, graph, series] = started;
  if (
    postgres.status === 'rejected' ||
    mongo.status === 'rejected' ||
    graph.status === 'rejected' ||
    series.status === 'rejected'
  ) {
    await stop();
    throw started.find((each) => each.status === 'rejected')?.reason;
  }
  const room = async () => {
    const url = await postgres.value.database('contract');
    const documents = await mongo.value.database('contract');
    const labelPrefix = await graph.value.space('contract');
    const bucketPrefix = await series.value.space('contract');
    const bolt = { url: graph.value.url, username: graph.value.username, password: graph.value.password };
    const influx = { url: series.value.url, token: series.value.token, org: series.value.org };
    return (): Opened => ({
      relational: typeorm({ url }),
      document: mongodb({ url: documents }),
      graph: neo4j({ ...bolt, labelPrefix }),
      timeseries: influxdb({ ...influx, bucketPrefix }),
    });
  };
  return {
    server: [postgres, mongo, graph, series].map(({ value }) => value.origin).join(', '),
    version: `PostgreSQL ${postgres.value.version}, MongoDB ${mongo.value.version}, Neo4j ${graph.value.version}, InfluxDB ${series.value.version}`,
    open: async () => (await room())(),
    reopenable: async () => {
      const open = await room();
      return async () => open();
    },
    stop,
  };
}

function inMemory(domain: MemoryDomain): Record<string, Store> {
  const store = () => memoryStore({ domain });
  return { relational: store(), document: store(), graph: store(), timeseries: store() };
}

async function versionOf(stores: Record<string, Store>, expression = 'version()'): Promise<string> {
  const { relational } = stores;
  if (relational?.relational === undefined) return 'unknown';
  await relational.open({ name: 'relational', entities: [] });
  try {
    const [row] = await relational.relational.sql(`select ${expression} as version`, [], {});
    return String(row?.version).replace(/ on .*/, '');
  } finally {
    await relational.close();
  }
}
