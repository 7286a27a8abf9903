/**
 * Programs that a test run had to download or build, kept in the user's cache folder so that the next run starts in
 * seconds. Each version has a folder of its own, filled beside it and renamed when it is whole: two runs at once do the
 * work twice at worst, and neither ever sees half of it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder named `key` of the cache, filled by `install` if it is not there. Says so on stderr, as that takes time. */
export async function installed(key: string, install: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), key);
  if (existsSync(folder)) return folder;
  await mkdir(cacheFolder(), { recursive: true });
  const unfinished = await mkdtemp(join(cacheFolder(), `${key}.unfinished-`));
  try {
    process.stderr.write(`storeweave: installing ${key} for the tests …\n`);
    const began = Date.now();
    await install(unfinished);
    process.stderr.write(`storeweave: installed ${key} in ${Math.round((Date.now() - began) / 1_000)} s\n`);
    await rename(unfinished, folder).catch((error: unknown) => {
      // Another run was quicker; its folder is as good.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Whether the cache has a folder whose name begins with this. */
export function cachedPrefix(prefix: string): boolean {
  if (!existsSync(cacheFolder())) return false;
  return readdirSync(cacheFolder()).some((name) => name.startsWith(prefix) && !name.includes('.unfinished-'));
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === 'win32') return join(LOCALAPPDATA ?? homedir(), 'storeweave', 'cache');
  return join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'storeweave');
}
