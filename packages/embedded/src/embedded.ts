/**
 * The door of the package: four stores, one for each data model, on one database and in one transaction domain, so
 * that a unit of work over all of them is one native transaction.
 */
import type { Extensions } from '@electric-sql/pglite';
import { ConfigurationError, type Store } from '@storeweave/core';
import { postgresDocuments, postgresGraph, postgresSeries } from '@storeweave/postgres';
import type { SqlDomain } from '@storeweave/sql';
import { type TypeormStore, typeorm } from '@storeweave/typeorm';
import { relationalOnPGlite } from './relational-on-pglite.js';

export interface EmbeddedOptions {
  /** Folder that keeps the data; made if it is not there. Neither `path` nor `url`: in memory, gone with the process. */
  readonly path?: string;
  /** A PostgreSQL server, 15 or later, in place of the embedded one: `postgres://user:password@host:5432/database`. */
  readonly url?: string;
  /** Schema of the tables that name none. Default: `public` as a rule, the first of the search path. */
  readonly schema?: string;
  /** Limit on each wait for the session (embedded) or a connection (`url`), in milliseconds. Default: 10,000. */
  readonly acquireTimeoutMs?: number;
  /**
   * Whether a commit in a folder waits until the disk has it. Default: true. With `false` commits are quicker; a killed
   * process still loses nothing, but a power failure may lose commits or damage the database.
   */
  readonly fsync?: boolean;
  /** Extensions of PGlite to load (`@electric-sql/pglite/contrib/*` and others). */
  readonly extensions?: Extensions;
  /** With `url`: connections at most. Default: 10. */
  readonly poolSize?: number;
  /** With `url`: `false` behind a pooler that refuses named statements (PgBouncer in transaction mode). Default: true. */
  readonly preparedStatements?: boolean;
}

/** The stores under the logical names that entities have by default. */
export type EmbeddedStores = Record<'relational' | 'document' | 'graph' | 'timeseries', Store>;

/**
 * All four data models on one PostgreSQL: embedded (PGlite, nothing to install) in memory or in a folder, or a server
 * by its URL. Nothing is started before `Storeweave.open()`.
 *
 * ```ts
 * const weave = await Storeweave.open({ entities, stores: embedded({ path: './data' }) });
 * ```
 *
 * `open()` throws `FolderLockedError` where another process has the folder, `FolderDamagedError` where the database in
 * it cannot be started, `DiskFullError` where there is no room, and `ConfigurationError` for a folder that holds other
 * files. This call throws `ConfigurationError` for options that contradict each other.
 */
export function embedded(options: EmbeddedOptions = {}): EmbeddedStores {
  check(options);
  const { schema } = options;
  const relational = options.url === undefined ? relationalOnPGlite(options) : onServer(options, options.url);
  const domain: SqlDomain = relational.domain;
  const models = schema === undefined ? {} : { schema };
  return {
    relational,
    document: postgresDocuments(domain, models),
    graph: postgresGraph(domain, models),
    timeseries: postgresSeries(domain, models),
  };
}

function check({ path, url, fsync, extensions, poolSize }: EmbeddedOptions): void {
  if (path !== undefined && url !== undefined) {
    throw new ConfigurationError(
      'embedded() keeps its data in a folder (path) or on a server (url), not in both: give one of them.',
    );
  }
  if (path === '')
    throw new ConfigurationError(
      'embedded() was given an empty path. Name a folder, or leave path out for a database in memory.',
    );
  if (url !== undefined && !/^postgres(ql)?:\/\//.test(url)) {
    throw new ConfigurationError(
      'The url of embedded() must begin with postgres:// or postgresql://. For a folder use path.',
    );
  }
  if (url !== undefined && (fsync !== undefined || extensions !== undefined)) {
    throw new ConfigurationError(
      'fsync and extensions of embedded() are for the embedded database; a server by url has its own settings.',
    );
  }
  if (url === undefined && poolSize !== undefined && poolSize !== 1) {
    throw new ConfigurationError(
      'The embedded database has one session, so poolSize cannot be more than 1. Use a server by url for more.',
    );
  }
}

function onServer(
  { schema, poolSize, acquireTimeoutMs, preparedStatements }: EmbeddedOptions,
  url: string,
): TypeormStore {
  return typeorm({
    url,
    name: 'postgres',
    ...(schema !== undefined && { schema }),
    ...(poolSize !== undefined && { poolSize }),
    ...(preparedStatements !== undefined && { preparedStatements }),
    connectTimeoutMs: acquireTimeoutMs ?? 10_000,
  });
}
