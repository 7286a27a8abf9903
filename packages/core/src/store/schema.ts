/** How the metadata becomes tables, indexes, validators or buckets. */
import type { Access } from './access.js';

/** One step that brings a store's schema nearer to the metadata. */
export interface SchemaChange {
  /** Entity it belongs to, or undefined for what belongs to the store as a whole. */
  readonly entity?: string;
  readonly kind: 'create' | 'alter' | 'drop' | 'drift';
  /** For people: "create table users". */
  readonly summary: string;
  /** In the store's own words; empty for `drift`, which is only reported. */
  readonly statements: readonly string[];
  /** What takes the statements back, in this order, for migrations that can be reverted; values that were lost stay lost. */
  readonly undo?: readonly string[];
  /** True where values would be lost or existing rows may refuse; only applied when told to. */
  readonly destructive: boolean;
}

export interface SchemaStore {
  /** The difference between what is there and what the entities given at `open` need, in the order to apply it. */
  plan(access: Access): Promise<SchemaChange[]>;
  /** Applies changes of a plan. Safe beside another process doing the same. */
  apply(changes: readonly SchemaChange[], access: Access): Promise<void>;
}
