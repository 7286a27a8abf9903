/** A file that is either the old or the new one, whatever happens while it is written. */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

export async function saveFile(path: string, content: Uint8Array): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
