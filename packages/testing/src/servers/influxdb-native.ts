/**
 * An InfluxDB of our own in a temporary folder: on the loopback interface only, with a token made for it, and gone
 * afterwards. Its log is kept where starting it failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtInfluxd, INFLUXDB_VERSION } from './influxdb-build.js';
import { type InfluxdbAccess, influxdAnswers, setUpInfluxdb } from './influxdb-client.js';
import { runNatively } from './native.js';
import type { Running } from './server.js';

export interface InfluxdbProgram {
  /** Path of `influxd`. */
  readonly influxd: string;
  /** For messages and reports. */
  readonly origin: string;
}

const NAME = 'influxd';

/** Finds the program or builds it. The reasons why a source gave nothing are collected in `reasons`. */
export async function influxdbProgram(reasons: string[]): Promise<InfluxdbProgram | undefined> {
  if (process.platform === 'win32') {
    reasons.push('starting InfluxDB natively is not supported on Windows');
    return undefined;
  }
  const installed = spawnSync(NAME, ['version'], { encoding: 'utf8' });
  if (installed.status === 0 && /\bv?2\.\d/.test(installed.stdout)) return { influxd: NAME, origin: 'installed' };
  reasons.push('no influxd 2.x is in the PATH');
  const influxd = await builtInfluxd(reasons);
  return influxd === undefined ? undefined : { influxd, origin: `built from its Go module ${INFLUXDB_VERSION}` };
}

export async function startInfluxdbNative({ influxd }: InfluxdbProgram): Promise<Running & InfluxdbAccess> {
  const folder = mkdtempSync(join(tmpdir(), 'storeweave-influxdb-'));
  const urlOf = (port: number) => `http://127.0.0.1:${port}`;
  const server = await runNatively({
    product: 'InfluxDB',
    folder,
    stopSignal: 'TERM',
    startLimitMs: 60_000,
    command: (port) => ({
      command: influxd,
      args: [
        'run',
        ...['--http-bind-address', `127.0.0.1:${port}`, '--reporting-disabled', '--ui-disabled'],
        ...['--bolt-path', join(folder, 'influxd.bolt'), '--sqlite-path', join(folder, 'influxd.sqlite')],
        ...['--engine-path', join(folder, 'engine'), '--log-level', 'warn'],
      ],
      env: { HOME: folder },
    }),
    answers: (port) => influxdAnswers(urlOf(port)),
    // A killed server may still hold its files.
    passing: /timeout|locked/i,
  });
  return { ...server, ...(await setUpInfluxdb(urlOf(server.port))) };
}
