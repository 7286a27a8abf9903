/** PostgreSQL in a container, where a Docker daemon answers and the optional package `testcontainers` is installed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.js';
import { answers } from './postgres-client.js';
import type { NativeOptions, RunningPostgres } from './postgres-native.js';

const IMAGE = 'postgres:15-alpine';

export async function startInDocker(options: NativeOptions): Promise<RunningPostgres> {
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
