/**
 * An InfluxDB of our own in a temporary folder: on the loopback interface only, with a token made for it, and gone
 * afterwards. Its log is kept where starting it failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError } from '@storeweave/core';
import { builtInfluxd, INFLUXDB_VERSION } from './influxdb-build.js';
import { type InfluxdbAccess, influxdAnswers, setUpInfluxdb } from './influxdb-client.js';
import { freePort } from './ports.js';
import type { Running } from './server.js';
import { type Supervised, supervise, tail } from './supervise.js';

export interface InfluxdbProgram {
  /** Path of `influxd`. */
  readonly influxd: string;
  /** For messages and reports. */
  readonly origin: string;
}

const START_LIMIT_MS = 60_000;

/** Finds the program or builds it. The reasons why a source gave nothing are collected in `reasons`. */
export async function influxdbProgram(reasons: string[]): Promise<InfluxdbProgram | undefined> {
  if (process.platform === 'win32') {
    reasons.push('starting InfluxDB natively is not supported on Windows');
    return undefined;
  }
  const installed = spawnSync('influxd', ['version'], { encoding: 'utf8' });
  if (installed.status === 0 && /\bv?2\.\d/.test(installed.stdout)) return { influxd: 'influxd', origin: 'installed' };
  reasons.push('no influxd 2.x is in the PATH');
  const influxd = await builtInfluxd(reasons);
  return influxd === undefined ? undefined : { influxd, origin: `built from its Go module ${INFLUXDB_VERSION}` };
}

export async function startInfluxdbNative({ influxd, origin }: InfluxdbProgram): Promise<Running & InfluxdbAccess> {
  const root = mkdtempSync(join(tmpdir(), 'storeweave-influxdb-'));
  const log = join(root, 'server.log');
  writeFileSync(log, '');
  let server: Supervised | undefined;
  let port = 0;
  const urlOf = (p: number) => `http://127.0.0.1:${p}`;

  const start = async () => {
    const deadline = Date.now() + START_LIMIT_MS;
    for (;;) {
      const candidate = port === 0 ? await freePort() : port;
      const started = await supervise({
        command: influxd,
        args: [
          'run',
          '--http-bind-address',
          `127.0.0.1:${candidate}`,
          '--reporting-disabled',
          '--ui-disabled',
          '--bolt-path',
          join(root, 'influxd.bolt'),
          '--sqlite-path',
          join(root, 'influxd.sqlite'),
          '--engine-path',
          join(root, 'engine'),
          '--log-level',
          'warn',
        ],
        env: { HOME: root },
        log,
        folder: root,
        stopSignal: 'TERM',
      });
      while (started.isRunning() && Date.now() < deadline) {
        if (await influxdAnswers(urlOf(candidate))) {
          server = started;
          port = candidate;
          return;
        }
        await sleep(30);
      }
      await started.end('SIGKILL');
      // The port was taken in between, or a killed server still holds its files: try again.
      if (Date.now() > deadline || !/address already in use|timeout|locked/i.test(tail(log))) {
        throw new ConfigurationError(
          `InfluxDB (${origin}, ${influxd}) did not start. Its log, kept in ${log}, ends with:\n${tail(log)}`,
        );
      }
      await sleep(100);
    }
  };

  await start();
  return {
    ...(await setUpInfluxdb(urlOf(port))),
    async stop() {
      await server?.end('SIGTERM', 5_000);
      rmSync(root, { recursive: true, force: true });
    },
    async kill() {
      await server?.end('SIGKILL');
    },
    async restart() {
      await server?.end('SIGTERM', 5_000);
      await start();
    },
  };
}
