/** InfluxDB in a container, where the optional package `testcontainers` is installed. */
import { setTimeout as sleep } from 'node:timers/promises';
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
  const ready = async () => {
    for (let i = 0; i < 600 && !(await influxdAnswers(url)); i++) await sleep(50);
  };
  await ready();
  return {
    ...(await setUpInfluxdb(url)),
    stop: async () => void (await container.stop()),
    // A grace of nothing: Docker sends SIGKILL at once.
    kill: async () => void (await container.stop({ timeout: 0, remove: false, removeVolumes: false })),
    async restart() {
      await container.restart();
      await ready();
    },
  };
}
