/**
 * How statements reach a SQL server, whoever owns the connection (TypeORM's DataSource, a pg pool, a PGlite).
 * Everything travels as canonical text: parameters are text with a cast in the statement, answers are text in array
 * mode. That is exact for every type, and the decoders that turn text into neutral values are compiled per field.
 */
import type {
  Access,
  CommitCoordinator,
  CommitParticipant,
  EntityModel,
  Transaction,
  TransactionDomain,
  TransactionOptions,
} from '@storeweave/core';
import type { Dialect } from './dialect.js';
import type { ErrorSubjects } from './error-subjects.js';

export interface Statement {
  readonly text: string;
  readonly values: readonly (string | null)[];
  /** For statements that are run often with the same text: prepared on each connection once it has come a few times. */
  readonly prepare?: boolean;
  /** Asks for `columns` and `types` of the answer, which are empty otherwise. */
  readonly describe?: boolean;
  /** The user's own words, with the placeholders that `Dialect.placeholder` gives. */
  readonly verbatim?: boolean;
  /** What it is about, for errors in which the server names no table. */
  readonly about?: EntityModel;
}

/** A row of an answer: the text form of each column, or null. */
export type TextRow = readonly (string | null)[];

export interface SqlResult {
  readonly rows: readonly TextRow[];
  readonly columns: readonly string[];
  /** OIDs of the columns' types. */
  readonly types: readonly number[];
  /** Rows affected, as the server's command tag says. */
  readonly count: number;
}

/** One connection, for the length of one piece of work. Driver errors come out mapped (`errors.ts`). */
export interface SqlSession {
  query(statement: Statement): Promise<SqlResult>;
  /** The answer in pieces of at most `batchSize` rows, in constant memory; only inside a transaction. */
  cursor(statement: Statement, batchSize: number): AsyncIterable<readonly TextRow[]>;
  /** Runs work that may fail and leave the transaction usable: what it did is taken back. Only inside a transaction. */
  attempt<R>(work: () => Promise<R>): Promise<R>;
  /** What `Store.native` hands out for this connection. */
  readonly native: unknown;
  /** The server's number of this session; undefined where no other session could ask about it. */
  readonly backend?: number | undefined;
}

/** The transaction domain of a SQL database. */
export interface SqlDomain extends TransactionDomain {
  readonly dialect: Dialect;
  begin(options: TransactionOptions): Promise<Transaction>;
  /** Connects; counts its users, so that several stores may share it. */
  open(): Promise<void>;
  /** The last user's close ends every connection. */
  close(): Promise<void>;
  /** Runs work on the transaction's connection, or on one of its own for the length of the work. */
  use<R>(access: Access, work: (session: SqlSession) => Promise<R>): Promise<R>;
  /** Runs a statement in the transaction and commits it, in one request where the connection can. */
  commitAfter(statement: Statement, access: Access): Promise<void>;
  /** What `Store.native` hands out: enlisted in the transaction where one is given, else the pool, DataSource or instance. */
  nativeOf(access: Access): unknown;
  /** Where stores tell which entity a table belongs to, for messages. */
  readonly subjects: ErrorSubjects;
  /** Call after a change of the schema: statements prepared before it are not used again. */
  forgetStatements(): void;
  /** Where its transactions can decide a commit over several domains. */
  readonly coordinator?: CommitCoordinator;
  /** Where they can be prepared beside another domain's; known when it is open. */
  readonly participant?: CommitParticipant;
}
