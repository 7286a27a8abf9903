/**
 * A PostgreSQL cluster of our own in a temporary folder: on the loopback interface only, with a password made for it,
 * and gone afterwards. Its log is kept where starting it failed.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError } from '@storeweave/core';
import { freePort } from './ports.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import { answers } from './postgres-client.js';
import type { Running } from './server.js';
import { type Supervised, supervise, tail } from './supervise.js';

/** What every way of running a PostgreSQL gives. */
export interface RunningPostgres extends Running {
  readonly url: string;
}

export interface NativeOptions {
  /** Real `fsync`; off by default, since test data need not survive a power failure. A killed server loses nothing either way. */
  readonly fsync: boolean;
  /** Further lines of `postgresql.conf`. */
  readonly settings: Readonly<Record<string, string>>;
}

const START_LIMIT_MS = 30_000;

export async function startNative(binaries: PostgresBinaries, options: NativeOptions): Promise<RunningPostgres> {
  const root = mkdtempSync(join(tmpdir(), 'storeweave-postgres-'));
  const log = join(root, 'server.log');
  const data = join(root, 'data');
  const password = randomBytes(12).toString('hex');
  initialise(binaries, root, data, password);
  let server: Supervised | undefined;
  let port = 0;

  const start = async () => {
    const deadline = Date.now() + START_LIMIT_MS;
    for (;;) {
      const isFirst = port === 0;
      const candidate = isFirst ? await freePort() : port;
      const started = await supervise({
        command: join(binaries.bin, 'postgres'),
        args: ['-D', data, '-p', String(candidate)],
        account: binaries.account,
        log,
        folder: root,
        stopSignal: 'QUIT',
      });
      if (await ready(started, urlOf(candidate), deadline)) {
        server = started;
        port = candidate;
        return;
      }
      await started.end('SIGKILL');
      // The port was taken in between, or a killed server's workers still hold its memory: try again.
      const passing = /Address already in use|shared memory block|lock file "postmaster.pid" already exists/;
      if (Date.now() > deadline || !passing.test(tail(log))) {
        throw new ConfigurationError(
          `PostgreSQL (${binaries.origin}, ${binaries.bin}) did not start. Its log, kept in ${log}, ends with:\n${tail(log)}`,
        );
      }
      await sleep(100);
    }
  };
  const urlOf = (p: number) => `postgres://postgres:${password}@127.0.0.1:${p}/postgres`;

  const config = { ...SETTINGS, fsync: options.fsync ? 'on' : 'off', ...options.settings };
  appendFileSync(
    join(data, 'postgresql.conf'),
    Object.entries(config)
      .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
      .join(''),
  );
  await start();
  return {
    url: urlOf(port),
    async stop() {
      await server?.end('SIGINT');
      rmSync(root, { recursive: true, force: true });
    },
    async kill() {
      await server?.end('SIGKILL');
    },
    async restart() {
      await server?.end('SIGINT');
      await start();
    },
  };
}

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '64MB',
  max_prepared_transactions: '20',
  wal_level: 'replica',
  log_min_messages: 'warning',
  timezone: 'UTC',
};

function initialise({ bin, account }: PostgresBinaries, root: string, data: string, password: string): void {
  const secret = join(root, 'password');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(secret, password, { mode: 0o600 });
  writeFileSync(join(root, 'server.log'), '');
  if (account !== undefined) {
    for (const path of [root, data, secret, join(root, 'server.log')]) chownSync(path, account.uid, account.gid);
  }
  const args = [
    '-D',
    data,
    '-U',
    'postgres',
    '-E',
    'UTF8',
    '--no-locale',
    '--no-sync',
    '-A',
    'scram-sha-256',
    '--pwfile',
    secret,
  ];
  const run = spawnSync(join(bin, 'initdb'), args, { ...account, cwd: root, encoding: 'utf8', env: { LC_ALL: 'C' } });
  if (run.status !== 0) {
    rmSync(root, { recursive: true, force: true });
    throw new ConfigurationError(`initdb of ${bin} failed: ${run.error?.message ?? run.stderr.trim()}`);
  }
  rmSync(secret);
}

async function ready(server: Supervised, url: string, deadline: number): Promise<boolean> {
  while (Date.now() < deadline) {
    if (!server.isRunning()) return false;
    if (await answers(url)) return true;
    await sleep(30);
  }
  return false;
}
