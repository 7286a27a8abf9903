/**
 * One process at a time has a data folder. The lock is the operating system's own, on a byte of a file in the folder:
 * taking it is atomic, and the kernel frees it when its process ends in whatever way, so there is never a stale lock
 * to judge, and a pid that was given to another process misleads nobody. It belongs to the open file and not to the
 * process: a second open in the same process, or in a worker thread, is refused like any other. The text in the file
 * only serves the message.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError, FolderLockedError } from '@storeweave/core';

/** Name of the file within the folder. It stays there: to delete it could let two processes in. */
export const LOCK_FILE = 'storeweave.lock';

/** Who has a folder, as the lock file says. */
interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** When the lock was taken, in ISO 8601. */
  readonly since: string;
}

export interface FolderLock {
  /** Lets the next one in. Idempotent. */
  release(): void;
}

interface Locking {
  tryLock(fd: number, offset: number, length: number): boolean;
  unlock(fd: number, offset: number, length: number): void;
}

/** Behind the text: on Windows a locked byte cannot be read by others. */
const LOCKED_BYTE = 4096;

/** Takes the lock of an existing folder. Throws `FolderLockedError` naming who has it, and since when. */
export function lockFolder(folder: string): FolderLock {
  const { tryLock, unlock } = locking();
  const file = join(folder, LOCK_FILE);
  const fd = openSync(file, 'a+');
  try {
    if (!tryLock(fd, LOCKED_BYTE, 1)) throw refused(folder, ownerOf(file));
    const owner: LockOwner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
    ftruncateSync(fd);
    writeSync(fd, `${JSON.stringify(owner)}\n`);
  } catch (error) {
    closeSync(fd);
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOLCK' || code === 'ENOSYS' || code === 'ENOTSUP' || code === 'EOPNOTSUPP') {
      throw new ConfigurationError(
        `The file system of ${folder} has no locks, and without one two processes could damage the data. Use a folder on a local disk.`,
        { cause: error },
      );
    }
    throw error;
  }
  let isHeld = true;
  return {
    release() {
      if (!isHeld) return;
      isHeld = false;
      ftruncateSync(fd);
      unlock(fd, LOCKED_BYTE, 1);
      closeSync(fd);
    },
  };
}

function refused(folder: string, owner: LockOwner | undefined): FolderLockedError {
  const who =
    owner === undefined
      ? 'another process'
      : owner.pid === process.pid && owner.host === hostname()
        ? `this very process (pid ${owner.pid}, since ${owner.since}), by another store or worker thread`
        : `process ${owner.pid} on ${owner.host}, since ${owner.since}`;
  return new FolderLockedError(
    `The data folder ${folder} is in use by ${who}. An embedded database belongs to one process at a time: end that one first, share one store within a process, or use a PostgreSQL server by its url.`,
  );
}

/** Undefined while the owner is about to write it. */
function ownerOf(file: string): LockOwner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LockOwner;
  } catch {
    return undefined;
  }
}

const require = createRequire(import.meta.url);
let loaded: Locking | undefined;

/** Loaded when first needed, so that a platform without a binary can still use memory or a server. */
function locking(): Locking {
  try {
    loaded ??= require('fs-native-extensions') as Locking;
    return loaded;
  } catch (error) {
    throw new ConfigurationError(
      `Data folders cannot be locked on ${process.platform}-${process.arch}, for which fs-native-extensions has no binary. Use an embedded store in memory, or a PostgreSQL server by its url.`,
      { cause: error },
    );
  }
}
