/**
 * Holds the one related entity of a to-one relation, wherever that entity lives. A class and not a type, so that
 * emitted decorator metadata never touches the entity across a circular import.
 */
import { RelationNotLoadedError } from '../errors/errors.js';
import type { RelationModel } from '../model/relation-model.js';
import type { RelationLoader } from './relation-loader.js';

/** What `populate` makes of a `Ref`: its value can be read. */
export interface LoadedRef<T extends object> extends Ref<T> {
  readonly value: T;
}

export class Ref<T extends object> {
  // Type parameter used in a method signature position so that Ref<A> and Ref<B> are different types.
  declare protected readonly __target?: T;
}
