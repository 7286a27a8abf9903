/**
 * Whoever waits for a row of a prepared transaction would wait until somebody finishes that, which nobody may be at: its
 * process may be dead. So a session that has not answered for a while is looked at from another connection, and where it
 * waits for a prepared transaction of ours, its statement is stopped and the writer told whose that is, as by a fence.
 * What is answered quickly costs nothing.
 */
import { FencedError, type FenceOwner } from '@storeweave/core';
import type { SqlSession, Statement, TextRow } from '../session.js';
import { PREPARED_PREFIX, preparedOwner } from './prepared-id.js';

/** Before the first look, and the longest between two, in milliseconds. */
const FIRST_LOOK_MS = 200;
const LONGEST_PAUSE_MS = 3_000;
/** How long another connection is waited for. Where none is free, the next look may find one. */
const LOOK_MS = 2_000;

/** Asks by another connection than the one that is looked at. The signal ends the wait for one, until `onSent`. */
export type Look = (statement: Statement, signal: AbortSignal, onSent: () => void) => Promise<readonly TextRow[]>;

// The waiting session and what it waits for are looked up again by the statement that stops it: it is stopped only
// while it waits. Stopping is without effect on a session that has just answered.
const STOP = `with met as materialized (
  select prepared.gid from pg_locks waiting
    join pg_prepared_xacts prepared on prepared.transaction = waiting.transactionid
    where waiting.pid = $1::integer and not waiting.granted and waiting.locktype = 'transactionid'
      and starts_with(prepared.gid, '${PREPARED_PREFIX}'))
  select gid, pg_cancel_backend($1::integer) from met`;

/**
 * Runs work on a session, and looks at it from time to time. Throws `FencedError` where it was stopped because a prepared
 * transaction was in its way; what was answered before it could be stopped counts.
 */
export async function watched<R>(session: SqlSession, look: Look, work: () => Promise<R>): Promise<R> {
  const { backend } = session;
  if (backend === undefined) return work();
  const watch = new Watch(backend, look);
  try {
    return await work();
  } catch (error) {
    const owner = await watch.end();
    if (owner === undefined || codeOf(error) !== '57014') throw error;
    throw new FencedError(
      `A row is held by the unit of work ${owner.unitOfWork}, which '${owner.coordinator}' decides and which is prepared here and not finished. Nothing of this statement was kept; do it again when that is settled.`,
      [owner],
      { cause: error },
    );
  } finally {
    await watch.end();
  }
}

class Watch {
  #timer: ReturnType<typeof setTimeout>;
  #looking: Promise<void> | undefined;
  #found: FenceOwner | undefined;
  #pauseMs = FIRST_LOOK_MS;
  #isOver = false;
  /** Ends the wait for a connection. */
  #stopWaiting = () => {};

  constructor(
    private readonly backend: number,
    private readonly look: Look,
  ) {
    this.#timer = this.#plan();
  }

  /** Resolves when nothing can be stopped any more, with whom the session had waited for. */
  async end(): Promise<FenceOwner | undefined> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#stopWaiting();
    await this.#looking;
    return this.#found;
  }

  #plan(): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#looking = this.#once();
    }, this.#pauseMs);
    timer.unref();
    return timer;
  }

  async #once(): Promise<void> {
    const stop = new AbortController();
    this.#stopWaiting = () => stop.abort();
    const late = setTimeout(() => this.#stopWaiting(), LOOK_MS);
    const onSent = () => {
      // What is stopped learns of it sooner than this is answered.
      this.#stopWaiting = () => {};
    };
    try {
      const rows = await this.look({ text: STOP, values: [String(this.backend)] }, stop.signal, onSent);
      for (const [gid] of rows) this.#found ??= preparedOwner(String(gid));
    } catch {
      // It cannot be told now; the session goes on waiting as it would without anybody who looks.
    } finally {
      clearTimeout(late);
    }
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    if (!this.#isOver) this.#timer = this.#plan();
  }
}

function codeOf(error: unknown): string | undefined {
  return ((error as Error).cause as { code?: string } | undefined)?.code;
}
