/** Brings the files and folders of a new database to the disk, so that a power failure cannot leave a part of them. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export async function syncTree(folder: string, { deep = true } = {}): Promise<void> {
  const entries = deep ? await readdir(folder, { withFileTypes: true }) : [];
  await Promise.all(
    entries.map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? syncTree(path) : sync(path);
    }),
  );
  // Windows cannot open a folder as a file; its file system keeps names in order by itself.
  if (process.platform !== 'win32') await sync(folder);
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
