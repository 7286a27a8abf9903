/** Properties that Storeweave keeps by itself: versions, times of creation and change, soft deletion. */

import { declareField } from './declare-field.js';
import type { PropertyOptions } from './property.js';
import type { DefaultedProperty, NullableProperty } from './shape.js';

/** Options of `@Version`. */
export interface VersionOptions {
  /** 'integer' (a number, the default) or 'bigint'. */
  readonly type?: 'integer' | 'bigint';
  /** Name in the store. */
  readonly column?: string;
}

/** Options of `@CreatedAt`, `@UpdatedAt` and `@SoftDelete`. */
export type MomentOptions = Pick<PropertyOptions, 'column' | 'index'>;

/**
 * Optimistic lock: 1 at creation and one more with each update. An update or deletion of an entity that someone else
 * changed since it was read throws `OptimisticLockError`, and nothing of its unit of work is written.
 */
export function Version<const O extends VersionOptions = object>(
  options?: O,
): DefaultedProperty<O extends { readonly type: 'bigint' } ? bigint : number, '@Version()'> {
  const { type = 'integer', ...rest }: VersionOptions = options ?? {};
  return declareField('Version', type, rest, { special: 'version' }) as never;
}

/** Time at which the entity was first written. */
export function CreatedAt(options?: MomentOptions): DefaultedProperty<Date, '@CreatedAt()'> {
  return declareField('CreatedAt', 'timestamp', options, { special: 'createdAt' }) as never;
}

/** Time of the last write. */
export function UpdatedAt(options?: MomentOptions): DefaultedProperty<Date, '@UpdatedAt()'> {
  return declareField('UpdatedAt', 'timestamp', options, { special: 'updatedAt' }) as never;
}

/** Time at which the entity was removed. Set by `remove` in place of a deletion; finds then leave the entity out. */
export function SoftDelete(options?: MomentOptions): NullableProperty<Date, '@SoftDelete()'> {
  return declareField('SoftDelete', 'timestamp', { ...options, nullable: true }, { special: 'softDelete' }) as never;
}
