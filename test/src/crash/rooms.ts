/**
 * Where the stores of one run are, as plain data that can be sent to other processes, and the stores over it. Limits on
 * waits for servers are short: they are down now and then, on purpose.
 */
import type { Store } from '@storeweave/core';
import { influxdb } from '@storeweave/influxdb';
import { mongodb } from '@storeweave/mongodb';
import { neo4j } from '@storeweave/neo4j';
import { typeorm } from '@storeweave/typeorm';
import type { StoreName } from './model.js';

/** Places of one run: databases, a label prefix and a bucket prefix that nobody else has. */
export interface Rooms {
  readonly stores: readonly StoreName[];
  readonly relational: string;
  readonly archive: string;
  readonly document: string;
  readonly graph: Room<'labelPrefix'> & { readonly username: string; readonly password: string };
  readonly timeseries: Room<'bucketPrefix'> & { readonly token: string; readonly org: string };
}

type Room<K extends string> = { readonly url: string } & Readonly<Record<K, string>>;

const WAIT_MS = 3_000;

/** Stores that have not been opened. */
export function storesIn(rooms: Rooms): Record<string, Store> {
  const make: Record<StoreName, () => Store> = {
    relational: () => typeorm({ url: rooms.relational, poolSize: 8, connectTimeoutMs: WAIT_MS }),
    archive: () => typeorm({ url: rooms.archive, poolSize: 8, connectTimeoutMs: WAIT_MS, name: 'archive' }),
    document: () =>
      mongodb({
        url: rooms.document,
        serverSelectionTimeoutMs: WAIT_MS,
        commitRetryMs: WAIT_MS,
        clientOptions: { connectTimeoutMS: WAIT_MS },
      }),
    graph: () => neo4j({ ...rooms.graph, connectTimeoutMs: WAIT_MS, acquireTimeoutMs: WAIT_MS }),
    timeseries: () => influxdb(rooms.timeseries),
  };
  return Object.fromEntries(rooms.stores.map((store) => [store, make[store]()]));
}
