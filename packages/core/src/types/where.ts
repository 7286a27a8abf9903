/**
 * Typed filters. One homomorphic mapped type with the logic operators beside it, and never a union that has keys or
 * arrays in it: a misspelt property then gives one line that names it.
 */
import type { Collection } from '../relations/collection.js';
import type { Ref } from '../relations/ref.js';
import type { TimeSeries } from '../relations/time-series.js';
import type { AdoptedNames } from './brands.js';
import type { IdOf, Scalar } from './properties.js';

/**
 * A filter on an entity. Properties are joined by "and". Absence is asked with `{ exists: false }`; `null` and
 * `undefined` are errors, so that a missing variable never widens a filter.
 *
 * ```ts
 * { username: { like: 'a%' }, home: { zip: '10115' }, author: { email: { exists: true } }, or: [{ age: { gte: 18 } }, { vip: true }] }
 * ```
 */
export type Where<T> = {
  readonly [K in keyof T]?: K extends AdoptedNames<T> ? PlainFilter<NonNullable<T[K]>> : Filter<NonNullable<T[K]>>;
} & Logic<T>;

/** Of a relation whose property holds the related entities themselves. */
type PlainFilter<V> = V extends readonly (infer E)[] ? Where<E> | Presence : IdOf<V> | IdOperators<IdOf<V>> | Where<V>;

/** Conditions on conditions. */
export interface Logic<T> {
  readonly and?: readonly Where<T>[];
  readonly or?: readonly Where<T>[];
  /** The exact complement. */
  readonly not?: Where<T>;
}

/** What a property can be compared with. */
export type Filter<V> = unknown extends V
  ? JsonFilter
  : [V] extends [string]
    ? V | StringOperators<V>
    : [V] extends [number | bigint | Date]
      ? V | OrderedOperators<V>
      : [V] extends [Scalar]
        ? V | EqualityOperators<V>
        : V extends Ref<infer T>
          ? IdOf<T> | IdOperators<IdOf<T>> | Where<T>
          : V extends Collection<infer T>
            ? Where<T> | Presence
            : V extends TimeSeries<infer T>
              ? Where<T> | Presence
              : V extends readonly (infer E)[]
                ? V | ArrayOperators<V, E>
                : V extends (...args: never[]) => unknown
                  ? never
                  : NestedWhere<V> | Presence;

/** Filter inside an embedded object or a typed json value. */
export type NestedWhere<V> = { readonly [K in keyof V]?: Filter<NonNullable<V[K]>> };

/** Filter on a json value whose type is not known: a value, operators, or keys that lead to either. */
export type JsonFilter = Scalar | { readonly [key: string]: unknown };

export interface Presence {
  /** `true`: has a value; `false`: has none. Of a collection: has any related entity or none. */
  readonly exists?: boolean;
}

export interface EqualityOperators<V> extends Presence {
  readonly eq?: V;
  /** True also where there is no value. */
  readonly ne?: V;
  readonly in?: readonly V[];
  /** True also where there is no value. */
  readonly notIn?: readonly V[];
  /** The exact complement of these operators. */
  readonly not?: V | EqualityOperators<V>;
}

export interface OrderedOperators<V> extends EqualityOperators<V> {
  readonly gt?: V;
  readonly gte?: V;
  readonly lt?: V;
  readonly lte?: V;
  /** Both ends included. */
  readonly between?: readonly [V, V];
  readonly not?: V | OrderedOperators<V>;
}

export interface StringOperators<V> extends OrderedOperators<V> {
  /** `%` any characters, `_` one; a backslash takes the meaning away. */
  readonly like?: string;
  /** `like` without regard to case. */
  readonly ilike?: string;
  /** Has this substring. */
  readonly contains?: string;
  readonly not?: V | StringOperators<V>;
}

export interface ArrayOperators<V, E> extends Presence {
  readonly eq?: V;
  readonly ne?: V;
  /** Has this element, or all of these. */
  readonly contains?: E | readonly E[];
  readonly not?: V | ArrayOperators<V, E>;
}

export interface IdOperators<I> extends Presence {
  readonly eq?: I;
  readonly ne?: I;
  readonly in?: readonly I[];
  readonly notIn?: readonly I[];
}
