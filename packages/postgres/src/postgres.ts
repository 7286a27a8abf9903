/**
 * The door of the package: stores for documents, graphs and time series on a PostgreSQL, each on a transaction domain
 * that may be shared with other stores on the same database.
 */
import { ConfigurationError, type Store } from '@storeweave/core';
import { PgDomain, poolConnections, type SqlDomain } from '@storeweave/sql';
import pg from 'pg';
import { PostgresDocumentStore } from './documents/document-store.js';
import { PostgresGraphStore } from './graph/graph-store.js';
import type { PostgresStoreOptions } from './model-store.js';
import { type PostgresSeriesOptions, PostgresSeriesStore } from './series/series-store.js';

export interface PostgresOptions extends PostgresStoreOptions, PostgresSeriesOptions {
  /** Connects by this URL with a pool of its own: `postgresql://user:password@host:5432/database`. */
  readonly url?: string;
  /** Uses the connections of a domain that other stores share; units of work over all of them are one transaction. */
  readonly domain?: SqlDomain;
  /** Connections of the own pool at most. Default: 10. */
  readonly poolSize?: number;
  /** Limit on each wait for a connection of the own pool, in milliseconds. Default: 30,000. */
  readonly acquireTimeoutMs?: number;
  /** `false` behind a pooler that refuses named statements (PgBouncer in transaction mode). Default: true. */
  readonly preparedStatements?: boolean;
}

/** The three stores, under the logical names that entities of their models have by default. */
export interface PostgresStores extends Record<string, Store> {
  readonly document: PostgresDocumentStore;
  readonly graph: PostgresGraphStore;
  readonly timeseries: PostgresSeriesStore;
}

/**
 * Stores for documents, graphs and time series on one PostgreSQL 15 or later, in one transaction domain.
 *
 * ```ts
 * await Storeweave.open({ entities, stores: { ...postgres({ url }), relational: typeorm(…) } });
 * ```
 *
 * Throws `ConfigurationError` unless exactly one of `url` and `domain` is given.
 */
export function postgres(options: PostgresOptions): PostgresStores {
  const domain = domainOf(options);
  return {
    document: postgresDocuments(domain, options),
    graph: postgresGraph(domain, options),
    timeseries: postgresSeries(domain, options),
  };
}

/** A document store: one table per class, its ids as columns and the rest as one indexed JSONB. */
export function postgresDocuments(domain: SqlDomain, options: PostgresStoreOptions = {}): PostgresDocumentStore {
  return new PostgresDocumentStore(domain, options);
}

/** A graph store: one table per node class and per relationship, walked level by level. */
export function postgresGraph(domain: SqlDomain, options: PostgresStoreOptions = {}): PostgresGraphStore {
  return new PostgresGraphStore(domain, options);
}

/** A time-series store: one table per measurement, partitioned by time. */
export function postgresSeries(
  domain: SqlDomain,
  options: PostgresStoreOptions & PostgresSeriesOptions = {},
): PostgresSeriesStore {
  return new PostgresSeriesStore(domain, options);
}

function domainOf({ url, domain, poolSize, acquireTimeoutMs, preparedStatements }: PostgresOptions): SqlDomain {
  if ((url === undefined) === (domain === undefined)) {
    throw new ConfigurationError(
      'postgres() takes either a url, for connections of its own, or a domain that it shares; give one of them.',
    );
  }
  if (domain !== undefined) return domain;
  const pool = () =>
    new pg.Pool({ connectionString: url, max: poolSize ?? 10, connectionTimeoutMillis: acquireTimeoutMs ?? 30_000 });
  return new PgDomain(poolConnections(pool), {
    name: 'postgres',
    ...(preparedStatements === undefined ? {} : { preparedStatements }),
  });
}
