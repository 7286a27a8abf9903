/** Where the four models are kept: an embedded PostgreSQL in a folder, and a server for each of the others. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { influxdb } from '@storeweave/influxdb';
import { mongodb } from '@storeweave/mongodb';
import { neo4j } from '@storeweave/neo4j';
import { startInfluxdb, startMongodb, startNeo4j, type TestServer } from '@storeweave/testing/servers';

/** Plain data: it goes from one process to another. */
export interface Places {
  /** Folder of the embedded database, which decides. */
  readonly folder: string;
  readonly mongodb: { readonly url: string };
  readonly neo4j: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    readonly labelPrefix: string;
  };
  readonly influxdb: {
    readonly url: string;
    readonly token: string;
    readonly org: string;
    readonly bucketPrefix: string;
  };
}

/** The stores that entities have by default. The embedded one has all four models; here it is asked for one. */
export function storesOf(places: Places): Readonly<Record<string, Store>> {
  return {
    relational: embedded({ path: places.folder }).relational,
    document: mongodb(places.mongodb),
    graph: neo4j(places.neo4j),
    timeseries: influxdb(places.influxdb),
  };
}

/**
 * Starts the servers, or finds those that STOREWEAVE_MONGODB_URL, _NEO4J_URL and _INFLUXDB_URL name. `stop` ends them and
 * removes what was written. Throws `ConfigurationError` where one can neither be found nor started.
 */
export async function startPlaces(
  say: (text: string) => void,
): Promise<{ readonly places: Places; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'storeweave-transfer-'));
  const running: TestServer[] = [];
  const stop = async () => {
    await Promise.all(running.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  const started = async <S extends TestServer>(name: string, start: () => Promise<S>): Promise<S> => {
    const server = await start();
    running.push(server);
    say(`${name} ${server.version} (${server.how}: ${server.origin})`);
    return server;
  };
  const starting = await Promise.allSettled([
    started('MongoDB', startMongodb),
    started('Neo4j', startNeo4j),
    started('InfluxDB', startInfluxdb),
  ]);
  const [mongo, graph, series] = starting;
  if (mongo.status !== 'fulfilled' || graph.status !== 'fulfilled' || series.status !== 'fulfilled') {
    await stop();
    throw starting.find((each) => each.status === 'rejected')?.reason;
  }
  const { url, username, password } = graph.value;
  const { url: influx, token, org } = series.value;
  const places = {
    folder,
    mongodb: { url: await mongo.value.database('transfer') },
    neo4j: { url, username, password, labelPrefix: await graph.value.space('Transfer') },
    influxdb: { url: influx, token, org, bucketPrefix: await series.value.space('transfer') },
  };
  return { places, stop };
}
