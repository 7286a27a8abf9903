/** What the tests of the embedded database share: a folder of their own, and databases that are closed afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedDatabase, type EmbeddedDatabaseOptions } from './embedded-database.js';

const opened: EmbeddedDatabase[] = [];

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'storeweave-embedded-'));
}

export function databaseIn(path: string | undefined, options: Partial<EmbeddedDatabaseOptions> = {}): EmbeddedDatabase {
  const database = new EmbeddedDatabase({
    acquireTimeoutMs: 5_000,
    fsync: true,
    ...options,
    ...(path !== undefined && { path }),
  });
  opened.push(database);
  return database;
}

/** Closes every database of the test and removes its folder. */
export async function cleanUp(folder: string): Promise<void> {
  for (const database of opened.splice(0)) await database.close().catch(() => {});
  rmSync(folder, { recursive: true, force: true });
}

export async function query(database: EmbeddedDatabase, text: string): Promise<unknown[]> {
  const turn = await database.take({});
  try {
    return (await database.pglite.query(text)).rows;
  } finally {
    turn.end();
  }
}
