/**
 * What is in a data folder: the lock, and the database in `postgres`. While a database is made, a file beside it says
 * so, and one whose making was interrupted is made anew and never taken for a whole one; and a folder that is not ours
 * is never written to.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError, DiskFullError, FolderDamagedError } from '@storeweave/core';
import { type FolderLock, LOCK_FILE, lockFolder } from './folder-lock.js';
import { syncTree } from './sync-tree.js';

/** Major version of the PostgreSQL inside the PGlite that we depend on. */
const POSTGRES_VERSION = '18';

const UNFINISHED = 'postgres.unfinished';

/** What operating systems, version control and mounts put into a folder that is empty for a person. */
const HARMLESS = new Set([LOCK_FILE, 'lost+found', '.DS_Store', '.gitkeep', '.gitignore']);

/** Without these PostgreSQL cannot start. */
const ESSENTIAL = ['global/pg_control', 'base', 'pg_wal', 'pg_xact', 'postgresql.conf'];

export class DataFolder {
  private constructor(
    readonly path: string,
    private readonly lock: FolderLock,
  ) {}

  /**
   * Creates the folder if need be and locks it. Throws `FolderLockedError`, `FolderDamagedError` for a database that
   * cannot be whole, and `ConfigurationError` for a folder that holds something else.
   */
  static open(path: string): DataFolder {
    try {
      mkdirSync(path, { recursive: true });
      refuseForeign(path);
      const folder = new DataFolder(path, lockFolder(path));
      try {
        // Again under the lock: another process may have been at it in between.
        refuseForeign(path);
        if (existsSync(folder.unfinished)) folder.#clear();
        if (folder.exists()) refuseDamaged(folder.database);
        return folder;
      } catch (error) {
        folder.close();
        throw error;
      }
    } catch (error) {
      throw explained(path, error);
    }
  }

  /** Where PostgreSQL keeps its files. */
  get database(): string {
    return join(this.path, 'postgres');
  }

  exists(): boolean {
    return existsSync(this.database);
  }

  /**
   * Makes the database by `start`, which gets an empty folder and resolves when it is whole. Until then nothing counts:
   * where it fails, or the process ends, the next `open` begins again. Throws `DiskFullError` where there is no room.
   */
  async create<R>(start: (folder: string) => Promise<R>, options: { readonly fsync: boolean }): Promise<R> {
    try {
      writeFileSync(this.unfinished, 'The database is being made. If nobody is at it, it will be made anew.\n');
      mkdirSync(this.database);
      const started = await start(this.database);
      if (options.fsync) await syncTree(this.database);
      rmSync(this.unfinished);
      if (options.fsync) await syncTree(this.path, { deep: false });
      return started;
    } catch (error) {
      this.#clear();
      throw explained(this.path, error);
    }
  }

  /** Frees the lock. */
  close(): void {
    this.lock.release();
  }

  private get unfinished(): string {
    return join(this.path, UNFINISHED);
  }

  #clear(): void {
    rmSync(this.database, { recursive: true, force: true });
    rmSync(this.unfinished, { force: true });
  }
}

function refuseForeign(path: string): void {
  const names = readdirSync(path);
  if (names.includes('postgres')) return;
  if (names.includes('PG_VERSION')) {
    throw new ConfigurationError(
      `${path} is itself the data folder of a PostgreSQL or PGlite. Give an empty folder to the embedded store and move the data there with pg_dump, or run a server on this one and give its url.`,
    );
  }
  const foreign = names.filter((name) => !HARMLESS.has(name) && name !== UNFINISHED);
  if (foreign.length > 0) {
    const some = foreign.slice(0, 3).join(', ');
    throw new ConfigurationError(
      `${path} holds other files (${some}${foreign.length > 3 ? ' …' : ''}) and no database, so none is made there. Give a folder that is empty or not there yet.`,
    );
  }
}

/** What can be seen without starting PostgreSQL; it would take a folder without version for an empty one. */
function refuseDamaged(database: string): void {
  const version = existsSync(join(database, 'PG_VERSION'))
    ? readFileSync(join(database, 'PG_VERSION'), 'utf8').trim()
    : undefined;
  if (version === undefined || version === '')
    throw damaged(database, `PG_VERSION is ${version === '' ? 'empty' : 'missing'}`);
  if (version !== POSTGRES_VERSION) {
    throw new FolderDamagedError(
      `The database in ${database} was made by PostgreSQL ${version}; this PGlite is PostgreSQL ${POSTGRES_VERSION}. Open it with the version that made it, and move the data with pg_dump.`,
    );
  }
  const missing = ESSENTIAL.filter((name) => !existsSync(join(database, name)));
  if (missing.length > 0)
    throw damaged(database, `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`);
}

/** The error for a database that cannot be opened. */
export function damaged(database: string, what: string, cause?: unknown): FolderDamagedError {
  return new FolderDamagedError(
    `The database in ${database} is damaged: ${what}. Nothing was changed. Restore the folder from a backup, or move it away to start with an empty one.`,
    { cause },
  );
}

/** A full disk, or a folder that may not be used, in our words; anything else as it is. */
function explained(path: string, error: unknown): unknown {
  if (isDiskFull(error)) {
    return new DiskFullError(`There is no room left for the database in ${path}. Make room and open it again.`, {
      cause: error,
    });
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new ConfigurationError(`${path} is not a folder, and the embedded store needs one.`, { cause: error });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new ConfigurationError(`The folder ${path} may not be written to by this process.`, { cause: error });
  }
  return error;
}

/** Emscripten numbers ENOSPC as WASI does. */
const WASI_ENOSPC = 51;

export function isDiskFull(error: unknown): boolean {
  const { code, errno, name } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === '53100' || (name === 'ErrnoError' && errno === WASI_ENOSPC);
}
