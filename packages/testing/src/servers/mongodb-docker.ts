/** The real MongoDB as a replica set of one, where a Docker daemon answers and `testcontainers` is installed. */
import { inContainer } from './docker.js';
import { initiate, mongodbAnswers } from './mongodb-client.js';
import type { MongodbNativeOptions } from './mongodb-native.js';
import { freePort } from './ports.js';
import type { Running } from './server.js';

const IMAGE = 'mongo:8';

export async function startMongodbInDocker({
  standalone,
}: MongodbNativeOptions): Promise<Running & { readonly url: string }> {
  const { GenericContainer, Wait } = await import('testcontainers');
  // The same port inside and outside: members are known by their address, which must be good for both.
  const port = await freePort();
  const container = await new GenericContainer(IMAGE)
    .withCommand([
      'mongod',
      ...(standalone === true ? [] : ['--replSet', 'storeweave']),
      '--bind_ip_all',
      '--port',
      String(port),
    ])
    .withExposedPorts({ container: port, host: port })
    .withWaitStrategy(Wait.forLogMessage(/Waiting for connections/))
    .start();
  const direct = `mongodb://${container.getHost()}:${port}/?directConnection=true`;
  if (standalone !== true) await initiate(direct, `localhost:${port}`);
  return { url: direct, ...(await inContainer(container, () => mongodbAnswers(direct))) };
}
