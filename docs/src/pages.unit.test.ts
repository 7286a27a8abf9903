/** The pages keep up with the repository: every dependency has its reason, every link leads to a file. */
import { execFileSync } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Files of the repository, and those about to be. */
function files(pattern: string): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--', pattern];
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n');
  return listed.filter((file) => file !== '' && !file.includes('fixtures/'));
}

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

test('every dependency stands in docs/decisions/dependencies.md', async () => {
  const page = await readFile(join(root, 'docs/decisions/dependencies.md'), 'utf8');
  const explained = new Set([...page.matchAll(/`((?:@[\w-]+\/)?[\w.-]+)`/g)].map(([, name]) => name));
  const used = new Set<string>();
  for (const file of files('*package.json')) {
    const manifest = JSON.parse(await readFile(join(root, file), 'utf8')) as Manifest;
    for (const list of [manifest.dependencies, manifest.devDependencies, manifest.peerDependencies]) {
      for (const name of Object.keys(list ?? {})) used.add(name);
    }
  }
  const foreign = [...used].filter((name) => !name.startsWith('@storeweave/') && !name.startsWith('@types/'));
  expect(foreign.length).toBeGreaterThan(10);
  expect(foreign.filter((name) => !explained.has(name))).toEqual([]);
});

test('every relative link in a Markdown file leads to something', async () => {
  const broken: string[] = [];
  let links = 0;
  for (const file of files('*.md')) {
    const text = await readFile(join(root, file), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      links += 1;
      await access(join(root, dirname(file), target)).catch(() => broken.push(`${file}: ${target}`));
    }
  }
  expect(links).toBeGreaterThan(10);
  expect(broken).toEqual([]);
});
