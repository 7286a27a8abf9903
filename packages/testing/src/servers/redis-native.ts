/**
 * Redis of our own, one node or a cluster of three masters with a replica each: the `redis-server` of the machine, or
 * Debian's. Append-only files without fsync, so that a killed node finds its data again.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError } from '@storeweave/core';
import { aptInstall, runs } from './apt.js';
import { runNatively } from './native.js';
import { redisAsk } from './redis-client.js';
import type { Running } from './server.js';

export interface RunningRedis extends Running {
  readonly url: string;
}

const CLUSTER = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-node-timeout', '1500'];
const CLUSTER_LIMIT_MS = 30_000;

/** Where `redis-server` comes from; undefined, with the reasons, where it cannot be had. */
export function redisProgram(reasons: string[]): string | undefined {
  if (runs('redis-server') && runs('redis-cli')) return 'installed server';
  reasons.push('redis-server and redis-cli are not installed');
  if (!aptInstall(['redis-server', 'redis-tools'], reasons)) return undefined;
  return runs('redis-server') && runs('redis-cli') ? 'Debian package' : undefined;
}

export async function startRedisNode(more: readonly string[] = []): Promise<RunningRedis & { readonly port: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'storeweave-redis-'));
  mkdirSync(join(folder, 'data'));
  const running = await runNatively({
    product: 'Redis',
    folder,
    stopSignal: 'TERM',
    command: (port) => ({
      command: 'redis-server',
      args: [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', join(folder, 'data')],
        ...['--save', '', '--appendonly', 'yes', '--appendfsync', 'no', ...more],
      ],
    }),
    answers: async (port) => (await redisAsk(`redis://127.0.0.1:${port}`, ['PING']).catch(() => '')) === 'PONG',
  });
  return { ...running, url: `redis://127.0.0.1:${running.port}` };
}

/** Six nodes; resolves when each of them says that the cluster is whole. */
export async function startRedisCluster(): Promise<{ nodes: RunningRedis[] }> {
  const nodes = await Promise.all(Array.from({ length: 6 }, () => startRedisNode(CLUSTER)));
  const places = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const made = spawnSync('redis-cli', ['--cluster', 'create', ...places, '--cluster-replicas', '1', '--cluster-yes'], {
    encoding: 'utf8',
  });
  // A replica that has not followed its master yet would not take over from it.
  const isWhole = async () => {
    const asked = nodes.map(
      async ({ url }) => `${await redisAsk(url, ['CLUSTER', 'INFO'])}${await redisAsk(url, ['INFO', 'replication'])}`,
    );
    const states = await Promise.all(asked).catch(() => []);
    const following = states.filter((state) => /role:slave/.test(state) && /master_link_status:up/.test(state));
    return states.every((state) => state.includes('cluster_state:ok')) && following.length === nodes.length / 2;
  };
  for (const deadline = Date.now() + CLUSTER_LIMIT_MS; !(await isWhole()); await sleep(50)) {
    if (Date.now() < deadline && made.status === 0) continue;
    await Promise.all(nodes.map((node) => node.stop()));
    throw new ConfigurationError(`The Redis cluster did not come up: ${made.stderr || made.stdout}`);
  }
  return { nodes };
}
