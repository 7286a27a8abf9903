/** The types of a grouping: rows are typed to what is selected. */
import type { CallOptions } from '../session/ports.js';
import type { Where } from '../types/where.js';
import type { Aggregated, AggregatePath, Aggregation, ValueAt } from './aggregation.js';

/** Group keys (paths) and aggregations, by the name that they get. */
export type GroupSelect<T> = {
  readonly [alias: string]: AggregatePath<T> | Aggregation<Aggregation['name'], AggregatePath<T>>;
};

type Comparable<V> = NonNullable<V> | { readonly [O in 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte']?: NonNullable<V> };

export interface GroupOptions<T, S extends GroupSelect<T>> extends CallOptions {
  /** Every path is a group key; without any there is one row. */
  readonly select: S;
  readonly where?: Where<T>;
  /** On aggregations, by their name: `{ total: { gt: 100 } }`. */
  readonly having?: { readonly [A in keyof S]?: Comparable<Grouped<T, S>[A]> };
  readonly orderBy?:
    | { readonly [A in keyof S]?: 'asc' | 'desc' }
    | readonly { readonly [A in keyof S]?: 'asc' | 'desc' }[];
  readonly limit?: number;
  readonly offset?: number;
  readonly withDeleted?: boolean | 'only';
}

/** One row of a grouping. */
export type Grouped<T, S> = {
  -readonly [A in keyof S]: S[A] extends string ? ValueAt<T, S[A]> : Aggregated<T, S[A]>;
};
