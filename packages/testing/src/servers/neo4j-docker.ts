/** Neo4j in a container, where a Docker daemon answers and the optional package `testcontainers` is installed. */
import { randomBytes } from 'node:crypto';
import { inContainer } from './docker.js';
import { answers } from './neo4j-client.js';
import type { RunningNeo4j } from './neo4j-native.js';
import { freePort } from './ports.js';

const IMAGE = 'neo4j:5-community';

export async function startNeo4jInDocker(): Promise<RunningNeo4j> {
  const { GenericContainer, Wait } = await import('testcontainers');
  // A port of our choice stays the same over a restart.
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({
      NEO4J_AUTH: `neo4j/${password}`,
      NEO4J_server_memory_heap_initial__size: '512m',
      NEO4J_server_memory_heap_max__size: '512m',
      NEO4J_dbms_usage__report_enabled: 'false',
    })
    .withExposedPorts({ container: 7687, host: port })
    .withWaitStrategy(Wait.forLogMessage(/Started\./))
    .withStartupTimeout(120_000)
    .start();
  const access = { url: `bolt://${container.getHost()}:${port}`, username: 'neo4j', password };
  return { ...access, ...(await inContainer(container, () => answers(access))) };
}
