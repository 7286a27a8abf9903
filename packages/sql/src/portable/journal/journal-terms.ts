/** What the journal differs in between databases without arrays: how the table is made, and how a transaction is waited for. */
import type { Access } from '@storeweave/core';
import type { SqlDomain, SqlSession } from '../../session.js';

/** The table that makes a decision last: a row with a redo is a unit of work that was decided. */
export const JOURNAL = 'storeweave_journal';

/** A row as it was found: `redo` is null for a claim without a decision. */
export interface JournalLook {
  readonly redo: string | null;
}

export interface JournalTerms {
  /** Makes the journal where it is missing; more than once does no harm. Outside of any transaction, which it could end. */
  readonly create: readonly string[];
  /** Begins of statements over the table `j`, which go by its key and touch no other row. */
  readonly update: string;
  readonly remove: string;
  /** The server's time, in milliseconds since 1970. */
  readonly now: string;
  /** Throws `ConfigurationError` where a COMMIT would be acknowledged before it is on disk. */
  checkDurable(session: SqlSession, name: string): Promise<void>;
  /** Waits until no transaction has this row under way, and reads it then. Throws `TimeoutError`. */
  settled(domain: SqlDomain, unit: string, access: Access): Promise<JournalLook | undefined>;
  /** Resolves when everything that was read before is on disk; absent where nothing is seen earlier. */
  keep?(domain: SqlDomain, access: Access): Promise<void>;
}
