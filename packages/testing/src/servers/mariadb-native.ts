/**
 * A MariaDB of our own in a temporary folder: the machine's, or Debian's; on the loopback interface only, with a user and
 * a password made for it, and gone afterwards. It refuses root, who hands it to another account.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '@storeweave/core';
import { serverAccount } from './account.js';
import { aptInstall, runs } from './apt.js';
import { mariadbAnswers } from './mariadb-client.js';
import { runNatively } from './native.js';
import type { Running } from './server.js';
import type { Account } from './supervise.js';

export interface RunningMariadb extends Running {
  readonly url: string;
}

export interface MariadbProgram {
  readonly account?: Account;
  /** For reports. */
  readonly origin: string;
}

/** Where `mariadbd` comes from; undefined, with the reasons, where it cannot be had. */
export function mariadbProgram(reasons: string[]): MariadbProgram | undefined {
  let origin = 'installed server';
  if (!runs('mariadbd')) {
    reasons.push('mariadbd is not installed');
    if (!aptInstall(['mariadb-server'], reasons) || !runs('mariadbd')) return undefined;
    origin = 'Debian package';
  }
  const account = serverAccount(['mysql', 'nobody']);
  return { origin, ...(account !== undefined && { account }) };
}

export async function startMariadbNatively({ account, origin }: MariadbProgram): Promise<RunningMariadb> {
  const folder = mkdtempSync(join(tmpdir(), 'storeweave-mariadb-'));
  const data = join(folder, 'data');
  const password = randomBytes(12).toString('hex');
  const log = join(folder, 'server.log');
  const secret = join(folder, 'user.sql');
  mkdirSync(data);
  writeFileSync(log, '');
  writeFileSync(
    secret,
    `create user if not exists 'storeweave'@'%' identified by '${password}';
grant all on *.* to 'storeweave'@'%' with grant option;\n`,
  );
  if (account !== undefined) for (const path of [folder, data, log, secret]) chownSync(path, account.uid, account.gid);
  const made = spawnSync('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--skip-test-db'], {
    ...account,
    cwd: folder,
    encoding: 'utf8',
  });
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new ConfigurationError(`mariadb-install-db failed: ${made.stderr.trim() || made.stdout.trim()}`);
  }
  const running = await runNatively({
    product: `MariaDB (${origin})`,
    folder,
    stopSignal: 'TERM',
    command: (port) => ({
      command: 'mariadbd',
      args: [
        ...['--no-defaults', `--datadir=${data}`, `--port=${port}`, '--bind-address=127.0.0.1'],
        ...[`--socket=${join(folder, 'socket')}`, `--pid-file=${join(folder, 'pid')}`, `--init-file=${secret}`],
        ...['--character-set-server=utf8mb4', '--skip-name-resolve'],
      ],
      ...(account !== undefined && { account }),
    }),
    answers: async (port) => (await mariadbAnswers(`mysql://127.0.0.1:${port}`)) !== undefined,
  });
  return { ...running, url: `mysql://storeweave:${password}@127.0.0.1:${running.port}` };
}
