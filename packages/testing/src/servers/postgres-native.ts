/**
 * A PostgreSQL of our own in a temporary folder: on the loopback interface only, with a password made for it, and gone
 * afterwards. A standby begins as a copy of what `initdb` made for its primary, so that nothing has to be transferred.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '@storeweave/core';
import { runNatively } from './native.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import { answers } from './postgres-client.js';
import type { Running } from './server.js';

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

/** What `initdb` made, ready to be started: a folder that belongs to the server's account, with `data` in it. */
export class DataFolder {
  private constructor(
    private readonly binaries: PostgresBinaries,
    readonly path: string,
    private readonly password: string,
  ) {}

  static create(binaries: PostgresBinaries): DataFolder {
    const folder = new DataFolder(binaries, emptyFolder(binaries), randomBytes(12).toString('hex'));
    folder.#initialise();
    return folder;
  }

  /** A folder of its own that a standby of this one's server can be started on; before that server first runs. */
  copy(): DataFolder {
    const { binaries, password } = this;
    const path = emptyFolder(binaries);
    cpSync(join(this.path, 'data'), join(path, 'data'), { recursive: true });
    spawnSync('chmod', ['700', join(path, 'data')]);
    if (binaries.account !== undefined) {
      const { uid, gid } = binaries.account;
      spawnSync('chown', ['-R', `${uid}:${gid}`, path]);
    }
    return new DataFolder(binaries, path, password);
  }

  urlAt(port: number): string {
    return `postgres://postgres:${this.password}@127.0.0.1:${port}/postgres`;
  }

  /** Makes the server that is started here follow another one. */
  follow(port: number, settings: Readonly<Record<string, string>>): void {
    const primary = `host=127.0.0.1 port=${port} user=postgres password=${this.password} application_name=standby`;
    this.#configure({ primary_conninfo: primary, hot_standby: 'on', ...settings });
    const signal = join(this.path, 'data', 'standby.signal');
    writeFileSync(signal, '');
    this.#own(signal);
  }

  /** Starts the server. Throws `ConfigurationError` with the end of its log where it does not come up. */
  async start({ fsync, settings }: NativeOptions): Promise<RunningPostgres & { readonly port: number }> {
    const { bin, account, origin } = this.binaries;
    this.#configure({ ...SETTINGS, fsync: fsync ? 'on' : 'off', ...settings });
    const running = await runNatively({
      product: `PostgreSQL (${origin}, ${bin})`,
      folder: this.path,
      stopSignal: 'INT',
      command: (port) => ({
        command: join(bin, 'postgres'),
        args: ['-D', join(this.path, 'data'), '-p', String(port)],
        ...(account !== undefined && { account }),
      }),
      answers: (port) => answers(this.urlAt(port)),
      // A killed server's workers still hold its memory for a moment.
      passing: /shared memory block|lock file "postmaster.pid" already exists/,
    });
    return { ...running, url: this.urlAt(running.port) };
  }

  /** Later lines of the file win. */
  #configure(settings: Readonly<Record<string, string>>): void {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
    appendFileSync(join(this.path, 'data', 'postgresql.conf'), lines.join(''));
  }

  #initialise(): void {
    const { bin, account } = this.binaries;
    const secret = join(this.path, 'password');
    writeFileSync(secret, this.password, { mode: 0o600 });
    this.#own(secret);
    const run = spawnSync(
      join(bin, 'initdb'),
      [
        ...['-D', join(this.path, 'data'), '-U', 'postgres', '-E', 'UTF8', '--no-locale', '--no-sync'],
        ...['-A', 'scram-sha-256', '--pwfile', secret],
      ],
      { ...account, cwd: this.path, encoding: 'utf8', env: { LC_ALL: 'C' } },
    );
    if (run.status !== 0) {
      rmSync(this.path, { recursive: true, force: true });
      throw new ConfigurationError(`initdb of ${bin} failed: ${run.error?.message ?? run.stderr.trim()}`);
    }
    rmSync(secret);
  }

  #own(path: string): void {
    own(this.binaries, path);
  }
}

export function startNative(binaries: PostgresBinaries, options: NativeOptions): Promise<RunningPostgres> {
  return DataFolder.create(binaries).start(options);
}

function emptyFolder(binaries: PostgresBinaries): string {
  const path = mkdtempSync(join(tmpdir(), 'storeweave-postgres-'));
  const data = join(path, 'data');
  const log = join(path, 'server.log');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(log, '');
  for (const each of [path, data, log]) own(binaries, each);
  return path;
}

function own({ account }: PostgresBinaries, path: string): void {
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}
