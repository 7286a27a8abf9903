/**
 * Each package as a stranger gets it: built, packed, linted (publint, attw), unpacked into an empty project, then
 * imported as ES modules, required from CommonJS and type-checked. The third-party packages of that project are links
 * to those of the workspace, and only to what the packed packages declare: nothing is fetched, and a dependency that
 * somebody forgot to declare is missing.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { command, ROOT, said, tool } from './command.mjs';

export async function run() {
  const built = await tool('turbo', ['run', 'build', '--output-logs=errors-only', '--no-color'], {
    env: { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
  });
  if (!built.ok) return { ok: false, summary: 'the build failed', details: said(built, 200) };

  const folder = await mkdtemp(join(tmpdir(), 'storeweave-packages-'));
  try {
    const details = [];
    const packages = await packAll(folder, details);
    for (const { name, tarball } of packages) {
      const results = {
        publint: await tool('publint', ['run', tarball, '--strict']),
        attw: await tool('attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color']),
      };
      for (const [linter, result] of Object.entries(results)) {
        if (!result.ok) details.push(`${name}: ${linter} refuses the packed package:`, ...said(result));
      }
    }
    const project = await emptyProject(folder, packages);
    details.push(...(await consume(project, packages)));
    return { ok: details.length === 0, summary: `${packages.length} packages packed, installed and run`, details };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Packs every public workspace package. */
async function packAll(folder, details) {
  const names = await readdir(join(ROOT, 'packages'));
  const packages = [];
  for (const name of names) {
    const manifest = JSON.parse(await readFile(join(ROOT, 'packages', name, 'package.json'), 'utf8'));
    if (manifest.private === true) continue;
    const packed = await command('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: join(ROOT, 'packages', name),
    });
    if (!packed.ok) throw new Error(`npm pack of ${name} failed: ${packed.stderr}`);
    const parsed = JSON.parse(packed.stdout);
    const [info] = Array.isArray(parsed) ? parsed : Object.values(parsed);
    const files = info.files.map((file) => file.path);
    for (const needed of ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']) {
      if (!files.includes(needed)) details.push(`${manifest.name}: the packed package has no ${needed}`);
    }
    const tests = files.filter((path) => /\.test\.|\.fixture\./.test(path));
    if (tests.length > 0) details.push(`${manifest.name}: the packed package has tests in it: ${tests.join(', ')}`);
    packages.push({ name: manifest.name, manifest, tarball: join(folder, info.filename) });
  }
  return packages;
}

async function emptyProject(folder, packages) {
  const project = join(folder, 'project');
  const modules = join(project, 'node_modules');
  await mkdir(modules, { recursive: true });
  await writeFile(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n');
  const links = new Map();
  for (const { name, manifest, tarball } of packages) {
    const target = join(modules, ...name.split('/'));
    await mkdir(target, { recursive: true });
    const unpacked = await command('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
    if (!unpacked.ok) throw new Error(`${tarball} cannot be unpacked: ${unpacked.stderr}`);
    const own = join(ROOT, 'packages', name.split('/')[1], 'node_modules');
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
    for (const dependency of Object.keys(declared)) {
      if (packages.some((other) => other.name === dependency)) continue;
      links.set(dependency, [join(own, dependency), join(ROOT, 'node_modules', dependency)]);
    }
  }
  for (const [dependency, places] of links) {
    const place = await firstExisting(places);
    if (place === undefined) continue; // an optional peer that the workspace does not have either
    await mkdir(dirname(join(modules, dependency)), { recursive: true });
    await symlink(place, join(modules, dependency), 'dir');
  }
  return project;
}

async function firstExisting(places) {
  for (const place of places) {
    const found = await readFile(join(place, 'package.json'), 'utf8').catch(() => undefined);
    if (found !== undefined) return place;
  }
  return undefined;
}

async function consume(project, packages) {
  await cp(join(ROOT, 'scripts', 'consumer'), project, { recursive: true });
  const names = JSON.stringify(packages.map(({ name }) => name).filter((name) => name !== '@storeweave/testing'));
  await writeFile(
    join(project, 'import-all.mjs'),
    `for (const name of ${names}) if (Object.keys(await import(name)).length === 0) throw new Error(name);\n`,
  );
  await writeFile(
    join(project, 'require-all.cjs'),
    `for (const name of ${names}) if (Object.keys(require(name)).length === 0) throw new Error(name);\n`,
  );
  const modules = join(ROOT, 'node_modules');
  await mkdir(join(project, 'node_modules', '@types'), { recursive: true });
  await symlink(join(modules, '@types', 'node'), join(project, 'node_modules', '@types', 'node'), 'dir');
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable', 'esnext.decorators'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['types.ts'] }));
  const runs = {
    'import of every package': await command(process.execPath, ['import-all.mjs'], { cwd: project }),
    'require of every package': await command(process.execPath, ['require-all.cjs'], { cwd: project }),
    'a unit of work in ESM': await command(process.execPath, ['esm.mjs'], { cwd: project }),
    'a unit of work from CommonJS': await command(process.execPath, ['commonjs.cjs'], { cwd: project }),
    'type check of the declarations': await tool('tsc', ['-p', join(project, 'tsconfig.json'), '--pretty', 'false'], {
      cwd: project,
    }),
  };
  return Object.entries(runs).flatMap(([what, result]) =>
    result.ok ? [] : [`${what} failed in the empty project:`, ...said(result)],
  );
}
