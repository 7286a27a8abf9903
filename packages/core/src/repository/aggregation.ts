/**
 * What can be asked of many rows at once, as small values: `mean('delay')`, `count()`. One set of helpers for windows of
 * a series, for documents and for relational queries, so that one word means one thing; what a model cannot compute is an
 * error that says so.
 */
import type { Ref } from '../relations/ref.js';
import type { PropertyPath, RelationName, TargetOf } from '../types/properties.js';

export type AggregationName =
  | 'mean'
  | 'min'
  | 'max'
  | 'sum'
  | 'count'
  | 'countDistinct'
  | 'first'
  | 'last'
  | 'percentile';

/** A function over the values of a property. Made by the helpers of this file. */
export class Aggregation<F extends AggregationName = AggregationName, P extends string = string> {
  constructor(
    readonly name: F,
    /** Absent: the rows themselves (`count()`). */
    readonly property: P | undefined,
    /** Of a percentile: 0 to 100. */
    readonly rank?: number,
  ) {}
}

/** Arithmetic mean, as a number. `null` where there are no values. */
export function mean<const P extends string>(property: P): Aggregation<'mean', P> {
  return new Aggregation('mean', property);
}

/** Least value. */
export function min<const P extends string>(property: P): Aggregation<'min', P> {
  return new Aggregation('min', property);
}

/** Greatest value. */
export function max<const P extends string>(property: P): Aggregation<'max', P> {
  return new Aggregation('max', property);
}

/** Sum, in the property's own type. `null` where there are no values. */
export function sum<const P extends string>(property: P): Aggregation<'sum', P> {
  return new Aggregation('sum', property);
}

/** Number of rows; with a property, of those that have a value. */
export function count(): Aggregation<'count', never>;
export function count<const P extends string>(property: P): Aggregation<'count', P>;
export function count<const P extends string>(property?: P): Aggregation<'count', P> {
  return new Aggregation('count', property);
}

/** Number of different values. For relational and document entities. */
export function countDistinct<const P extends string>(property: P): Aggregation<'countDistinct', P> {
  return new Aggregation('countDistinct', property);
}

/** Value of the earliest point. For measurements. */
export function first<const P extends string>(property: P): Aggregation<'first', P> {
  return new Aggregation('first', property);
}

/** Value of the latest point. For measurements. */
export function last<const P extends string>(property: P): Aggregation<'last', P> {
  return new Aggregation('last', property);
}

/** The value that `rank` percent (0 to 100) of the values do not exceed, interpolated. For measurements. */
export function percentile<const P extends string>(property: P, rank: number): Aggregation<'percentile', P> {
  return new Aggregation('percentile', property, rank);
}

/** Paths that a grouping can reach: properties, and properties over up to two to-one relations in the same store. */
export type AggregatePath<T> =
  | PropertyPath<T>
  | {
      [K in RelationName<T>]: T[K] extends Ref<infer _> ? K | `${K}.${Reached<TargetOf<T[K]>>}` : never;
    }[RelationName<T>];

type Reached<T> =
  | PropertyPath<T>
  | {
      [K in RelationName<T>]: T[K] extends Ref<infer _> ? `${K}.${PropertyPath<TargetOf<T[K]>>}` : never;
    }[RelationName<T>];

/** Type of the value at a path. */
export type ValueAt<T, P extends string> = P extends `${infer H}.${infer R}`
  ? H extends keyof T
    ? NonNullable<T[H]> extends Ref<infer U>
      ? ValueAt<U, R> | null
      : ValueAt<NonNullable<T[H]>, R> | Extract<T[H], null>
    : never
  : P extends keyof T
    ? T[P] extends Ref<infer U>
      ? (U extends { id: infer I } ? I : unknown) | null
      : T[P]
    : never;

/** Type of the result of an aggregation over entities of a class. */
export type Aggregated<T, A> =
  A extends Aggregation<infer F, infer P>
    ? F extends 'count' | 'countDistinct'
      ? number
      : F extends 'mean' | 'percentile'
        ? number | null
        : NonNullable<ValueAt<T, P>> | null
    : never;
