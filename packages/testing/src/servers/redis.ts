/**
 * A real Redis for tests: one node by the URL in `STOREWEAVE_REDIS_URL` if it is set, else in a container where Docker
 * is, else natively; or a cluster, by the URLs in `STOREWEAVE_REDIS_CLUSTER_URLS` (separated by commas), else natively.
 */
import { ConfigurationError } from '@storeweave/core';
import { dockerAnswers } from './docker.js';
import { freshName } from './fresh-name.js';
import { redisAsk } from './redis-client.js';
import { startRedisInDocker } from './redis-docker.js';
import { type RunningRedis, redisProgram, startRedisCluster as startNodes, startRedisNode } from './redis-native.js';
import { findServer, type ServerOptions, serverByUrl, serverInDocker, type TestServer } from './server.js';

export interface RedisServer extends TestServer {
  /** `redis://host:port`. */
  readonly url: string;
  /** A prefix for keys that nobody else has; it begins with `name`. */
  space(name: string): Promise<string>;
}

/** Three masters with a replica each. */
export interface RedisCluster {
  readonly version: string;
  /** Every node; of a cluster of ours each can be killed and restarted. */
  readonly nodes: readonly RunningRedis[];
  stop(): Promise<void>;
}

const ADVICE = "Set STOREWEAVE_REDIS_URL to a server's URL, or install redis-server.";
const answers = async (url: string) => (await redisAsk(url, ['PING']).catch(() => '')) === 'PONG';

/** Starts (or finds) a server. Throws `ConfigurationError` where none can be had. */
export async function startRedis(options: ServerOptions = {}): Promise<RedisServer> {
  const running = await findServer<RunningRedis>('Redis', ADVICE, options.ways, {
    url: (reasons) => serverByUrl('STOREWEAVE_REDIS_URL', answers, reasons),
    docker: (reasons) => serverInDocker(startRedisInDocker, dockerAnswers, reasons),
    native: async (reasons) => {
      const origin = redisProgram(reasons);
      return origin === undefined ? undefined : { ...(await startRedisNode()), origin };
    },
  });
  return {
    ...running,
    version: await versionOf(running.url),
    space: async (name) => `${freshName(name)}:`,
  };
}

/** Starts (or finds) a cluster. Throws `ConfigurationError` where none can be had. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const given = process.env.STOREWEAVE_REDIS_CLUSTER_URLS;
  if (given !== undefined && given !== '') {
    const urls = given.split(',').map((url) => url.trim());
    const nodes = urls.map((url): RunningRedis => ({ url, stop: async () => {}, kill: refuse, restart: refuse }));
    return { nodes, version: await versionOf(urls[0] ?? ''), stop: async () => {} };
  }
  const reasons = ['STOREWEAVE_REDIS_CLUSTER_URLS is not set'];
  if (redisProgram(reasons) === undefined) {
    throw new ConfigurationError(`No Redis cluster could be had for the tests: ${reasons.join('; ')}. ${ADVICE}`);
  }
  const { nodes } = await startNodes();
  return {
    nodes,
    version: await versionOf(nodes[0]?.url ?? ''),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

async function versionOf(url: string): Promise<string> {
  return /redis_version:(\S+)/.exec(await redisAsk(url, ['INFO', 'server']))?.[1] ?? 'unknown';
}

const refuse = async () => {
  throw new ConfigurationError('The cluster of STOREWEAVE_REDIS_CLUSTER_URLS is not ours to kill or restart.');
};
