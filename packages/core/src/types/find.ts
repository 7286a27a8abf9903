/** What a find can be told, and what it then gives. */
import type { Collection, LoadedCollection } from '../relations/collection.js';
import type { LoadedRef, Ref } from '../relations/ref.js';
import type { LoadedSeries, TimeSeries } from '../relations/time-series.js';
import type { AdoptedNames } from './brands.js';
import type { IdOf, IsNested, PropertyPath, RelationName, TargetIn, ValueName } from './properties.js';
import type { Where } from './where.js';

/** Direction of an order; values that are absent come last unless told otherwise. */
export type OrderDirection = 'asc' | 'desc' | { readonly direction: 'asc' | 'desc'; readonly nulls?: 'first' | 'last' };

/** An order by properties, in the order of the keys: `{ name: 'asc', home: { zip: 'desc' } }`. */
export type OrderBy<T> = {
  readonly [K in ValueName<T>]?: IsNested<NonNullable<T[K]>> extends true
    ? OrderDirection | OrderBy<NonNullable<T[K]>>
    : OrderDirection;
};

type Less = [never, 0, 1, 2];

/** Paths of relations: `profile`, `friends.profile`. Completed to a depth of three, checked at run time beyond. */
export type PopulatePath<T> = RelationPaths<T, 2>;

type RelationPaths<T, Depth extends number> = {
  [K in RelationName<T>]: K | `${K}.${Depth extends 0 ? string : RelationPaths<TargetIn<T, K>, Less[Depth]>}`;
}[RelationName<T>];

/**
 * An entity with these relations loaded: `Loaded<User, 'profile' | 'friends.profile'>`. Assignable to `User`. Reading
 * what is not among the paths is a compile error.
 */
export type Loaded<T, P extends string = never> = [P] extends [never]
  ? T
  : T & {
      readonly [K in Head<P> & keyof T]: K extends AdoptedNames<T>
        ? LoadedPlain<T[K], Tail<P, K & string>>
        : LoadedContainer<T[K], Tail<P, K & string>>;
    };

type LoadedPlain<V, P extends string> =
  NonNullable<V> extends readonly (infer E)[] ? Loaded<E, P>[] : Loaded<NonNullable<V>, P> | Extract<V, null>;

type Head<P extends string> = P extends `${infer H}.${string}` ? H : P;

type Tail<P extends string, K extends string> = P extends `${K}.${infer R}` ? R : never;

type LoadedContainer<V, P extends string> =
  V extends Ref<infer T>
    ? LoadedRef<Loaded<T, P>>
    : V extends Collection<infer T>
      ? LoadedCollection<Loaded<T, P>>
      : V extends TimeSeries<infer T>
        ? LoadedSeries<Loaded<T, P>>
        : never;

/** Paths on the way to a path: `friends` of `friends.profile`. */
type Before<P extends string> = P extends `${infer H}.${infer R}` ? H | `${H}.${Before<R>}` : never;

/** Entity at the end of a path of relations. */
export type TargetAt<T, P extends string> = P extends `${infer H}.${infer R}`
  ? H extends keyof T
    ? TargetAt<TargetIn<T, H>, R>
    : never
  : P extends keyof T
    ? TargetIn<T, P>
    : never;

/** Filter, order and limit of a populated relation; `limit` and `offset` count per owner. */
export interface RelatedOptions<T> {
  readonly where?: Where<T>;
  readonly orderBy?: OrderBy<T> | readonly OrderBy<T>[];
  readonly limit?: number;
  readonly offset?: number;
}

/** What can be selected: stored values, whole or by path, and to-one relations, which give their key. */
export type SelectPath<T> = PropertyPath<T> | RefName<T>;

type RefName<T> = { [K in RelationName<T>]: T[K] extends Ref<infer _> ? K : never }[RelationName<T>];

/** Plain row of a selection: `Selected<User, 'email' | 'home.zip'>` is `{ email: string; home: { zip: string } }`. */
export type Selected<T, S extends string> = {
  [K in Head<S> & keyof T]: [Tail<S, K & string>] extends [never]
    ? SelectedValue<T[K]>
    : Selected<NonNullable<T[K]>, Tail<S, K & string>> | Extract<T[K], null>;
};

type SelectedValue<V> = V extends Ref<infer T> ? IdOf<T> | null : V;

/** Options of a find. */
export interface FindOptions<T, P extends string = never, S extends string = never> {
  readonly where?: Where<T>;
  readonly orderBy?: OrderBy<T> | readonly OrderBy<T>[];
  /** Greatest number of entities; all if absent. */
  readonly limit?: number;
  /** Entities to skip; 0 if absent. For pages prefer `page()`. */
  readonly offset?: number;
  /** Relations to load, one query per level and store. */
  readonly populate?: readonly P[];
  /** Filter, order and limit of populated relations by path; a path named here is populated. */
  readonly related?: { readonly [K in P | Before<P>]?: RelatedOptions<TargetAt<T, K>> };
  /** Plain rows of these properties in place of entities. */
  readonly select?: readonly S[];
  /** Entities that are softly deleted: `true` with the others, `'only'` alone. Left out if absent. */
  readonly withDeleted?: boolean | 'only';
  /** Locks the rows until the end of the transaction. */
  readonly lock?: 'update' | 'share';
  /**
   * `settled`: sees only whole units of work, whatever stores the answer is read from. It is read more than once, and not
   * inside a unit of work. Default: what is there, store by store.
   */
  readonly consistency?: 'settled';
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** Limit on the call, in milliseconds. */
  readonly timeoutMs?: number;
  /** Name of the call in messages and metrics. */
  readonly label?: string;
}

/** What a find gives: entities with what was populated, or plain rows where something was selected. */
export type Found<T, P extends string = never, S extends string = never> = [S] extends [never]
  ? Loaded<T, P>
  : Selected<T, S>;
