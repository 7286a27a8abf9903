/** How the types read a property of an entity: what it holds, and which names there are. */
import type { Collection } from '../relations/collection.js';
import type { RelationContainer } from '../relations/container.js';
import type { Ref } from '../relations/ref.js';
import type { TimeSeries } from '../relations/time-series.js';
import type { AdoptedNames, identity } from './brands.js';

/** Values that a store keeps as one. */
export type Scalar = string | number | bigint | boolean | Date | Uint8Array;

/** Entity at the other end of a relation; never for anything else. */
export type TargetOf<V> =
  V extends Ref<infer T> ? T : V extends Collection<infer T> ? T : V extends TimeSeries<infer T> ? T : never;

/** Entity at the other end of the relation of this name. */
export type TargetIn<T, K extends keyof T> =
  K extends AdoptedNames<T> ? PlainTarget<NonNullable<T[K]>> : TargetOf<T[K]>;

/** Entity in a property that holds it, or an array of it. */
export type PlainTarget<V> = V extends readonly (infer E)[] ? E : V;

/** Names of everything that is stored or related: methods, functions and brands are not. */
export type PropertyName<T> = {
  [K in keyof T]-?: K extends string ? (NonNullable<T[K]> extends (...args: never[]) => unknown ? never : K) : never;
}[keyof T];

/** Names of relations. */
export type RelationName<T> = {
  [K in keyof T]-?: K extends string
    ? T[K] extends RelationContainer
      ? K
      : K extends AdoptedNames<T>
        ? K
        : never
    : never;
}[keyof T];

/** Names of stored values: properties and embedded objects, without relations. */
export type ValueName<T> = Exclude<PropertyName<T>, RelationName<T>>;

/** An object that is stored in parts: embedded or json, and no value of its own. */
export type IsNested<V> = [V] extends [Scalar | readonly unknown[]] ? false : [V] extends [object] ? true : false;

/** Dotted paths of stored values: `email`, `home`, `home.zip`. */
export type PropertyPath<T> = PathsOf<T, 3>;

type Less = [never, 0, 1, 2, 3];

type PathsOf<T, Depth extends number> = [Depth] extends [never]
  ? never
  : {
      [K in ValueName<T>]: IsNested<NonNullable<T[K]>> extends true
        ? K | (Depth extends 0 ? never : `${K}.${PathsOf<NonNullable<T[K]>, Less[Depth]>}`)
        : K;
    }[ValueName<T>];

/** One value of an id. */
export type IdValue = string | number | bigint;

/**
 * What identifies an entity: the type of `id`; of a class with `[identity]` that property, or an object of them. Where
 * neither is there, any single value, or an object by property.
 */
export type IdOf<T> = T extends { readonly [identity]: infer K extends string }
  ? IsUnion<K> extends true
    ? { readonly [P in K & keyof T]: KeyValue<T[P]> }
    : KeyValue<T[K & keyof T]>
  : T extends { id: infer I }
    ? KeyValue<I>
    : IdValue | Date | { readonly [K in ValueName<T>]?: T[K] };

type KeyValue<V> = V extends Ref<infer T> ? IdOf<T> : V;

type IsUnion<T, U = T> = T extends U ? ([U] extends [T] ? false : true) : never;
