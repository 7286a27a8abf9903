/** What the core asks of a store when it reads. Rows come back as arrays aligned with `fields`. */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row, Value } from '../model/field.js';
import type { Condition, Operand } from './condition.js';

export interface Order {
  readonly on: Operand;
  readonly direction: 'asc' | 'desc';
  /** Where absent values go; always given, so that stores agree. Default of the API: last in both directions. */
  readonly nulls: 'first' | 'last';
}

export interface ReadSpec {
  readonly entity: EntityModel;
  readonly fields: readonly Field[];
  readonly where?: Condition;
  readonly order?: readonly Order[];
  readonly limit?: number;
  readonly offset?: number;
  /** `limit` and `offset` count per distinct tuple of these fields, not in all: populate with a limit. */
  readonly perGroup?: readonly Field[];
  /** Pessimistic lock until the end of the transaction; only with `capabilities.rowLocks`. */
  readonly lock?: 'update' | 'share';
}

export type AggregateFunction = 'count' | 'countDistinct' | 'sum' | 'avg' | 'min' | 'max';

/** One output column of an aggregation, reached over to-one relations of the same store where `through` is given. */
export interface AggregateColumn {
  readonly alias: string;
  /** Absent: the grouped value itself. */
  readonly function?: AggregateFunction;
  /** Absent only for `count`. */
  readonly on?: Operand;
  /** Names of to-one relations from the entity to the entity of `on`, joined (left) in this order. */
  readonly through?: readonly string[];
}

/** Grouping: every column without a function is a group key. Rows come back aligned with `columns`. */
export interface AggregateSpec {
  readonly entity: EntityModel;
  readonly columns: readonly AggregateColumn[];
  readonly where?: Condition;
  readonly having?: readonly {
    readonly alias: string;
    readonly op: 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte';
    readonly value: Value;
  }[];
  readonly order?: readonly { readonly alias: string; readonly direction: 'asc' | 'desc' }[];
  readonly limit?: number;
  readonly offset?: number;
}

export type Rows = Row[];
