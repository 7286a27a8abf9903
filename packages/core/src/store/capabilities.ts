/** What a store can do, as data. The core decides by these and never by a product's name. */
import type { DataModel } from '../model/entity-model.js';
import type { FieldType, TimePrecision } from '../model/field.js';

export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable';

export type SeriesFunction =
  | 'mean'
  | 'min'
  | 'max'
  | 'sum'
  | 'count'
  | 'first'
  | 'last'
  | { readonly percentile: number };

export interface Capabilities {
  readonly models: readonly DataModel[];
  /** Types it keeps without loss; the core refuses others at `open()`. */
  readonly types: readonly FieldType[];
  readonly arrays: boolean;
  /** Finest precision of a timestamp kept without loss. */
  readonly timePrecision: TimePrecision;
  /** Several batches as one: all or nothing, with these isolation levels. Absent: each batch stands alone. */
  readonly transactions?: { readonly isolation: readonly IsolationLevel[]; readonly savepoints: boolean };
  /** Integer keys made at insert. */
  readonly sequences: boolean;
  readonly uniqueIndexes: boolean;
  readonly partialIndexes: boolean;
  readonly foreignKeys: boolean;
  /** `Condition` of kind `related` inside this store. */
  readonly relationFilters: boolean;
  /** Expected versions in update and delete are checked in the same step as the write. */
  readonly versionChecks: boolean;
  readonly rowLocks: boolean;
  /** `ReadSpec.perGroup`. */
  readonly limitPerGroup: boolean;
  /** `InsertBatch.onConflict`. */
  readonly upsert: boolean;
  readonly bulkWrites: boolean;
  /** Part in a commit across several transaction domains; see `commit.ts`. Absent: it takes part in none. */
  readonly commit?: {
    /** Its transaction can decide: the store has `coordinator`. */
    readonly coordinates: boolean;
    /** How it takes part beside another coordinator: the store has `participant`. */
    readonly participates?: 'fence' | 'prepare' | 'append';
  };
}
