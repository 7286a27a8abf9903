/**
 * A real InfluxDB 2 for tests: from the URL in `STOREWEAVE_INFLUXDB_URL` if it is set, else in a container where Docker
 * is, else started natively (an installed `influxd`, or one that is built once from its Go module and kept).
 */
import { ConfigurationError } from '@storeweave/core';
import { dockerAnswers } from './docker.js';
import { freshName } from './fresh-name.js';
import { type InfluxdbAccess, influxdAnswers, influxdbVersion, removeSpace } from './influxdb-client.js';
import { startInfluxdbInDocker } from './influxdb-docker.js';
import { influxdbProgram, startInfluxdbNative } from './influxdb-native.js';
import {
  findServer,
  type Running,
  type ServerOptions,
  serverByUrl,
  serverInDocker,
  type TestServer,
} from './server.js';

export interface InfluxdbServer extends TestServer, InfluxdbAccess {
  /** Gives a prefix of bucket names that no one else uses, beginning with `name`. Its buckets are removed at `stop`. */
  space(name: string): Promise<string>;
}

/** Starts (or finds) a server. Throws `ConfigurationError` where none can be had. */
export async function startInfluxdb(options: ServerOptions = {}): Promise<InfluxdbServer> {
  const running = await findServer<Running & InfluxdbAccess>(
    'InfluxDB 2',
    'Set STOREWEAVE_INFLUXDB_URL, _TOKEN and _ORG to a server, install influxd, or install Go and Rust to have it built.',
    options.ways,
    {
      url: async (reasons) => {
        const found = await serverByUrl('STOREWEAVE_INFLUXDB_URL', influxdAnswers, reasons);
        return found && { ...found, ...accessByEnvironment() };
      },
      docker: (reasons) => serverInDocker(startInfluxdbInDocker, dockerAnswers, reasons),
      native: async (reasons) => {
        const program = await influxdbProgram(reasons);
        return program && { ...(await startInfluxdbNative(program)), origin: program.origin };
      },
    },
  );
  const spaces: string[] = [];
  return {
    ...running,
    version: await influxdbVersion(running.url),
    async space(name) {
      const prefix = `${freshName(name)}_`;
      spaces.push(prefix);
      return prefix;
    },
    async stop() {
      if (running.how === 'url') for (const prefix of spaces) await removeSpace(running, prefix);
      await running.stop();
    },
  };
}

function accessByEnvironment(): Pick<InfluxdbAccess, 'token' | 'org'> {
  const { STOREWEAVE_INFLUXDB_TOKEN: token, STOREWEAVE_INFLUXDB_ORG: org } = process.env;
  if (token !== undefined && token !== '' && org !== undefined && org !== '') return { token, org };
  throw new ConfigurationError(
    'STOREWEAVE_INFLUXDB_URL is set, and STOREWEAVE_INFLUXDB_TOKEN or STOREWEAVE_INFLUXDB_ORG is not. Set all three.',
  );
}
