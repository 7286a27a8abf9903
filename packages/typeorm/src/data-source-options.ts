/** The options of the `DataSource` that `typeorm()` makes, driver by driver. */
import { ConfigurationError } from '@storeweave/core';
import type { DataSourceOptions } from 'typeorm';
import type { TypeormOptions } from './options.js';

type DriverType = NonNullable<TypeormOptions['type']>;

const schemes: Readonly<Record<string, DriverType>> = {
  postgres: 'postgres',
  postgresql: 'postgres',
  mysql: 'mariadb',
  mariadb: 'mariadb',
};

/** Throws `ConfigurationError` for a url of another kind of database. */
export function dataSourceOptions(options: TypeormOptions): DataSourceOptions {
  switch (options.type ?? typeOfUrl(options.url)) {
    case 'postgres':
      return postgresOptions(options);
    case 'mariadb':
      return mariadbOptions(options);
    case 'better-sqlite3':
      return { type: 'better-sqlite3', database: pathOf(options), ...commonOptions(options), ...(options.extra ?? {}) };
    case 'sqljs':
      return {
        type: 'sqljs',
        ...(options.database === undefined ? {} : { location: options.database }),
        ...commonOptions(options),
        ...(options.extra ?? {}),
      };
  }
}

function typeOfUrl(url: string | undefined): DriverType {
  if (url === undefined) return 'postgres';
  const type = schemes[/^(\w+):/.exec(url)?.[1] ?? ''];
  if (type !== undefined) return type;
  throw new ConfigurationError(
    `typeorm() connects to postgres://, mariadb:// and mysql:// URLs. For a file of SQLite say type: 'better-sqlite3' (or 'sqljs') and database: its path.`,
  );
}

function pathOf({ database }: TypeormOptions): string {
  if (database !== undefined) return database;
  throw new ConfigurationError(
    "typeorm({ type: 'better-sqlite3' }) needs the path of a file as database, or ':memory:'.",
  );
}

function commonOptions({ entities, migrations, migrationsTableName }: TypeormOptions) {
  return {
    entities: [...(entities ?? [])] as string[],
    ...(migrations === undefined ? {} : { migrations: [...migrations] as string[] }),
    ...(migrationsTableName === undefined ? {} : { migrationsTableName }),
  };
}

function mariadbOptions(options: TypeormOptions): DataSourceOptions {
  const { url, host, port, username, password, database, ssl, extra } = options;
  return {
    type: 'mariadb',
    url,
    host,
    port,
    username,
    password: password as string | undefined,
    database,
    ssl: ssl as object | undefined,
    poolSize: options.poolSize ?? 10,
    connectTimeout: options.connectTimeoutMs ?? 10_000,
    // Instants are kept in UTC, letter for letter, by TypeORM's own entities too.
    timezone: 'Z',
    charset: 'utf8mb4',
    supportBigNumbers: true,
    bigNumberStrings: true,
    ...commonOptions(options),
    extra: { ...extra },
  };
}

function postgresOptions(options: TypeormOptions): DataSourceOptions {
  const { url, host, port, username, password, database, ssl, schema, applicationName, extra } = options;
  return {
    type: 'postgres',
    url,
    host,
    port,
    username,
    password,
    database,
    ssl: ssl as boolean | undefined,
    schema,
    applicationName,
    extra,
    poolSize: options.poolSize ?? 10,
    connectTimeoutMS: options.connectTimeoutMs ?? 10_000,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    ...commonOptions(options),
  };
}
