/** The door of the package: a document store on a MongoDB database. */
import type { MongoClient, MongoClientOptions } from 'mongodb';
import { Connection } from './connection.js';
import { MongodbDomain } from './domain.js';
import { MongodbStore } from './store.js';

export interface MongodbOptions {
  /** Connects by this connection string with a client of its own: `mongodb://host/database?replicaSet=rs0`. */
  readonly url?: string;
  /** Uses a client that the application owns and closes. Then `database` says which of its databases. */
  readonly client?: MongoClient;
  /** Name of the database. Default: the one that the connection string ends with. */
  readonly database?: string;
  /** Connections of the own client to each server at most. Default: the driver's, 100. */
  readonly poolSize?: number;
  /** Limit on the search for a server that can serve a call, in milliseconds. Default: the driver's, 30,000. */
  readonly serverSelectionTimeoutMs?: number;
  /** How long a commit whose outcome is unknown is asked for again, in milliseconds. Default: 15,000. */
  readonly commitRetryMs?: number;
  /**
   * What to do where the deployment has no transactions (a standalone server). `refuse` (default): `open()` throws.
   * `accept`: each document is written as a whole, but a batch of several may be kept in part, and a unit of work over
   * more than one batch is refused.
   */
  readonly standalone?: 'refuse' | 'accept';
  /** Further options of the driver's client, for those who need them (TLS, authentication, compression). */
  readonly clientOptions?: MongoClientOptions;
}

/**
 * A store for documents on MongoDB 5.0 or later.
 *
 * ```ts
 * await Storeweave.open({ entities, stores: { document: mongodb({ url: 'mongodb://localhost/shop?replicaSet=rs0' }) } });
 * ```
 *
 * Throws `ConfigurationError` unless exactly one of `url` and `client` is given, and where no database is named.
 */
export function mongodb(options: MongodbOptions): MongodbStore {
  const { url, client, database, poolSize, serverSelectionTimeoutMs, clientOptions } = options;
  const connection = new Connection({
    ...(url === undefined ? {} : { url }),
    ...(client === undefined ? {} : { client }),
    ...(database === undefined ? {} : { database }),
    standalone: options.standalone ?? 'refuse',
    clientOptions: {
      ...(poolSize === undefined ? {} : { maxPoolSize: poolSize }),
      ...(serverSelectionTimeoutMs === undefined ? {} : { serverSelectionTimeoutMS: serverSelectionTimeoutMs }),
      ...clientOptions,
    },
  });
  return new MongodbStore(new MongodbDomain(connection, options.commitRetryMs ?? 15_000));
}
