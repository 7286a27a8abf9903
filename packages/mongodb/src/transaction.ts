/**
 * A running transaction on one session, with majority reads and writes. It ends exactly once. A commit whose outcome the
 * driver does not know is asked for again, which is safe, until it is known or the time for that is over.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  CommitUnknownError,
  InvalidStateError,
  type StoreweaveError,
  TimeoutError,
  type Transaction,
  type TransactionDomain,
  type TransactionOptions,
} from '@storeweave/core';
import type { ClientSession } from 'mongodb';
import type { Place } from './connection.js';
import { hasLabel, isConnectionLoss, mapError } from './errors.js';

const LONGEST_PAUSE_MS = 1_000;

export class MongodbTransaction implements Transaction {
  #over = false;
  #calls = 0;
  /** True from the first command on; see `restartUnused`. */
  #used = false;
  #failure: StoreweaveError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isJournaled = false;
  #decides = false;

  constructor(
    readonly domain: TransactionDomain,
    readonly place: Place,
    readonly session: ClientSession,
    readonly options: TransactionOptions,
    private readonly commitRetryMs: number,
    private readonly ended: () => void,
  ) {}

  /** `isJournaled`: a commit is acknowledged when it is on disk, whatever the deployment's default is. */
  start(isJournaled: boolean): void {
    this.#isJournaled = isJournaled;
    this.#startOnSession();
    const { timeoutMs } = this.options;
    if (timeoutMs === undefined) return;
    this.#timer = setTimeout(() => void this.#expire(timeoutMs), timeoutMs).unref();
  }

  /** True until something was asked of the server in it. */
  get isUnused(): boolean {
    return !this.#used;
  }

  /**
   * Its COMMIT is the decision of a unit of work over several stores. The driver repeats a lost COMMIT by itself, and may
   * then be told that there is no such transaction although the first was taken; so only the journal's word counts.
   */
  decides(): void {
    this.#decides = true;
  }

  /** Begins anew on the same session, after a server refused the first command and so knows nothing of it. */
  async restartUnused(): Promise<void> {
    await this.session.abortTransaction();
    this.#startOnSession();
  }

  async use<R>(work: (session: ClientSession) => Promise<R>): Promise<R> {
    this.check();
    this.#calls++;
    try {
      const result = await work(this.session);
      if (this.#failure !== undefined) throw this.#failure;
      return result;
    } finally {
      this.#used = true;
      this.#calls--;
      // Its time was over while the server was at work: an abort beside that would not have been understood.
      if (this.#over && this.#calls === 0) await this.#abort();
    }
  }

  /** The session, to be passed to calls of the driver. */
  native(): ClientSession {
    this.check();
    this.#used = true;
    return this.session;
  }

  async commit(): Promise<void> {
    this.check();
    this.#over = true;
    clearTimeout(this.#timer);
    try {
      await this.#commit();
    } finally {
      await this.#end();
    }
  }

  async rollback(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    await this.#abort();
  }

  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#over) throw new InvalidStateError('The transaction is over: it was committed or rolled back.');
  }

  #startOnSession(): void {
    const level = this.options.isolation === 'repeatable read' ? 'snapshot' : 'majority';
    this.session.startTransaction({
      readConcern: { level },
      writeConcern: { w: 'majority', ...(this.#isJournaled ? { j: true } : {}) },
      readPreference: 'primary',
    });
  }

  async #commit(): Promise<void> {
    const deadline = Date.now() + this.commitRetryMs;
    let unknown: unknown;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.session.commitTransaction();
        return;
      } catch (error) {
        if (hasLabel(error, 'TransientTransactionError') && !this.#decides) throw mapError(error);
        const isUnknown = hasLabel(error, 'UnknownTransactionCommitResult') || isConnectionLoss(error);
        if (isUnknown) unknown = error;
        else if (unknown === undefined && !this.#decides) throw mapError(error);
        if (!isUnknown || Date.now() >= deadline) {
          throw new CommitUnknownError(
            `MongoDB did not say within ${this.commitRetryMs} ms whether the transaction is committed: it may be, or not. Read what it should have changed before doing it again.`,
            { cause: unknown ?? error },
          );
        }
        await pause(Math.min(LONGEST_PAUSE_MS, 20 * 2 ** attempt));
      }
    }
  }

  async #expire(timeoutMs: number): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#failure = new TimeoutError(`The transaction ran longer than its ${timeoutMs} ms and was rolled back.`);
    if (this.#calls === 0) await this.#abort();
  }

  async #abort(): Promise<void> {
    try {
      if (this.session.inTransaction()) await this.session.abortTransaction();
    } catch {
      // The server ends what nobody asks for any more.
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    if (this.session.hasEnded) return;
    this.ended();
    await this.session.endSession();
  }
}
