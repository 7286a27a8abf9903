/**
 * A running transaction on one connection. It ends exactly once: by commit, by rollback, or by its own time limit or
 * abort, and then gives its connection back, unless the connection's state is unknown, in which case it is ended.
 */
import {
  CommitUnknownError,
  ConnectionError,
  InvalidStateError,
  StoreweaveError,
  TimeoutError,
  type Transaction,
  type TransactionOptions,
} from '@storeweave/core';
import { abortedBy, type Limits, type PgSession, timedOut } from './pg-session.js';
import type { Protocol } from './protocol.js';
import type { SqlDomain, SqlSession, Statement } from './session.js';

/** A server that has not rolled back by then has its connection ended. */
const ROLLBACK_MS = 10_000;

export class PgTransaction implements Transaction {
  claimed?: string;
  #over = false;
  #committing = false;
  /** The first failure inside: what COMMIT is answered with ROLLBACK for. */
  #failure: StoreweaveError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;

  constructor(
    readonly domain: SqlDomain,
    private readonly protocol: Protocol,
    private readonly session: PgSession,
    private readonly options: TransactionOptions,
    private readonly released: (broken: boolean) => void,
  ) {}

  /** Sends BEGIN and starts the clock. */
  async start(): Promise<void> {
    const { timeoutMs, signal } = this.options;
    const { client } = this.session.connection;
    const texts = [...this.protocol.begin(client, this.options)];
    const claim = this.options.claim === undefined ? undefined : this.protocol.claim?.(this.options.claim);
    if (claim !== undefined) texts.push(`${texts.pop()}; ${claim}`);
    try {
      for (const text of texts) await this.session.control(text, { signal, timeoutMs });
    } catch (error) {
      this.#finish(true);
      throw error;
    }
    if (claim !== undefined) this.claimed = this.options.claim;
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => void this.abandon(timedOut(timeoutMs)), timeoutMs);
    if (signal !== undefined) {
      const onAbort = () => void this.abandon(abortedBy(signal));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#stopListening = () => signal.removeEventListener('abort', onAbort);
      if (signal.aborted) onAbort();
    }
  }

  /** Work on this transaction's connection. */
  async use<R>(limits: Limits, work: (session: SqlSession) => Promise<R>): Promise<R> {
    this.#assertOpen();
    const limited = limits.signal !== undefined || limits.timeoutMs !== undefined;
    try {
      return await work(limited ? this.session.limited(limits) : this.session);
    } catch (error) {
      if (error instanceof StoreweaveError) this.#failure ??= error;
      throw error;
    }
  }

  native(): unknown {
    this.#assertOpen();
    return this.session.native;
  }

  commit(): Promise<void> {
    return this.#end('commit', commitUnknown);
  }

  /** Runs a last statement and commits, in one request where the connection can. */
  commitAfter(statement: Statement): Promise<void> {
    return this.#end('commit', commitUnknown, statement);
  }

  /** Ends it so that it outlives its connection and can still go either way. The id goes into the statement as it is. */
  prepare(id: string): Promise<void> {
    const message =
      'The connection was lost while PREPARE TRANSACTION was under way: the transaction is prepared, or gone. Roll it back by its id.';
    return this.#end(`prepare transaction '${id}'`, (cause) => new ConnectionError(message, { cause }));
  }

  async #end(statement: string, unknown: (cause: unknown) => StoreweaveError, last?: Statement): Promise<void> {
    this.#assertOpen();
    this.#committing = true;
    if (this.session.broken) {
      // The statement was never sent, so the outcome is known.
      this.#finish(true);
      throw (
        this.#failure ??
        new ConnectionError('The connection was lost before COMMIT: nothing was written.', {
          cause: this.session.lostBy,
        })
      );
    }
    if (this.session.failed || this.session.closed !== undefined) {
      await this.#undo();
      throw (
        this.#failure ??
        new InvalidStateError(
          'The transaction was rolled back, because a statement in it had failed. Nothing was written.',
        )
      );
    }
    let tag: string;
    try {
      tag = await this.session.control(statement, { timeoutMs: this.options.timeoutMs }, last);
    } catch (error) {
      // A time limit of our own says nothing about what the server did; one that the server reports does.
      const lost =
        this.protocol.isConnectionLoss(error) ||
        this.session.broken ||
        (error instanceof TimeoutError && error.cause === undefined);
      if (lost || last === undefined) this.#finish(lost);
      // It is the last statement that failed, and COMMIT was not run.
      else await this.#undo();
      // What failed first says more than that nothing else was taken after it.
      if (!lost) throw this.#failure ?? error;
      throw unknown(error);
    }
    this.#finish(false);
    // A transaction in which a statement failed answers COMMIT with ROLLBACK, and no error.
    if (tag === 'ROLLBACK') {
      throw (
        this.#failure ??
        new InvalidStateError(
          'The transaction was rolled back at commit, because a statement in it had failed. Nothing was written.',
        )
      );
    }
  }

  async rollback(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    await this.#undo();
  }

  async savepoint(name: string): Promise<void> {
    this.#assertOpen();
    await this.session.control(`savepoint ${this.protocol.quote(name)}`);
  }

  async rollbackTo(name: string): Promise<void> {
    this.#assertOpen();
    await this.session.backTo(this.protocol.quote(name));
    this.#failure = undefined;
  }

  async release(name: string): Promise<void> {
    this.#assertOpen();
    await this.session.control(`release savepoint ${this.protocol.quote(name)}`);
  }

  /** Ends the transaction from outside: nobody may use it any more, and its locks are given up at once. */
  async abandon(error: StoreweaveError): Promise<void> {
    if (this.#over || this.#committing) return;
    this.#over = true;
    this.#failure = error;
    this.session.interrupt(error);
    await this.#undo();
  }

  async #undo(): Promise<void> {
    let done = false;
    try {
      if (!this.session.broken && (await this.session.idle())) {
        const { closed } = this.session;
        this.session.closed = undefined;
        await this.session.control('rollback', { timeoutMs: ROLLBACK_MS });
        this.session.closed = closed;
        done = true;
      }
    } catch {
      // The connection is ended, and the server rolls back by itself.
    }
    this.#finish(!done);
  }

  #assertOpen(): void {
    if (!this.#over && !this.#committing) return;
    throw this.#failure ?? new InvalidStateError('The transaction is over: it was committed or rolled back.');
  }

  #finish(broken: boolean): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#stopListening?.();
    this.released(broken || this.session.broken);
  }
}

function commitUnknown(cause: unknown): CommitUnknownError {
  const message =
    'The connection was lost while COMMIT was under way: the changes may be stored, or not. Read what they should have changed before doing them again.';
  return new CommitUnknownError(message, { cause });
}
