/** InfluxDB in a container, where the optional package `testcontainers` is installed. */
import { inContainer } from './docker.js';
import { type InfluxdbAccess, influxdAnswers, setUpInfluxdb } from './influxdb-client.js';
import { freePort } from './ports.js';
import type { Running } from './server.js';

const IMAGE = 'influxdb:2.7';

export async function startInfluxdbInDocker(): Promise<Running & InfluxdbAccess> {
  const { GenericContainer, Wait } = await import('testcontainers');
  // A port of our choice stays the same over a restart.
  const port = await freePort();
  const container = await new GenericContainer(IMAGE)
    .withCommand(['influxd', '--reporting-disabled', '--ui-disabled'])
    .withExposedPorts({ container: 8086, host: port })
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const url = `http://${container.getHost()}:${port}`;
  const life = await inContainer(container, () => influxdAnswers(url));
  return { ...(await setUpInfluxdb(url)), ...life };
}
