/** PostgreSQL in a container, where a Docker daemon answers and the optional package `testcontainers` is installed. */
import { inContainer } from './docker.js';
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
  return { url, ...(await inContainer(container, () => answers(url))) };
}
