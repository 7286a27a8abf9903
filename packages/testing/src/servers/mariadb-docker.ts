/** MariaDB in a container, where a Docker daemon answers and the optional package `testcontainers` is installed. */
import { inContainer } from './docker.js';
import type { RunningMariadb } from './mariadb-native.js';
import { freePort } from './ports.js';

const IMAGE = 'mariadb:10.11';

export async function startMariadbInDocker(): Promise<RunningMariadb> {
  const { GenericContainer, Wait } = await import('testcontainers');
  // A port of our choice stays the same over a restart.
  const port = await freePort();
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ MARIADB_ROOT_PASSWORD: 'storeweave' })
    .withExposedPorts({ container: 3306, host: port })
    .withWaitStrategy(Wait.forLogMessage(/ready for connections/, 2))
    .start();
  const url = `mysql://root:storeweave@${container.getHost()}:${port}`;
  return { url, ...(await inContainer(container)) };
}
