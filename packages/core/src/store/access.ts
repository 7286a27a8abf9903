/**
 * The circumstances of a call on a store: inside which transaction, until when, on whose behalf. Apart from the SPI
 * itself (`store.ts`), so that its parts need not import the whole.
 */
import type { IsolationLevel } from './capabilities.js';

/** Options of a transaction. */
export interface TransactionOptions {
  readonly isolation?: IsolationLevel;
  readonly readOnly?: boolean;
  /** Limit on each wait for a connection, in milliseconds. */
  readonly acquireTimeoutMs?: number;
  /** Limit on the whole transaction, in milliseconds; the store ends it by itself where it can. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Who asks, for messages about who holds what. */
  readonly label?: string;
  /**
   * Id of a unit of work that is going to be decided by this transaction: a store that coordinates may take its claim
   * with the same request, and says so by `Transaction.claimed`.
   */
  readonly claim?: string;
}

/** A running transaction of a domain. Used by one caller at a time. */
export interface Transaction {
  readonly domain: TransactionDomain;
  /** The unit of work whose claim it took as it began. */
  readonly claimed?: string;
  /** Resolves when durable. Throws `CommitUnknownError` where the outcome cannot be known. Either way it is over. */
  commit(): Promise<void>;
  /** Ends it without effect; never throws for a transaction that is already over. */
  rollback(): Promise<void>;
  /** With `transactions.savepoints`. Names are identifiers made by the core. */
  savepoint?(name: string): Promise<void>;
  rollbackTo?(name: string): Promise<void>;
  release?(name: string): Promise<void>;
}

/**
 * What commits together. Stores on one database share one object of this kind, and a unit of work over all of them is
 * then one native transaction.
 */
export interface TransactionDomain {
  /** For messages and metrics. */
  readonly name: string;
  /** Absent where the store has no transactions. */
  begin?(options: TransactionOptions): Promise<Transaction>;
  /** True where there is one session: one transaction or call at a time, and the others wait until it is over. */
  readonly exclusive?: boolean;
}

/** The circumstances of one call. */
export interface Access {
  /** Absent: the call stands alone (autocommit). */
  readonly transaction?: Transaction;
  readonly signal?: AbortSignal;
  /** Limit on this call, in milliseconds. */
  readonly timeoutMs?: number;
  readonly label?: string;
}
