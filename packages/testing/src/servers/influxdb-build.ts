/**
 * Builds `influxd` from its Go module, without the web interface, where no program of it is installed: InfluxData
 * publishes none in a package registry. It takes minutes, so the result is kept in the user's cache folder.
 *
 * `go install` refuses the module, which has a replace line: it is built inside the module cache instead. Its query
 * engine is a Rust library that turns warnings into errors, and newer compilers have more of them: a wrapper around
 * cargo builds it without that feature.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed } from './cache.js';
import { messageOf } from './server.js';

export const INFLUXDB_VERSION = 'v2.7.12';
const MODULE = `github.com/influxdata/influxdb/v2@${INFLUXDB_VERSION}`;

const CARGO = `#!/bin/sh
sub=$1; shift
exec cargo "$sub" -p flux --no-default-features --features cffi "$@"
`;

/** The path of the program, built if it is not in the cache; undefined, with the reason in `reasons`, where it cannot be. */
export async function builtInfluxd(reasons: string[]): Promise<string | undefined> {
  try {
    const key = `influxdb-${INFLUXDB_VERSION}-${process.platform}-${process.arch}`;
    return join(await installed(key, build), 'influxd');
  } catch (error) {
    reasons.push(`InfluxDB could not be built from its Go module (${messageOf(error)})`);
    return undefined;
  }
}

async function build(work: string): Promise<void> {
  await run('go', ['version'], work);
  await run('cargo', ['--version'], work);
  mkdirSync(join(work, 'tool'));
  // Outside of any module: one around us would change what is downloaded.
  const described = await run('go', ['mod', 'download', '-json', MODULE], work, { GOFLAGS: '-mod=mod', GOWORK: 'off' });
  const { Dir: source } = JSON.parse(described) as { Dir: string };
  const cargo = join(work, 'tool', 'cargo');
  writeFileSync(cargo, CARGO);
  chmodSync(cargo, 0o755);
  const pkgConfig = join(work, 'tool', 'pkg-config');
  say('building its tools (1 of 2)');
  await run('go', ['build', '-p', '2', '-o', pkgConfig, 'github.com/influxdata/pkg-config'], source);
  say('building the server (2 of 2), some 5 minutes');
  const flags = ['-trimpath', '-tags', 'sqlite_foreign_keys,sqlite_json'];
  const linked = ['-ldflags', `-s -w -X main.version=${INFLUXDB_VERSION}`];
  await run('go', ['build', '-p', '2', ...flags, ...linked, '-o', join(work, 'influxd'), './cmd/influxd'], source, {
    PKG_CONFIG: pkgConfig,
    CARGO: cargo,
    ...(await toolchain()),
  });
  rmSync(join(work, 'tool'), { recursive: true });
}

/** The library pins an old Rust; the installed one does. */
async function toolchain(): Promise<Record<string, string>> {
  if (process.env.RUSTUP_TOOLCHAIN !== undefined) return {};
  try {
    const [name] = (await run('rustup', ['show', 'active-toolchain'], '/')).split(' ');
    return name === undefined ? {} : { RUSTUP_TOOLCHAIN: name.trim() };
  } catch {
    return {};
  }
}

/** Runs a program to its end and resolves with what it printed. It ends with us, at the latest. */
function run(command: string, args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    let complaints = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      complaints = `${complaints}${chunk}`.slice(-2_000);
    });
    const end = () => child.kill();
    process.once('exit', end);
    child.once('error', reject);
    child.once('close', (status) => {
      process.off('exit', end);
      if (status === 0) resolve(Buffer.concat(out).toString());
      else
        reject(
          new Error(
            `${command} ${args[0]} ended with ${status}: ${complaints.trim().split('\n').slice(-5).join(' | ')}`,
          ),
        );
    });
  });
}

function say(what: string): void {
  process.stderr.write(`storeweave: ${what}\n`);
}
