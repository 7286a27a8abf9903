/** What creates and changes an entity. */
import type { Collection } from '../relations/collection.js';
import type { Ref } from '../relations/ref.js';
import type { TimeSeries } from '../relations/time-series.js';
import type { AdoptedNames, ConventionalNames, DefaultedNames } from './brands.js';
import type { IdOf, PropertyName, RelationName, ValueName } from './properties.js';

/** Names that need not be given: by convention, with a default, nullable, relations, and getters. */
type OptionalName<T> = ConventionalNames | DefaultedNames<T> | RelationName<T> | NullableName<T> | ReadonlyName<T>;

/** Equality of two types that sees `readonly`. */
type Same<A, B> = (<F>() => F extends A ? 1 : 2) extends <F>() => F extends B ? 1 : 2 ? true : false;

type ReadonlyName<T> = {
  [K in keyof T]-?: Same<{ [Q in K]: T[K] }, { -readonly [Q in K]: T[K] }> extends true ? never : K;
}[keyof T];

type NullableName<T> = {
  [K in keyof T]-?: null extends T[K] ? K : undefined extends T[K] ? K : never;
}[keyof T];

/**
 * Properties of a new entity. Required is what has neither a default (`[optional]`), nor null, nor a value by convention
 * (`id`, `version`, `createdAt`, `updatedAt`), and is no getter. Relations are optional; a reference takes an entity or its id.
 */
export type CreateInput<T> = {
  [K in Exclude<PropertyName<T>, OptionalName<T>>]: InputValue<T[K]>;
} & {
  [K in PropertyName<T> & OptionalName<T>]?: InputValue<T[K]>;
};

/** Properties to set. */
export type UpdateInput<T> = {
  [K in ValueName<T> | RelationName<T> as T[K] extends Collection<infer _> | TimeSeries<infer _>
    ? never
    : K extends AdoptedNames<T>
      ? NonNullable<T[K]> extends readonly unknown[]
        ? never
        : K
      : K]?: InputValue<T[K]>;
};

type InputValue<V> =
  V extends Ref<infer T>
    ? T | IdOf<T> | null
    : V extends Collection<infer T>
      ? readonly T[]
      : V extends TimeSeries<infer T>
        ? readonly Partial<T>[]
        : V;
