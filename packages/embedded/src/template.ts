/**
 * A fast first start. To make an empty database takes PGlite seconds and hundreds of megabytes; to unpack one that was
 * made before takes half a second. The archive is kept per version in the user's cache folder; without one (read-only
 * home, broken archive) everything works as before, only slower.
 */
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';

/** Made by this process; it is kept for the case that the cache folder cannot keep it. */
let made: Uint8Array | undefined;

/** An archive of an empty database, as `loadDataDir` of PGlite takes it. */
export async function emptyDatabase(): Promise<Blob> {
  const unpacked = await readFile(cacheFile())
    .then((bytes) => gunzipSync(bytes))
    .catch(() => undefined);
  if (unpacked !== undefined) return new Blob([unpacked]);
  made ??= await make();
  return new Blob([gunzipSync(made)]);
}

async function make(): Promise<Uint8Array> {
  const pglite = await PGlite.create();
  let archive: Blob;
  try {
    archive = await pglite.dumpDataDir('gzip');
  } finally {
    await pglite.close();
  }
  const bytes = new Uint8Array(await archive.arrayBuffer());
  await keep(bytes).catch(() => {});
  return bytes;
}

async function keep(bytes: Uint8Array): Promise<void> {
  const file = cacheFile();
  const draft = `${file}.${process.pid}`;
  try {
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
    await writeFile(draft, bytes, { mode: 0o600 });
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

function cacheFile(): string {
  // PGlite exports all but its package.json, and what a server says of its version it says only once it runs.
  const manifest = join(createRequire(import.meta.url).resolve('@electric-sql/pglite'), '../../package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return join(cacheFolder(), `pglite-${version}.tar.gz`);
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === 'win32') return join(LOCALAPPDATA ?? homedir(), 'storeweave', 'cache');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'storeweave');
  return join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'storeweave');
}
