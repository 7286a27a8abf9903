/** The two databases that every behaviour here is tested on: a real server, and PGlite in memory. */
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { PgDomain, poolConnections, type SqlDomain } from '@storeweave/sql';
import { sharedPostgres } from '@storeweave/testing/servers';
import pg from 'pg';

export interface TestDatabase {
  readonly domain: SqlDomain;
  /** One statement, for looking at what is there. */
  ask(text: string): Promise<(string | null)[][]>;
  close(): Promise<void>;
}

export const databases: readonly { readonly name: string; readonly open: () => Promise<TestDatabase> }[] = [
  { name: 'PostgreSQL', open: openServer },
  { name: 'PGlite', open: openPglite },
];

async function openServer(): Promise<TestDatabase> {
  const server = await sharedPostgres();
  const connectionString = await server.database('storeweave_models');
  return asDatabase(
    new PgDomain(
      poolConnections(() => new pg.Pool({ connectionString, max: 6 })),
      { name: 'server' },
    ),
  );
}

async function openPglite(): Promise<TestDatabase> {
  const pglite = await PGlite.create();
  const config = createPgConfig(pglite) as unknown as pg.PoolConfig;
  const domain = new PgDomain(
    poolConnections(() => new pg.Pool({ ...config, max: 1, connectionTimeoutMillis: 10_000 })),
    { name: 'pglite', exclusive: true },
  );
  return asDatabase(domain, () => pglite.close());
}

async function asDatabase(domain: SqlDomain, closed?: () => Promise<void>): Promise<TestDatabase> {
  await domain.open();
  return {
    domain,
    ask: (text) =>
      domain.use(
        { label: 'test' },
        async (session) => (await session.query({ text, values: [] })).rows as (string | null)[][],
      ),
    async close() {
      await domain.close();
      await closed?.();
    },
  };
}
