/**
 * A MongoDB for tests, with transactions and change streams: from the URL in `STOREWEAVE_MONGODB_URL` if it is set, else
 * the real one in a container where Docker is, else SecantusDB, a server that speaks its protocol, started natively:
 * no package registry has the real one. The report of a run says which it was.
 */
import { dockerAnswers } from './docker.js';
import { freshName } from './fresh-name.js';
import { databaseUrl, dropDatabase, mongodbAnswers, mongodbVersion } from './mongodb-client.js';
import { startMongodbInDocker } from './mongodb-docker.js';
import { type MongodbNativeOptions, secantusProgram, startSecantus } from './mongodb-native.js';
import {
  findServer,
  type Running,
  type ServerOptions,
  serverByUrl,
  serverInDocker,
  type TestServer,
} from './server.js';

export interface MongodbOptions extends ServerOptions, MongodbNativeOptions {}

export interface MongodbServer extends TestServer {
  /** Connects to the server; names no database. */
  readonly url: string;
  /** Gives the URL of an empty database of its own, whose name begins with `name`. Dropped at `stop`. */
  database(name: string): Promise<string>;
}

/** Starts (or finds) a server. Throws `ConfigurationError` where none can be had. */
export async function startMongodb(options: MongodbOptions = {}): Promise<MongodbServer> {
  const running = await findServer<Running & { readonly url: string }>(
    'MongoDB',
    'Set STOREWEAVE_MONGODB_URL to a replica set, or install Docker, Python 3 with venv, or Rust.',
    options.ways,
    {
      url: (reasons) => serverByUrl('STOREWEAVE_MONGODB_URL', mongodbAnswers, reasons),
      docker: (reasons) => serverInDocker(() => startMongodbInDocker(options), dockerAnswers, reasons),
      native: async (reasons) => {
        const program = await secantusProgram(reasons);
        return program && { ...(await startSecantus(program, options)), origin: program.origin };
      },
    },
  );
  const databases: string[] = [];
  return {
    ...running,
    version: await mongodbVersion(running.url),
    async database(name) {
      const url = databaseUrl(running.url, freshName(name));
      databases.push(url);
      return url;
    },
    async stop() {
      if (running.how === 'url') for (const url of databases) await dropDatabase(url);
      await running.stop();
    },
  };
}
