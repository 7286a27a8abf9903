/**
 * What the core asks of a store when it writes. A batch is one operation on one entity; its cost in round trips must
 * not grow with its rows (a store may cut it where its protocol limits the size). The rows stay the core's, which keeps
 * them as snapshots: a store changes none and holds on to none.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row, Value } from '../model/field.js';
import type { Condition } from './condition.js';

/** New rows. */
export interface InsertBatch {
  readonly op: 'insert';
  readonly entity: EntityModel;
  readonly fields: readonly Field[];
  readonly rows: readonly Row[];
  /** Fields that the store makes (sequences); `WriteResult.returned` has them, row by row in the order of `rows`. */
  readonly returning?: readonly Field[];
  /**
   * What to do with a row whose key exists (default: an error; a point of a measurement is overwritten, the last of its
   * batch counting). `update` sets `update` fields from the new row;
   * `ignore` leaves the stored one. With `keys` the conflict is on these fields (a unique index) and not on the ids.
   * The entity's version, where it is among `update`, is not taken from the new row: it becomes the stored one plus 1.
   */
  readonly onConflict?: {
    readonly do: 'update' | 'ignore';
    readonly keys?: readonly Field[];
    readonly update?: readonly Field[];
  };
}

/** Changed rows, by identity. */
export interface UpdateBatch {
  readonly op: 'update';
  readonly entity: EntityModel;
  /** Fields to set; an `undefined` in a row leaves that field of that row as it is. */
  readonly fields: readonly Field[];
  readonly rows: readonly Row[];
  /** Identity of each row, aligned with `entity.ids`. */
  readonly keys: readonly Row[];
  /** Expected value of each row's version; a row that differs is not written and is reported as missed. */
  readonly versions?: readonly Value[];
}

/** Rows to delete, by identity. */
export interface DeleteBatch {
  readonly op: 'delete';
  readonly entity: EntityModel;
  readonly keys: readonly Row[];
  readonly versions?: readonly Value[];
}

export type WriteBatch = InsertBatch | UpdateBatch | DeleteBatch;

export interface WriteResult {
  /** Number of rows written. */
  readonly count: number;
  /** Positions in the batch of rows that were not there or had another version (update, delete). */
  readonly missed?: readonly number[];
  readonly returned?: readonly Row[];
}

/** Sets fields of all rows that match; the version, where there is one, grows by one with it (core adds that). */
export interface BulkUpdate {
  readonly op: 'updateWhere';
  readonly entity: EntityModel;
  readonly where: Condition;
  readonly set: readonly { readonly field: Field; readonly value: Value }[];
  /** `field = field + by`; an absent value counts as 0. */
  readonly increment: readonly { readonly field: Field; readonly by: Value }[];
}

export interface BulkDelete {
  readonly op: 'deleteWhere';
  readonly entity: EntityModel;
  readonly where: Condition;
}

export type BulkWrite = BulkUpdate | BulkDelete;
