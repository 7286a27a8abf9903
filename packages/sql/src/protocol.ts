/**
 * How a session speaks to one kind of database: what differs below the statements. The session takes turns, ends waits
 * and keeps a transaction's state the same way for all; a protocol sends, begins, stops and tells errors apart.
 */
import type { EntityModel, StoreweaveError, TransactionOptions } from '@storeweave/core';
import type { ErrorSubjects } from './error-subjects.js';
import type { PgAnswer, PgClient } from './pg-client.js';

/** One statement on its way. */
export interface Query {
  readonly text: string;
  readonly values: readonly (string | null)[];
  readonly name?: string;
  /** Whether the answer tells its columns. */
  readonly describe: boolean;
  /** The user's own words: placeholders are not the dialect's. */
  readonly verbatim?: boolean;
  /**
   * A control statement that is sent in the same request and run if the first one succeeds; the answer's tag is its own.
   * Only where the protocol says that it `combines`.
   */
  readonly then?: string;
}

export interface Protocol {
  send(client: PgClient, query: Query): Promise<PgAnswer>;
  /** Asks the server to stop what this client's session runs; does nothing where that cannot be. */
  cancel(client: PgClient): void;
  /** The server's number of this client's session; undefined where nobody else could ask about it. */
  backendOf?(client: PgClient): number | undefined;
  mapError(error: unknown, subjects: ErrorSubjects, about?: EntityModel): StoreweaveError;
  /** True where the connection is gone, and with it whatever was not committed. */
  isConnectionLoss(error: unknown): boolean;
  /** True where this error took the whole transaction back, and its savepoints with it. */
  endsTransaction(error: unknown): boolean;
  /** Statements that begin a transaction, in order. */
  begin(client: PgClient, options: TransactionOptions): readonly string[];
  /** The claim of a unit of work, as a statement that can follow the last one of `begin` in the same request. */
  claim?(unitOfWork: string): string;
  /** Asks once whether the database can be used; resolves with what is wrong with it. */
  check(ask: (text: string) => Promise<readonly (string | null)[]>): Promise<string | undefined>;
  /**
   * True where the database itself refuses everything after a failed statement until it is rolled back. Where it does
   * not, the session does, so that no transaction keeps a part of a batch.
   */
  readonly refusesAfterFailure: boolean;
  /** True where `Query.then` is obeyed. */
  readonly combines?: boolean;
  quote(name: string): string;
}
