/**
 * Builds `influxd` from its Go module, without the web interface, where no program of it is installed: InfluxData
 * publishes none in a package registry. It takes minutes, so the result is kept in the user's cache folder.
 *
 * `go install` refuses the module, which has a replace line: it is built inside the module cache instead. Its query
 * engine is a Rust library that turns warnings into errors, and newer compilers have more of them: a wrapper around
 * cargo builds it without that feature.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed } from './cache.js';
import { run } from './run.js';
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
  await run('go', ['version'], { cwd: work });
  await run('cargo', ['--version'], { cwd: work });
  mkdirSync(join(work, 'tool'));
  // Outside of any module: one around us would change what is downloaded.
  const env = { GOFLAGS: '-mod=mod', GOWORK: 'off' };
  const described = await run('go', ['mod', 'download', '-json', MODULE], { cwd: work, env });
  const { Dir: source } = JSON.parse(described) as { Dir: string };
  const cargo = join(work, 'tool', 'cargo');
  writeFileSync(cargo, CARGO);
  chmodSync(cargo, 0o755);
  const pkgConfig = join(work, 'tool', 'pkg-config');
  say('building its tools (1 of 2)');
  await run('go', ['build', '-p', '2', '-o', pkgConfig, 'github.com/influxdata/pkg-config'], { cwd: source });
  say('building the server (2 of 2), some 5 minutes');
  const flags = ['-trimpath', '-tags', 'sqlite_foreign_keys,sqlite_json'];
  const linked = ['-ldflags', `-s -w -X main.version=${INFLUXDB_VERSION}`];
  await run('go', ['build', '-p', '2', ...flags, ...linked, '-o', join(work, 'influxd'), './cmd/influxd'], {
    cwd: source,
    env: { PKG_CONFIG: pkgConfig, CARGO: cargo, ...(await toolchain()) },
  });
  rmSync(join(work, 'tool'), { recursive: true });
}

/** The library pins an old Rust; the installed one does. */
async function toolchain(): Promise<Record<string, string>> {
  if (process.env.RUSTUP_TOOLCHAIN !== undefined) return {};
  try {
    const [name] = (await run('rustup', ['show', 'active-toolchain'], { cwd: '/' })).split(' ');
    return name === undefined ? {} : { RUSTUP_TOOLCHAIN: name.trim() };
  } catch {
    return {};
  }
}

function say(what: string): void {
  process.stderr.write(`storeweave: ${what}\n`);
}
