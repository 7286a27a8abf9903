/**
 * What a machine lacks to have a server of a kind at all, found out in a moment and before anything is downloaded, built
 * or started. A run of tests leaves out what needs such a server, and says so at its end; a server that fails although
 * the machine has everything is a failure of the tests.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { runs } from './apt.js';
import { cachedPrefix } from './cache.js';
import { dockerAnswers } from './docker.js';

/** Where a configuration notes, line by line, what it leaves out because its server cannot be had. */
export const NOT_TESTED = 'STOREWEAVE_NOT_TESTED';

/** Kinds of servers that are not in an npm package, and so may not be had. */
export type RareServer = 'influxdb' | 'mariadb' | 'mongodb' | 'neo4j' | 'redis';

interface Prerequisites {
  readonly title: string;
  /** Environment variable with a URL. */
  readonly variable: string;
  /** Beginning of the folder in the cache, where something was built or downloaded before. */
  readonly cache?: string;
  /** What is missing on this machine to run it natively. */
  missing(): string[];
}

const OLDEST_JAVA = 17;

const prerequisites: Record<RareServer, Prerequisites> = {
  influxdb: {
    title: 'InfluxDB',
    variable: 'STOREWEAVE_INFLUXDB_URL',
    cache: 'influxdb-',
    missing: () => {
      if (spawnSync('influxd', ['version'], { stdio: 'ignore' }).status === 0) return [];
      const isThere = { Go: answers('go', 'version'), 'Rust with cargo': runs('cargo'), 'a C compiler': runs('gcc') };
      return Object.entries(isThere).flatMap(([name, there]) => (there ? [] : [name]));
    },
  },
  mariadb: {
    title: 'MariaDB',
    variable: 'STOREWEAVE_MARIADB_URL',
    missing: () => (runs('mariadbd') || canApt() ? [] : ['MariaDB, or apt with root']),
  },
  mongodb: {
    title: 'MongoDB',
    variable: 'STOREWEAVE_MONGODB_URL',
    cache: 'secantus',
    missing: () =>
      answers('python3', '-c', 'import venv, ensurepip') || runs('cargo')
        ? []
        : ['Python 3 with venv, or Rust with cargo'],
  },
  neo4j: {
    title: 'Neo4j',
    variable: 'STOREWEAVE_NEO4J_URL',
    missing: () => [
      ...(javaVersion() >= OLDEST_JAVA ? [] : [`Java ${OLDEST_JAVA} or later`]),
      ...(runs('mvn') || cachedPrefix('neo4j-') ? [] : ['Maven']),
    ],
  },
  redis: {
    title: 'Redis',
    variable: 'STOREWEAVE_REDIS_URL',
    missing: () => (runs('redis-server') || canApt() ? [] : ['Redis, or apt with root']),
  },
};

/** Why a server of this kind cannot be had here; undefined where nothing speaks against it. */
export async function whyNot(kind: RareServer): Promise<string | undefined> {
  const { title, variable, cache, missing } = prerequisites[kind];
  const url = process.env[variable];
  if (url !== undefined && url !== '') return undefined;
  if (cache !== undefined && cachedPrefix(cache)) return undefined;
  const lacking = missing();
  if (lacking.length === 0 || (await dockerAnswers())) return undefined;
  return `${title}: ${variable} is not set, no Docker daemon answers, and this machine lacks ${lacking.join(' and ')}`;
}

function answers(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function javaVersion(): number {
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0);
}

function canApt(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}
