/**
 * A running transaction on a session of its own. It ends exactly once: by commit, by rollback, or by its own time limit
 * or signal, and then the session is closed and gives its connection back.
 */
import {
  type EntityModel,
  InvalidStateError,
  StoreweaveError,
  type Transaction,
  type TransactionDomain,
  type TransactionOptions,
} from '@storeweave/core';
import type { Transaction as DriverTransaction, Session } from 'neo4j-driver';
import { mapCommitError, mapError } from './errors.js';
import { abortedBy, type Limits, limited, timedOut } from './limits.js';
import type { GraphNames } from './names.js';
import type { Cypher } from './scope.js';

/** The rows of an answer's only column. */
export type Answer = readonly unknown[];

/** Runs statements one after the other. */
export interface Runner {
  run(statement: Cypher, about?: EntityModel): Promise<Answer>;
}

export class Neo4jTransaction implements Transaction {
  #over = false;
  #failure: StoreweaveError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => void) | undefined;

  constructor(
    readonly domain: TransactionDomain,
    private readonly names: GraphNames,
    private readonly session: Session,
    private readonly inner: DriverTransaction,
    private readonly ended: (transaction: Neo4jTransaction) => void,
    { timeoutMs, signal }: TransactionOptions,
  ) {
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => void this.abandon(timedOut(timeoutMs)), timeoutMs);
    if (signal !== undefined) {
      const onAbort = () => void this.abandon(abortedBy(signal));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#stopListening = () => signal.removeEventListener('abort', onAbort);
      if (signal.aborted) onAbort();
    }
  }

  /** The driver's own transaction. To be ended by this one and not by the application. */
  get native(): DriverTransaction {
    this.#assertOpen();
    return this.inner;
  }

  /** Statements of one call. A limit that passes ends the whole transaction: what it waited for is still under way. */
  runner(limits: Limits): Runner {
    return { run: (statement, about) => this.#run(statement, limits, about) };
  }

  async commit(): Promise<void> {
    this.#assertOpen();
    this.#over = true;
    try {
      if (!this.inner.isOpen()) {
        throw (
          this.#failure ??
          new InvalidStateError('The transaction was ended by a failed statement; nothing of it was written.')
        );
      }
      await this.inner.commit();
    } catch (error) {
      throw error instanceof StoreweaveError ? error : mapCommitError(error, this.names);
    } finally {
      await this.#finish();
    }
  }

  async rollback(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    await this.#undo();
  }

  /** Ends the transaction from outside: nobody may use it any more, and its locks are given up at once. */
  async abandon(error: StoreweaveError): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#failure = error;
    await this.#undo();
  }

  async #run({ text, values }: Cypher, limits: Limits, about?: EntityModel): Promise<Answer> {
    this.#assertOpen();
    try {
      const answer = limited(
        limits,
        Promise.resolve(this.inner.run(text, values)),
        (error) => void this.abandon(error),
      );
      return (await answer).records.map((record) => record.get(0) as unknown);
    } catch (error) {
      this.#failure ??= mapError(error, this.names, about);
      throw this.#failure;
    }
  }

  async #undo(): Promise<void> {
    try {
      if (this.inner.isOpen()) await this.inner.rollback();
    } catch {
      // The server rolls back by itself when it loses the connection.
    } finally {
      await this.#finish();
    }
  }

  async #finish(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopListening?.();
    this.ended(this);
    try {
      await this.session.close();
    } catch {
      // A dead connection leaves the pool without our help.
    }
  }

  #assertOpen(): void {
    if (!this.#over) return;
    throw this.#failure ?? new InvalidStateError('The transaction is over: it was committed or rolled back.');
  }
}
