/** What `typeorm()` is told: where the database is, or whose connections to use. */
import type { AcquireRequest } from '@storeweave/sql';
import type { DataSource, EntitySchema, MigrationInterface } from 'typeorm';

/**
 * Asked before each connection is taken, by Storeweave and by users of the `DataSource` alike (these have the purpose
 * `native`), and told when it is given back. For a database that has one session for everybody: resolves when it is
 * the caller's turn, and rejects with the error that the caller is to see.
 */
export type AcquireHook = (request: AcquireRequest) => Promise<{ release(): void }>;

export interface TypeormOptions {
  /** TypeORM's driver. Default: what `url` says, else `postgres`. SQLite is `better-sqlite3`, or `sqljs` in memory. */
  readonly type?: 'postgres' | 'mariadb' | 'better-sqlite3' | 'sqljs';
  /** `postgres://user:password@host:5432/database`, or `mariadb://…`. Instead of it, the parts below. */
  readonly url?: string;
  readonly host?: string;
  /** Default: 5432, of MariaDB 3306. */
  readonly port?: number;
  readonly username?: string;
  readonly password?: string | (() => string) | (() => Promise<string>);
  /** Of SQLite the path of its file; `:memory:` (better-sqlite3) or nothing (sqljs) for a database in memory. */
  readonly database?: string;
  /** Options of `node:tls`, or true. Default: no TLS. */
  readonly ssl?: boolean | object;
  /** Schema of the tables that name none. Default: the first of the search path, as a rule `public`. */
  readonly schema?: string;
  /** Largest number of connections. Default: 10. */
  readonly poolSize?: number;
  /** Limit on the wait for a connection, new or from the pool, in milliseconds. Default: 10,000. */
  readonly connectTimeoutMs?: number;
  /** Name that the server shows for our sessions. */
  readonly applicationName?: string;
  /**
   * More options of `pg`'s or `mysql2`'s pool and client, as TypeORM's `extra`: keep-alive, statement limits, or a
   * PGlite's `createPgConfig`. Of SQLite more options of TypeORM's driver: `enableWAL`, `nativeBinding`, `driver`.
   */
  readonly extra?: object;
  /**
   * A `DataSource` of the application's own, of one of these types, whose connections are used and shared. It may hold
   * entities of its own; ours are added to it. If it is initialized already, it is not destroyed by `close()`.
   */
  readonly dataSource?: DataSource;
  /**
   * Classes, `EntitySchema`s or globs that TypeORM is to know beside those of Storeweave: what adopted entities lead to
   * and is not adopted itself. With `dataSource`, its own are used.
   */
  readonly entities?: readonly (string | EntitySchema | (abstract new (...args: never[]) => object))[];
  /** Migrations for `migrations(store)`: classes, or globs of their files. With `dataSource`, its own are used. */
  readonly migrations?: readonly (string | (new () => MigrationInterface))[];
  /** Table in which TypeORM keeps which migrations were run. Default: `migrations`. */
  readonly migrationsTableName?: string;
  /** `false` behind a pooler that refuses named statements (PgBouncer in transaction mode). Default: true. */
  readonly preparedStatements?: boolean;
  /** For messages and metrics. Default: `postgres`, `mariadb` or `sqlite`. */
  readonly name?: string;
  readonly acquire?: AcquireHook;
}
