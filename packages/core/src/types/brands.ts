/**
 * What a class can say about itself to the type checker in one `declare` line each. They have no value at run time:
 * `declare` leaves nothing behind, and the symbols exist only to be written between brackets.
 */
import type { DataModel } from '../model/entity-model.js';

/** Key of the properties that a class fills by itself: `declare readonly [optional]: Defaults<'role'>`. */
export const optional: unique symbol = Symbol.for('storeweave.optional') as never;

/** Key of the data model of a class: `declare readonly [model]: 'graph'`. Checked against the decorator. */
export const model: unique symbol = Symbol.for('storeweave.model') as never;

/** Key of the identity of a class whose id is not called `id`: `declare readonly [identity]: 'iata'`. */
export const identity: unique symbol = Symbol.for('storeweave.identity') as never;

/**
 * Key of the relations of a class with another library's decorators, whose properties hold the related entities
 * themselves: `declare readonly [adopted]: 'author' | 'tags'`. With it they can be populated and filtered by.
 */
export const adopted: unique symbol = Symbol.for('storeweave.adopted') as never;

/** Names of properties with a default, which `create` and `insert` need not be given. */
export interface Defaults<K extends string> {
  readonly names: K;
}

/** Names of properties that are optional at creation in every class. */
export type ConventionalNames = 'id' | 'version' | 'createdAt' | 'updatedAt';

/** Properties of a class that have a default. */
export type DefaultedNames<T> = T extends { readonly [optional]?: Defaults<infer K> } ? K : never;

/** Relations of a class that are plain properties. */
export type AdoptedNames<T> = T extends { readonly [adopted]: infer K extends string } ? K & keyof T : never;

/** Data model of a class that names it; any otherwise. */
export type ModelOf<T> = T extends { readonly [model]: infer M extends DataModel } ? M : DataModel;
