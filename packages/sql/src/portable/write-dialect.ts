/**
 * How a database without arrays takes batches: rows as one JSON parameter that the statement reads as a table, and the
 * statements that join it to the table of the entity. Two dialects have it; what they share is in `portable-writer.ts`.
 */
import type { Field } from '@storeweave/core';

/** A column of the batch: values of a field, or whether a value was given. */
export type BatchColumn = Field | 'mask';

export interface WriteDialect {
  /** `from` item called `u` over the rows in the first parameter: a column for each, and `sw_n`, their positions from 1. */
  source(columns: readonly BatchColumn[]): string;
  /** The value of the source's i-th column, in the type of the field. */
  column(i: number, field: BatchColumn): string;
  /** Positions of rows whose key (and version) is there; they stay so until the end of the transaction. */
  find(table: string, source: string, on: string): string;
  update(table: string, source: string, on: string, assignments: readonly Assignment[]): string;
  delete(table: string, source: string, matches: readonly Match[]): string;
  /** Conflicts decided by one statement; absent where only several can. */
  readonly onConflict?: (
    keys: readonly string[],
    where: string | undefined,
    assignments: readonly Assignment[],
  ) => string;
  /** Characters of one statement's parameter at most. */
  readonly maxCharacters: number;
}

/** A column, quoted, and what it is set to. */
export interface Assignment {
  readonly column: string;
  readonly value: string;
}

/** A column of the table `t`, quoted, equals this expression over `u`. */
export type Match = Assignment;
