/**
 * Writes package-lock.json anew: `node scripts/lock.mjs`, after any change of a dependency.
 *
 * npm leaves optional packages of other systems out of the lock file where its registry does not serve them, and then
 * `npm ci` refuses the file on every machine. This resolves the tree with no `node_modules` in sight and then lists each
 * optional package that is missing, with the system that its name says it is for.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const systems = ['android', 'darwin', 'freebsd', 'linux', 'win32', 'openbsd', 'netbsd', 'sunos', 'aix', 'openharmony'];
const processors = ['arm64', 'x64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32'];

const lock = resolveTree();
const added = complete(lock.packages);
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(join(root, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json written; ${added} optional packages of other systems listed`);

/** The tree as npm resolves it from the manifests and the present lock file alone. */
function resolveTree() {
  const folder = mkdtempSync(join(tmpdir(), 'storeweave-lock-'));
  try {
    const manifests = execFileSync(
      'git',
      ['ls-files', '-co', '--exclude-standard', '--', 'package.json', '*/package.json'],
      {
        cwd: root,
        encoding: 'utf8',
      },
    );
    for (const path of [...manifests.trim().split('\n'), 'package-lock.json']) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      cpSync(join(root, path), join(folder, path));
    }
    execFileSync('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], {
      cwd: folder,
      stdio: 'inherit',
    });
    return JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Adds what `optionalDependencies` name and `packages` lacks; returns how many. */
function complete(packages) {
  const wanted = new Map();
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!isResolved(packages, path, name)) wanted.set(name, [...(wanted.get(name) ?? []), { path, version, entry }]);
    }
  }
  let count = 0;
  for (const [name, owners] of wanted) {
    const one = new Set(owners.map((owner) => owner.version)).size === 1;
    for (const { path, version, entry } of owners) {
      const at = one ? `node_modules/${name}` : `${path}/node_modules/${name}`;
      if (packages[at] !== undefined) continue;
      packages[at] = optionalEntry(name, version, entry);
      count++;
    }
  }
  return count;
}

/** Whether a package sees another one in its own `node_modules` or in one above it. */
function isResolved(packages, path, name) {
  for (let base = path; ; ) {
    if (packages[base === '' ? `node_modules/${name}` : `${base}/node_modules/${name}`] !== undefined) return true;
    if (base === '') return false;
    base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')));
  }
}

function optionalEntry(name, version, owner) {
  const parts = name.split(/[/-]/);
  const os = systems.filter((each) => parts.includes(each) || (each === 'win32' && parts.includes('windows')));
  const cpu = processors.filter((each) => parts.includes(each) || (each === 'arm' && parts.includes('armv7')));
  const libc = parts.some((part) => part.includes('musl'))
    ? ['musl']
    : parts.includes('gnu') && os.includes('linux')
      ? ['glibc']
      : undefined;
  return {
    version: version.replace(/^[~^]/, ''),
    ...(cpu.length > 0 && { cpu }),
    ...(owner.dev && { dev: true }),
    ...(owner.devOptional && { devOptional: true }),
    ...(libc && { libc }),
    optional: true,
    ...(os.length > 0 && { os }),
  };
}
