/**
 * How statements reach a SQL server, whoever owns the connection (TypeORM's DataSource, a pg pool, a PGlite).
 * Everything travels as canonical text: parameters are text with a cast in the statement, answers are text in array
 * mode. That is exact for every type, and the decoders that turn text into neutral values are compiled per field.
 */
import type { Access, Transaction, TransactionDomain } from '@storeweave/core';

export interface Statement {
  readonly text: string;
  readonly values: readonly (string | null)[];
  /** Prepares it under this name; for statements that are run often with the same text. */
  readonly name?: string;
}

/** A row of an answer: the text form of each column, or null. */
export type TextRow = readonly (string | null)[];

export interface SqlResult {
  readonly rows: readonly TextRow[];
  readonly columns: readonly string[];
  /** Rows affected, as the server's command tag says. */
  readonly count: number;
}

/** One connection, for the length of one piece of work. Driver errors come out mapped (`errors.ts`). */
export interface SqlSession {
  query(statement: Statement): Promise<SqlResult>;
  /** The answer in pieces of at most `batchSize` rows, in constant memory; only inside a transaction. */
  cursor(statement: Statement, batchSize: number): AsyncIterable<readonly TextRow[]>;
  /** What `Store.native` hands out for this connection. */
  readonly native: unknown;
}

/** The transaction domain of a SQL database. */
export interface SqlDomain extends TransactionDomain {
  begin(options: Parameters<NonNullable<TransactionDomain['begin']>>[0]): Promise<Transaction>;
  /** Connects; counts its users, so that several stores may share it. */
  open(): Promise<void>;
  /** The last user's close ends every connection. */
  close(): Promise<void>;
  /** Runs work on the transaction's connection, or on one of its own for the length of the work. */
  use<R>(access: Access, work: (session: SqlSession) => Promise<R>): Promise<R>;
  /** What `Store.native` hands out outside a transaction: the pool, DataSource or instance. */
  readonly native: unknown;
}
