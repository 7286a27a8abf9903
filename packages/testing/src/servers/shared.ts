/**
 * One server for a whole test run, started when the first test asks for it. Test files run in processes of their own,
 * so the run's main process keeps the server and answers over HTTP on the loopback interface; a process without such a
 * keeper (a script, a single test outside a runner) starts a server for itself.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { ConfigurationError } from '@storeweave/core';
import { type PostgresServer, startPostgres } from './postgres.js';

/** Where the keeper of this run listens; inherited by the processes of the tests. */
const KEEPER = 'STOREWEAVE_TEST_SERVERS';

/** What a test may do with a server that it shares: no kill, no restart. */
export type SharedPostgres = Pick<PostgresServer, 'url' | 'version' | 'how' | 'origin' | 'database'>;

type Description = Pick<PostgresServer, 'url' | 'version' | 'how' | 'origin'>;

/** What a run used, for the report at its end. */
export interface ServerReport {
  readonly tested: readonly string[];
  readonly notTested: readonly string[];
}

export interface ServerKeeper {
  /** Ends every server that was started. */
  stop(): Promise<ServerReport>;
}

let own: Promise<PostgresServer> | undefined;

/** The PostgreSQL of this run. Throws `ConfigurationError` saying what was tried where none can be had. */
export async function sharedPostgres(): Promise<SharedPostgres> {
  const keeper = process.env[KEEPER];
  if (keeper === undefined) {
    own ??= startPostgres();
    return own;
  }
  const server = await call<Description>(`${keeper}/postgres`);
  return {
    ...server,
    database: async (name) =>
      (await call<{ url: string }>(`${keeper}/postgres/database/${encodeURIComponent(name)}`)).url,
  };
}

/** Starts the keeper; to be called once by the main process of a run, before those of its tests start. */
export async function keepServers(): Promise<ServerKeeper> {
  let postgres: Promise<PostgresServer> | undefined;
  const secret = randomBytes(12).toString('hex');
  const http = createServer(async (request, response) => {
    const [given, server, verb, name] = (request.url ?? '').split('/').slice(1);
    try {
      if (given !== secret || server !== 'postgres')
        throw new ConfigurationError(`Not a server of this run: ${request.url}`);
      postgres ??= startPostgres();
      const { url, version, how, origin, database } = await postgres;
      const answer =
        verb === 'database'
          ? { url: await database(decodeURIComponent(name ?? 'test')) }
          : { url, version, how, origin };
      response.end(JSON.stringify(answer));
    } catch (error) {
      response.statusCode = 500;
      response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
    }
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  http.unref();
  const address = http.address();
  if (address === null || typeof address === 'string')
    throw new ConfigurationError('The keeper of test servers could not listen.');
  process.env[KEEPER] = `http://127.0.0.1:${address.port}/${secret}`;

  return {
    async stop() {
      delete process.env[KEEPER];
      http.close();
      http.closeAllConnections();
      if (postgres === undefined) return { tested: [], notTested: [] };
      try {
        const server = await postgres;
        await server.stop();
        return { tested: [`PostgreSQL ${server.version} (${server.how}: ${server.origin})`], notTested: [] };
      } catch (error) {
        return { tested: [], notTested: [`PostgreSQL: ${error instanceof Error ? error.message : String(error)}`] };
      }
    },
  };
}

async function call<T>(url: string): Promise<T> {
  const response = await fetch(url);
  const answer = (await response.json()) as T & { error?: string };
  if (!response.ok)
    throw new ConfigurationError(answer.error ?? `The keeper of test servers answered ${response.status}.`);
  return answer;
}
