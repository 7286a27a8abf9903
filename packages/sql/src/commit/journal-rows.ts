/**
 * What the journals of all SQL databases have in common: how much they hold and give at one time, and how their rows and
 * counts are read.
 */
import type { JournalStats, OpenUnit } from '@storeweave/core';
import type { TextRow } from '../session.js';

/** One answer holds no more text than this, but for its first row: a relay must not die of what it is to do. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** What a column of attempts holds. */
export const MAX_INTEGER = 2_147_483_647;
/** A driver's message may have a whole request in it. */
export const MAX_ERROR_LENGTH = 4000;

/** Of a row that begins with unit of work, redo, attempts, error, dead, age in milliseconds and done. */
export function openUnit([unitOfWork, redo, attempts, error, dead, ageMs, done]: TextRow): OpenUnit {
  return {
    unitOfWork: String(unitOfWork),
    redo: String(redo),
    attempts: Number(attempts),
    ...(error != null && { error }),
    dead: isTrue(dead),
    ...(isTrue(done) && { done: true }),
    ageMs: age(ageMs),
  };
}

/** The same of a row that ends with its place among those that are open. */
export function placedUnit(row: TextRow): OpenUnit {
  return { ...openUnit(row), place: String(row.at(-1)) };
}

/** Of a row with the numbers of open, dead and retried ones, of attempts, and the age of the oldest in milliseconds. */
export function journalStats([open, dead, retried, attempts, oldest]: TextRow): JournalStats {
  return {
    open: Number(open),
    dead: Number(dead),
    retried: Number(retried),
    // A sum of no rows is null.
    attempts: Number(attempts),
    ...(oldest != null && { oldestMs: age(oldest) }),
  };
}

/** As PostgreSQL says it, and as a database without truth values does. */
function isTrue(text: string | null | undefined): boolean {
  return text === 't' || text === '1';
}

/** A clock that was set back makes no negative age. */
function age(ms: string | null | undefined): number {
  return Math.max(0, Number(ms));
}
