/**
 * One connection at work. Statements go out one after the other, whoever calls; a time limit or an abort ends the wait
 * at once, and asks the server to stop, while the connection stays taken until the server has answered.
 */
import { AbortedError, type EntityModel, InvalidStateError, SerializationError, TimeoutError } from '@storeweave/core';
import type { ErrorSubjects } from './error-subjects.js';
import type { PgAnswer, PgConnection } from './pg-client.js';
import type { Protocol, Query } from './protocol.js';
import type { SqlResult, SqlSession, Statement, TextRow } from './session.js';
import type { StatementNames } from './statement-names.js';

/** When to stop waiting for an answer. */
export interface Limits {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

const unlimited: Limits = {};
const AFTER_FAILURE =
  'An earlier statement of this transaction failed, so it can only be rolled back (to a savepoint).';
/** How long a server may take to answer after it was asked to stop, before its connection is given up. */
const GRACE_MS = 5000;

/** Whether a client's connection is gone; shared by all that use the client, because it may fail between two uses. */
export interface ClientState {
  broken: boolean;
  error?: Error;
}

export class PgSession implements SqlSession {
  /** Set where nothing may be sent any more; thrown to whoever tries. */
  closed: Error | undefined;
  #busy = false;
  readonly #waiting: (() => void)[] = [];
  #running: { reject(error: Error): void } | undefined;
  #cursors = 0;
  #attempts = 0;
  /** A statement failed, and the database would let the transaction go on. */
  #failed = false;
  #native: { readonly value: unknown } | undefined;

  constructor(
    readonly connection: PgConnection,
    private readonly protocol: Protocol,
    private readonly subjects: ErrorSubjects,
    private readonly names: StatementNames,
    private readonly inTransaction: boolean,
    private readonly state: ClientState,
  ) {}

  /** The connection is gone: it must not go back to its pool. */
  get broken(): boolean {
    return this.state.broken;
  }

  /** A statement has not been answered yet. */
  get isBusy(): boolean {
    return this.#busy;
  }

  /** What ended the connection. */
  get lostBy(): Error | undefined {
    return this.state.error;
  }

  get native(): unknown {
    this.#native ??= { value: this.connection.native(this) };
    return this.#native.value;
  }

  get backend(): number | undefined {
    return this.protocol.backendOf?.(this.connection.client);
  }

  query(statement: Statement): Promise<SqlResult> {
    return this.run(statement, unlimited);
  }

  /** The same session with limits on each of its statements. */
  limited(limits: Limits): SqlSession {
    const session = this;
    return {
      query: (statement) => session.run(statement, limits),
      cursor: (statement, batchSize) => session.fetch(statement, batchSize, limits),
      attempt: (work) => session.attempt(work),
      get native() {
        return session.native;
      },
      backend: session.backend,
    };
  }

  cursor(statement: Statement, batchSize: number): AsyncIterable<readonly TextRow[]> {
    return this.fetch(statement, batchSize, unlimited);
  }

  async *fetch(
    statement: Statement,
    batchSize: number,
    limits: Limits,
  ): AsyncGenerator<readonly TextRow[], void, undefined> {
    if (!this.inTransaction)
      throw new InvalidStateError('A cursor lives inside a transaction, and there is none here.');
    const name = `sw_cursor_${++this.#cursors}`;
    await this.run(
      { text: `declare ${name} no scroll cursor for ${statement.text}`, values: statement.values },
      limits,
    );
    const next: Statement = { text: `fetch forward ${Math.max(1, Math.trunc(batchSize))} from ${name}`, values: [] };
    try {
      for (;;) {
        const { rows } = await this.run(next, limits);
        if (rows.length > 0) yield rows;
        if (rows.length < batchSize) return;
      }
    } finally {
      // After a failure the transaction has closed it, or will.
      if (this.closed === undefined && !this.broken)
        await this.run({ text: `close ${name}`, values: [] }, unlimited).catch(() => undefined);
    }
  }

  async run(statement: Statement, limits: Limits): Promise<SqlResult> {
    const { values, text, about, describe = false, verbatim } = statement;
    if (this.#failed) throw new InvalidStateError(AFTER_FAILURE);
    const send = () => {
      const name = statement.prepare === true ? this.names.nameOf(text) : undefined;
      return this.exclusively(() => this.#send({ text, values, name, describe, verbatim }, about), limits);
    };
    let answer: PgAnswer;
    try {
      answer = await send();
    } catch (error) {
      if (this.inTransaction || !isStaleStatement(error)) throw error;
      answer = await send();
    }
    return {
      rows: answer.rows,
      count: answer.rowCount ?? 0,
      get columns() {
        return answer.fields.map((field) => field.name);
      },
      get types() {
        return answer.fields.map((field) => field.dataTypeID);
      },
    };
  }

  /**
   * Control statements (BEGIN, COMMIT, SAVEPOINT): the first one's command tag. With `last`, a statement that goes before
   * it in the same request; where that fails, the control statement is not run.
   */
  async control(text: string, limits: Limits = unlimited, last?: Statement): Promise<string> {
    if (last !== undefined && this.protocol.combines !== true) {
      await this.run(last, limits);
      return this.control(text, limits);
    }
    const query = last === undefined ? { text, values: [], describe: false } : this.#followed(last, text);
    const answer = await this.exclusively(() => this.#send(query), limits);
    return answer.command ?? '';
  }

  #followed({ text, values, prepare }: Statement, then: string): Query {
    return { text, values, name: prepare === true ? this.names.nameOf(text) : undefined, describe: false, then };
  }

  /** Whether a statement failed in a transaction that the database would let go on. */
  get failed(): boolean {
    return this.#failed;
  }

  async attempt<R>(work: () => Promise<R>): Promise<R> {
    const name = this.protocol.quote(`sw_attempt_${++this.#attempts}`);
    await this.control(`savepoint ${name}`);
    try {
      const result = await work();
      await this.control(`release savepoint ${name}`);
      return result;
    } catch (error) {
      if (this.closed === undefined && !this.broken) await this.backTo(name);
      throw error;
    }
  }

  /** Rolls back to a savepoint (quoted), after which statements are taken again. */
  async backTo(savepoint: string): Promise<void> {
    await this.control(`rollback to savepoint ${savepoint}`);
    this.#failed = false;
  }

  /** Ends the wait of the running statement with this error, asks the server to stop it, and lets nothing new begin. */
  interrupt(error: Error): void {
    this.closed = error;
    if (this.#running === undefined) return;
    this.#running.reject(error);
    this.protocol.cancel(this.connection.client);
  }

  /** Resolves when no statement runs and none waits: `false` if that was not so within a grace period. */
  async idle(): Promise<boolean> {
    if (!this.#busy) return true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, GRACE_MS, false);
    });
    const free = this.#lock().then(() => {
      this.#unlock();
      return true;
    });
    const isIdle = await Promise.race([free, late]);
    clearTimeout(timer);
    return isIdle;
  }

  async #send(query: Query, about?: EntityModel): Promise<PgAnswer> {
    try {
      return await this.protocol.send(this.connection.client, query);
    } catch (error) {
      if (this.protocol.isConnectionLoss(error)) this.state.broken = true;
      if (this.inTransaction && !this.protocol.refusesAfterFailure) this.#failed = true;
      const mapped = this.protocol.mapError(error, this.subjects, about);
      // Sent outside of the transaction that is gone, the next statement would be kept whatever becomes of the rest.
      if (this.protocol.endsTransaction(error)) this.closed ??= mapped;
      // New names, so that the next try prepares anew.
      if (isStaleStatement(mapped)) this.names.forget();
      throw mapped;
    }
  }

  async #lock(): Promise<void> {
    if (this.#busy) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy = true;
  }

  #unlock(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy = false;
    else next();
  }

  /** Runs work on the client when no statement of anyone else is under way. */
  async exclusively<R>(send: () => Promise<R>, limits: Limits = unlimited): Promise<R> {
    await this.#lock();
    if (this.closed !== undefined || limits.signal?.aborted === true) {
      this.#unlock();
      throw this.closed ?? abortedBy(limits.signal);
    }
    const sent = send();
    void sent.then(
      () => this.#done(),
      () => this.#done(),
    );
    if (!this.inTransaction && limits.signal === undefined && limits.timeoutMs === undefined) return sent;
    return new Promise<R>((resolve, reject) => {
      const stop = (error: Error) => {
        reject(error);
        this.protocol.cancel(this.connection.client);
      };
      const { signal, timeoutMs } = limits;
      const onAbort = () => stop(abortedBy(signal));
      signal?.addEventListener('abort', onAbort, { once: true });
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop(timedOut(timeoutMs)), timeoutMs);
      const cleared =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener('abort', onAbort);
          if (timer !== undefined) clearTimeout(timer);
          settle(value);
        };
      this.#running = { reject };
      sent.then(cleared(resolve), cleared(reject));
    });
  }

  #done(): void {
    this.#running = undefined;
    this.#unlock();
  }
}

/** The schema was changed after the statement was prepared. Nothing was done, and doing it again prepares it anew. */
function isStaleStatement(error: unknown): boolean {
  return error instanceof SerializationError && (error.cause as { code?: string } | undefined)?.code === '0A000';
}

export function abortedBy(signal: AbortSignal | undefined): AbortedError {
  return new AbortedError('The operation was ended by its AbortSignal before the database had answered.', {
    cause: signal?.reason,
  });
}

export function timedOut(ms: number): TimeoutError {
  return new TimeoutError(`The database did not answer within ${ms} ms. Raise timeoutMs, or ask for less at a time.`);
}
