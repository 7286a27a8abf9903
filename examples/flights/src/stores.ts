/**
 * Where the four models are kept: all on one embedded PostgreSQL (or a server by its URL), or each on the engine made for
 * it. The classes are the same.
 */
import type { Store } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { influxdb } from '@storeweave/influxdb';
import { mongodb } from '@storeweave/mongodb';
import { neo4j } from '@storeweave/neo4j';
import { startInfluxdb, startMongodb, startNeo4j, startPostgres, type TestServer } from '@storeweave/testing/servers';
import { typeorm } from '@storeweave/typeorm';
import type { Options } from './options.js';

export interface Places {
  readonly stores: Readonly<Record<string, Store>>;
  /** Whether a unit of work over all of them is one native transaction. */
  readonly together: boolean;
  /** Where the data is, for messages. */
  readonly where: string;
  /** Ends the servers that were started; their data goes with them. */
  stop(): Promise<void>;
}

/** Throws `ConfigurationError` where a server can neither be found nor started. */
export async function openPlaces(options: Options, say: (text: string) => void): Promise<Places> {
  if (options.real) return realServers(say);
  const place = options.url === undefined ? { path: options.data } : { url: options.url };
  const where = options.url === undefined ? options.data : 'the server';
  return { stores: embedded(place), together: true, where, stop: async () => {} };
}

async function realServers(say: (text: string) => void): Promise<Places> {
  const running: TestServer[] = [];
  const stop = async () => void (await Promise.all(running.map((server) => server.stop())));
  const started = async <S extends TestServer>(name: string, start: () => Promise<S>): Promise<S> => {
    const server = await start();
    running.push(server);
    say(`${name} ${server.version} (${server.how}: ${server.origin})`);
    return server;
  };
  try {
    const [postgres, mongo, graph, series] = await Promise.all([
      started('PostgreSQL', startPostgres),
      started('MongoDB', startMongodb),
      started('Neo4j', startNeo4j),
      started('InfluxDB', startInfluxdb),
    ]);
    // A server by URL keeps what was loaded; its own database is then the one that the URL names.
    const { url, username, password } = graph;
    const stores = {
      relational: typeorm({ url: postgres.how === 'url' ? postgres.url : await postgres.database('flights') }),
      document: mongodb({ url: mongo.how === 'url' ? mongo.url : await mongo.database('flights') }),
      graph: neo4j({ url, username, password }),
      timeseries: influxdb({ url: series.url, token: series.token, org: series.org }),
    };
    return { stores, together: false, where: 'the servers', stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
