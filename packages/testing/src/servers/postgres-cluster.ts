/**
 * Several PostgreSQL servers at once: a primary whose standbys stream from it, for tests of replicas and fail-over; and
 * servers that know nothing of each other, for tests of shards.
 */
import { ConfigurationError } from '@storeweave/core';
import { type PostgresOptions, type PostgresServer, startPostgres } from './postgres.js';
import { postgresBinaries } from './postgres-binaries.js';
import { ask } from './postgres-client.js';
import { DataFolder, type RunningPostgres } from './postgres-native.js';

export interface PostgresClusterOptions extends Omit<PostgresOptions, 'ways'> {
  /** Number of standbys. Default: 2. */
  readonly standbys?: number;
  /** Further settings of the standbys alone: `recovery_min_apply_delay` makes them lag by exactly that. */
  readonly standbySettings?: Readonly<Record<string, string>>;
}

/** A primary and its standbys, all of them ours. */
export interface PostgresCluster {
  readonly primary: RunningPostgres;
  readonly standbys: readonly RunningPostgres[];
  readonly version: string;
  /** Makes a standby a primary; resolves when it takes writes. */
  promote(standby: RunningPostgres): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a primary and its standbys natively; resolves when each of the latter streams. By URL or in Docker they cannot
 * be had: what they are for is to be killed.
 *
 * @throws ConfigurationError where no PostgreSQL 15 or later can be had.
 */
export async function startPostgresCluster(options: PostgresClusterOptions = {}): Promise<PostgresCluster> {
  const { standbys: count = 2, standbySettings = {}, fsync = false, settings = {} } = options;
  const reasons: string[] = [];
  const binaries = postgresBinaries(reasons);
  if (binaries === undefined) {
    throw new ConfigurationError(`No PostgreSQL 15 or later could be had for the tests: ${reasons.join('; ')}.`);
  }
  const first = DataFolder.create(binaries);
  const copies = Array.from({ length: count }, () => first.copy());
  const native = { fsync, settings: { wal_keep_size: '256MB', max_wal_senders: '10', ...settings } };
  const primary = await first.start(native);
  const servers: RunningPostgres[] = [primary];
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())));
  try {
    for (const copy of copies) {
      copy.follow(primary.port, standbySettings);
      servers.push(await copy.start(native));
    }
    await until(async () => Number(await ask(primary.url, STREAMING)) === count, `${count} standbys to stream`);
  } catch (error) {
    await stop();
    throw error;
  }
  const version = (await ask(primary.url, 'show server_version'))?.split(' ')[0] ?? 'unknown';
  return {
    primary,
    standbys: servers.slice(1),
    version,
    async promote(standby) {
      await ask(standby.url, 'select pg_promote(true, 30)');
      await until(async () => (await ask(standby.url, 'select pg_is_in_recovery()')) === 'false', 'the promotion');
    },
    stop,
  };
}

/** Starts servers that know nothing of each other. */
export function startPostgresShards(count: number, options: PostgresOptions = {}): Promise<PostgresServer[]> {
  // One server by URL cannot be several.
  return Promise.all(Array.from({ length: count }, () => startPostgres({ ...options, ways: ['docker', 'native'] })));
}

const STREAMING = "select count(*) from pg_stat_replication where state = 'streaming'";

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (
    const deadline = Date.now() + 30_000;
    !(await holds());
    await new Promise((resolve) => setTimeout(resolve, 50))
  ) {
    if (Date.now() > deadline) throw new ConfigurationError(`Waited 30 s in vain for ${what}.`);
  }
}
