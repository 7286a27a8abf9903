/**
 * What became of a unit of work whose COMMIT may still be on its way. MongoDB has no lock that waits for the end of a
 * transaction, so it is found out by trying to write a journal document of the same identity, in a transaction of its
 * own: a conflict says that the one that decides is still open, a duplicate that it has committed. Where the document
 * can be written, that transaction is over and has left nothing. The attempt takes its document away again and commits,
 * by a majority: only the primary that the others follow can do that, so what it saw is the truth.
 *
 * Nothing has to stay behind. A claim is acknowledged before the first fence is sent, so whoever asks comes after it, and
 * a transaction that has ended, by whatever death, answers each later statement and COMMIT with an error. No other has
 * its id: each attempt of a unit of work has a new one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { AbortedError, type Access, type JournalRow, StoreweaveError, TimeoutError } from '@storeweave/core';
import type { MongodbDomain } from '../domain.js';
import { journalOf } from './journal-form.js';

const LONGEST_PAUSE_MS = 60;

/** `unit` is a checked id. Throws `TimeoutError` where the unit is not decided in time. */
export async function resolveUnit(
  domain: MongodbDomain,
  unit: string,
  { timeoutMs, signal, label }: Access,
): Promise<JournalRow | undefined> {
  const until = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  for (let attempt = 0; ; attempt++) {
    const left = until - performance.now();
    if (left <= 0 && attempt > 0) throw late(domain, unit, timeoutMs);
    const access: Access = {
      ...(timeoutMs === undefined ? {} : { timeoutMs: Math.max(1, left) }),
      ...(signal === undefined ? {} : { signal }),
      ...(label === undefined ? {} : { label }),
    };
    try {
      const found = await look(domain, unit, access);
      if (found !== undefined) return found.row;
      if (await isOver(domain, unit, access)) return undefined;
    } catch (error) {
      if (error instanceof TimeoutError) throw late(domain, unit, timeoutMs, error);
      throw error;
    }
    const ms = Math.min(LONGEST_PAUSE_MS, 2 * 2 ** attempt) * (0.5 + Math.random() / 2);
    await pause(Math.min(ms, Math.max(0, until - performance.now())), undefined, { signal }).catch((cause) => {
      throw new AbortedError('The signal ended the call.', { cause });
    });
  }
}

/** What a majority has. A document without a redo is a claim that was committed by itself. */
async function look(domain: MongodbDomain, unit: string, access: Access): Promise<{ row?: JournalRow } | undefined> {
  const found = await domain.use(access, undefined, (call) =>
    journalOf(call).findOne({ _id: unit }, { ...call.options, projection: { redo: 1 }, readPreference: 'primary' }),
  );
  if (found === null) return undefined;
  return found.redo === undefined ? {} : { row: { unitOfWork: unit, redo: found.redo } };
}

/** True where no transaction has the document under way, and none has left it. */
async function isOver(domain: MongodbDomain, unit: string, access: Access): Promise<boolean> {
  const transaction = await domain.begin?.(access);
  if (transaction === undefined) return false;
  try {
    await domain.use({ ...access, transaction }, undefined, async (call) => {
      await journalOf(call).insertOne({ _id: unit, state: 'claimed' }, call.options);
      await journalOf(call).deleteOne({ _id: unit }, call.options);
    });
    await transaction.commit();
    return true;
  } catch (error) {
    if (error instanceof StoreweaveError && ANOTHER_TIME.has(error.code)) return false;
    throw error;
  } finally {
    await transaction.rollback();
  }
}

/** It is open, or was committed a moment ago and is seen at the next look; or the attempt's own end is not known. */
const ANOTHER_TIME: ReadonlySet<string> = new Set(['SERIALIZATION_FAILURE', 'UNIQUE_VIOLATION', 'COMMIT_UNKNOWN']);

function late({ name }: MongodbDomain, unit: string, timeoutMs: number | undefined, cause?: unknown): TimeoutError {
  const limit = timeoutMs === undefined ? 'in time' : `within ${timeoutMs} ms`;
  return new TimeoutError(
    `Unit of work ${unit} was not decided at "${name}" ${limit}: the transaction that decides it is still open there. Try again; one whose process died is ended by the server after transactionLifetimeLimitSeconds (60 by default).`,
    cause === undefined ? {} : { cause },
  );
}
