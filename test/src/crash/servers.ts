/** The real servers of a run: started for it alone, durable, and killed and started again as it pleases. */
import { startInfluxdb, startMongodb, startNeo4j, startPostgres, type TestServer } from '@storeweave/testing/servers';
import { MongoClient } from 'mongodb';
import type { StoreName } from './model.js';
import type { Rooms } from './rooms.js';

export type ServerName = 'postgres' | 'mongodb' | 'neo4j' | 'influxdb';

const SERVER_OF: Record<StoreName, ServerName> = {
  relational: 'postgres',
  archive: 'postgres',
  document: 'mongodb',
  graph: 'neo4j',
  timeseries: 'influxdb',
};

export interface Servers {
  readonly rooms: Rooms;
  /** What runs, for the report. */
  readonly described: readonly string[];
  readonly names: readonly ServerName[];
  kill(name: ServerName): Promise<void>;
  restart(name: ServerName): Promise<void>;
  stop(): Promise<void>;
}

// A server that is named by a URL is not ours to kill.
const WAYS = { ways: ['docker', 'native'] } as const;

/** Starts what these stores need. */
export async function startServers(stores: readonly StoreName[]): Promise<Servers> {
  const names = [...new Set(stores.map((store) => SERVER_OF[store]))];
  const running = new Map<ServerName, TestServer>();
  const stop = async () => {
    await Promise.allSettled([...running.values()].map((server) => server.stop()));
  };
  const started = <S extends TestServer>(name: ServerName, start: () => Promise<S>): Promise<S | undefined> =>
    names.includes(name)
      ? start().then((server) => {
          running.set(name, server);
          return server;
        })
      : Promise.resolve(undefined);
  try {
    const [postgres, mongo, graph, series] = await Promise.all([
      started('postgres', () => startPostgres({ ...WAYS, settings: { max_prepared_transactions: '50' } })),
      started('mongodb', () => startMongodb({ ...WAYS, durable: true })),
      started('neo4j', () => startNeo4j(WAYS)),
      started('influxdb', () => startInfluxdb(WAYS)),
    ]);
    const rooms: Rooms = {
      stores,
      relational: (await postgres?.database('crash')) ?? '',
      archive: (await postgres?.database('crash_archive')) ?? '',
      document: (await mongo?.database('crash')) ?? '',
      graph: {
        url: graph?.url ?? '',
        username: graph?.username ?? '',
        password: graph?.password ?? '',
        labelPrefix: (await graph?.space('crash')) ?? '',
      },
      timeseries: {
        url: series?.url ?? '',
        token: series?.token ?? '',
        org: series?.org ?? '',
        bucketPrefix: (await series?.space('crash')) ?? '',
      },
    };
    if (mongo !== undefined) await endOrphansSoon(mongo.url);
    const find = (name: ServerName): TestServer => {
      const server = running.get(name);
      if (server === undefined) throw new Error(`${name} does not run here.`);
      return server;
    };
    return {
      rooms,
      names,
      described: [...running].map(([name, { version, origin }]) => `${name} ${version} (${origin})`),
      kill: (name) => find(name).kill(),
      async restart(name) {
        await find(name).restart();
        if (name === 'mongodb' && mongo !== undefined) await endOrphansSoon(mongo.url);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A transaction whose client died keeps its documents to itself for a minute; in a test that is too long. */
async function endOrphansSoon(url: string): Promise<void> {
  const client = new MongoClient(url);
  try {
    await client.db('admin').command({ setParameter: 1, transactionLifetimeLimitSeconds: 5 });
  } finally {
    await client.close();
  }
}
