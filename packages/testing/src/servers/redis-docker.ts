/** Redis in a container, where a Docker daemon answers and the optional package `testcontainers` is installed. */
import { inContainer } from './docker.js';
import { freePort } from './ports.js';
import type { RunningRedis } from './redis-native.js';

const IMAGE = 'redis:7-alpine';

export async function startRedisInDocker(): Promise<RunningRedis> {
  const { GenericContainer, Wait } = await import('testcontainers');
  // A port of our choice stays the same over a restart.
  const port = await freePort();
  const container = await new GenericContainer(IMAGE)
    .withCommand(['redis-server', '--save', '', '--appendonly', 'yes'])
    .withExposedPorts({ container: 6379, host: port })
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .start();
  return { url: `redis://${container.getHost()}:${port}`, ...(await inContainer(container)) };
}
