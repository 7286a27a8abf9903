/**
 * The relational store on an embedded database: TypeORM's `DataSource` over PGlite's adapter for `pg`, behind the gate.
 * The `DataSource` comes and goes with the database, and the database with the last store that uses its domain.
 */
import type { Extensions, PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { type PgConnections, PgDomain } from '@storeweave/sql';
import { DataSourceConnections, TypeormStore } from '@storeweave/typeorm';
import { DataSource } from 'typeorm';
import { EmbeddedDatabase } from './embedded-database.js';
import { exchange } from './protocol.js';

/** See `EmbeddedOptions`. */
export interface PGliteOptions {
  readonly path?: string;
  readonly schema?: string;
  readonly acquireTimeoutMs?: number;
  readonly fsync?: boolean;
  readonly extensions?: Extensions;
}

export function relationalOnPGlite(options: PGliteOptions): TypeormStore {
  const { path, schema, acquireTimeoutMs, fsync, extensions } = options;
  const database = new EmbeddedDatabase({
    ...(path !== undefined && { path }),
    ...(extensions !== undefined && { extensions }),
    acquireTimeoutMs: acquireTimeoutMs ?? 10_000,
    fsync: fsync ?? true,
    onSession: () => Object.assign(adapter.connection, { parsedStatements: {}, submittedNamedStatements: {} }),
  });
  const adapter = createPgConfig(adapted(database));
  const dataSource = new DataSource({
    type: 'postgres',
    ...(schema !== undefined && { schema }),
    extra: adapter,
    poolSize: 1,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    entities: [],
  });
  const connections = new DataSourceConnections(dataSource, async ({ purpose, label, timeoutMs, signal }) => {
    const turn = await database.take({
      ...(label !== purpose && { label: `"${label}"` }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(signal !== undefined && { signal }),
      transaction: purpose === 'transaction',
    });
    return { release: () => turn.end() };
  });
  return new TypeormStore(
    dataSource,
    new PgDomain(owning(connections, database), { name: database.name, exclusive: true }),
    schema,
  );
}

/** Connections that come and go with their database. */
function owning(connections: PgConnections, database: EmbeddedDatabase): PgConnections {
  return {
    get native() {
      return connections.native;
    },
    acquire: (request) => connections.acquire(request),
    async open() {
      await database.open();
      try {
        await connections.open();
      } catch (error) {
        await database.close();
        throw error;
      }
    },
    async close() {
      try {
        await connections.close();
      } finally {
        await database.close();
      }
    },
  };
}

/** What PGlite's adapter for `pg` uses of an instance, always of the one that runs now. */
function adapted(database: EmbeddedDatabase): PGlite {
  const used = {
    waitReady: Promise.resolve(),
    execProtocolStream: (message: Uint8Array) => exchange(database.pglite, message),
  };
  return used as unknown as PGlite;
}
