/** PostgreSQL in a container, where a Docker daemon answers and the optional package `testcontainers` is installed. */
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.js';
import { answers } from './postgres-client.js';
import type { NativeOptions, Running } from './postgres-native.js';

const IMAGE = 'postgres:15-alpine';

/** True where something listens on Docker's socket or at `DOCKER_HOST`. */
export async function dockerAnswers(): Promise<boolean> {
  const host = process.env.DOCKER_HOST;
  if (host !== undefined && host !== '') {
    const { protocol, hostname, port, pathname } = new URL(host);
    return protocol === 'unix:'
      ? connects({ path: pathname })
      : connects({ host: hostname, port: Number(port || 2375) });
  }
  for (const path of ['/var/run/docker.sock', join(homedir(), '.docker/run/docker.sock')]) {
    if (existsSync(path) && (await connects({ path }))) return true;
  }
  return false;
}

function connects(target: { path: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(target);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

export async function startInDocker(options: NativeOptions): Promise<Running> {
  const { GenericContainer, Wait } = await import('testcontainers');
  // A port of our choice stays the same over a restart.
  const port = await freePort();
  const settings = {
    fsync: options.fsync ? 'on' : 'off',
    max_connections: '200',
    max_prepared_transactions: '20',
    timezone: 'UTC',
    ...options.settings,
  };
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ POSTGRES_PASSWORD: 'storeweave', POSTGRES_INITDB_ARGS: '--no-locale -E UTF8' })
    .withCommand(['postgres', ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])])
    .withExposedPorts({ container: 5432, host: port })
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .start();
  const url = `postgres://postgres:storeweave@${container.getHost()}:${port}/postgres`;
  const ready = async () => {
    for (let i = 0; i < 600 && !(await answers(url)); i++) await sleep(50);
  };
  await ready();
  return {
    url,
    stop: async () => void (await container.stop()),
    // A grace of nothing: Docker sends SIGKILL at once.
    kill: async () => void (await container.stop({ timeout: 0, remove: false, removeVolumes: false })),
    async restart() {
      await container.restart();
      await ready();
    },
  };
}
