/**
 * A real MariaDB for tests: from the URL in `STOREWEAVE_MARIADB_URL` if it is set, else in a container where Docker is,
 * else natively, else an error that says everything that was tried and what to do.
 */
import { dockerAnswers } from './docker.js';
import { freshName } from './fresh-name.js';
import { askMariadb, mariadbAnswers } from './mariadb-client.js';
import { startMariadbInDocker } from './mariadb-docker.js';
import { mariadbProgram, type RunningMariadb, startMariadbNatively } from './mariadb-native.js';
import { findServer, type ServerOptions, serverByUrl, serverInDocker, type TestServer } from './server.js';

export interface MariadbServer extends TestServer {
  /** Connects as a user who may create databases: `mysql://user:password@host:port`. */
  readonly url: string;
  /** Gives the URL of an empty database of its own, whose name begins with `name`. Dropped at `stop`. */
  database(name: string): Promise<string>;
}

/** Starts (or finds) a server. Throws `ConfigurationError` where none can be had. */
export async function startMariadb(options: ServerOptions = {}): Promise<MariadbServer> {
  const running = await findServer<RunningMariadb>(
    'MariaDB',
    "Set STOREWEAVE_MARIADB_URL to a server's URL, or install mariadb-server.",
    options.ways,
    {
      url: (reasons) =>
        serverByUrl('STOREWEAVE_MARIADB_URL', async (url) => (await mariadbAnswers(url)) !== undefined, reasons),
      docker: (reasons) => serverInDocker(startMariadbInDocker, dockerAnswers, reasons),
      native: async (reasons) => {
        const program = mariadbProgram(reasons);
        return program && { ...(await startMariadbNatively(program)), origin: program.origin };
      },
    },
  );
  const databases: string[] = [];
  return {
    ...running,
    version: (await mariadbAnswers(running.url)) ?? 'unknown',
    async database(name) {
      const database = freshName(name);
      await askMariadb(running.url, `create database \`${database}\``);
      databases.push(database);
      const url = new URL(running.url);
      url.pathname = `/${database}`;
      return url.href;
    },
    async stop() {
      if (running.how === 'url')
        for (const database of databases) await askMariadb(running.url, `drop database \`${database}\``);
      await running.stop();
    },
  };
}
