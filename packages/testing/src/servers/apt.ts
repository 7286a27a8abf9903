/** Debian packages, where a test run may install them: as root on Debian or Ubuntu. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

let isUpdated = false;

/** Installs packages; false, with the reason, where that cannot be. */
export function aptInstall(packages: readonly string[], reasons: string[]): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    reasons.push(`installing ${packages.join(' and ')} with apt needs root on Debian or Ubuntu`);
    return false;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Another test process may be installing something, too.
  const options = ['--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', '-o', 'DPkg::Lock::Timeout=300'];
  const install = ['install', '-qy', ...options, ...packages];
  for (const args of isUpdated ? [install] : [['update', '-q'], install]) {
    const run = spawnSync('apt-get', args, { env, encoding: 'utf8', timeout: 300_000 });
    if (run.status !== 0) {
      reasons.push(`apt-get ${args[0]} failed: ${run.stderr.trim().split('\n').at(-1) ?? ''}`);
      return false;
    }
    isUpdated = true;
  }
  return true;
}

/** Whether a program runs: it answers `--version`. */
export function runs(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}
