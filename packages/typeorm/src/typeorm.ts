/** Makes the relational store: a `DataSource` of TypeORM's, and what its driver needs around it. */
import { ConfigurationError } from '@storeweave/core';
import {
  ConnectionDomain,
  MariadbDomain,
  PgDomain,
  sqliteDialect,
  sqliteProtocol,
  sqljsDialect,
} from '@storeweave/sql';
import { DataSource } from 'typeorm';
import { DataSourceConnections } from './connections.js';
import { dataSourceOptions } from './data-source-options.js';
import { MariadbConnections } from './mariadb/mariadb-connections.js';
import { mariadbFamily } from './mariadb/mariadb-family.js';
import type { TypeormOptions } from './options.js';
import { SqliteConnections } from './sqlite/sqlite-connections.js';
import { sqliteFamily } from './sqlite/sqlite-family.js';
import { TypeormStore } from './typeorm-store.js';

/**
 * Makes the relational store. Connects at `Storeweave.open()`, not here. Throws `ConfigurationError` for a `DataSource`
 * of a type that it does not know.
 *
 * ```ts
 * const weave = await Storeweave.open({ entities: [User], stores: { relational: typeorm({ url: 'postgres://…' }) } });
 * ```
 */
export function typeorm(options: TypeormOptions = {}): TypeormStore {
  const dataSource = options.dataSource ?? new DataSource(dataSourceOptions(options));
  const { name } = options;
  switch (dataSource.options.type) {
    case 'postgres': {
      const domain = new PgDomain(new DataSourceConnections(dataSource, options.acquire), {
        ...(name === undefined ? {} : { name }),
        preparedStatements: options.preparedStatements !== false,
      });
      const schema = options.schema ?? (dataSource.options as { schema?: string }).schema;
      return new TypeormStore(dataSource, domain, schema);
    }
    case 'better-sqlite3':
    case 'sqljs': {
      const connections = new SqliteConnections(dataSource, name ?? 'sqlite', options.connectTimeoutMs ?? 10_000);
      const domain = new ConnectionDomain(
        connections,
        sqliteProtocol,
        dataSource.options.type === 'sqljs' ? sqljsDialect : sqliteDialect,
        {
          name: name ?? 'sqlite',
          exclusive: true,
        },
      );
      return new TypeormStore(dataSource, domain, undefined, sqliteFamily);
    }
    case 'mariadb':
    case 'mysql': {
      const domain = new MariadbDomain(new MariadbConnections(dataSource), {
        ...(name === undefined ? {} : { name }),
        // The driver's pool waits for ever.
        acquireTimeoutMs: options.connectTimeoutMs ?? 10_000,
      });
      return new TypeormStore(dataSource, domain, undefined, mariadbFamily);
    }
    default:
      throw new ConfigurationError(
        `typeorm() works on a DataSource of type "postgres", "mariadb", "better-sqlite3" or "sqljs"; this one is of type "${dataSource.options.type}".`,
      );
  }
}
