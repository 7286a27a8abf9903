/**
 * The worker as one file: it is started hundreds of times, and to load it from its many sources takes three times as long.
 * So a run also stays with the sources that it began with.
 */
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles an entry, without what packages of others bring; resolves with the file. Its folder is the caller's to remove. */
export async function bundle(entry: URL): Promise<{ readonly file: string; readonly folder: string }> {
  // Where packages are found from.
  const near = fileURLToPath(new URL('../../node_modules/.storeweave/', import.meta.url));
  await mkdir(near, { recursive: true });
  const folder = await mkdtemp(near);
  const file = join(folder, 'worker.mjs');
  await build({
    entryPoints: [fileURLToPath(entry)],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@storeweave/source'],
    logLevel: 'error',
    plugins: [
      {
        name: 'packages of others stay outside',
        setup(builder) {
          builder.onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
            kind === 'entry-point' || path.startsWith('@storeweave/') ? undefined : { path, external: true },
          );
        },
      },
    ],
  });
  return { file, folder };
}
