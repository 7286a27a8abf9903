/**
 * The unique indexes of a collection beside the identity, and the values that documents have in them, as text that is
 * equal where the server would call them equal.
 */

import type { EntityModel, Field, IndexModel } from '@storeweave/core';
import { BSON, Decimal128, type Document, Long } from 'mongodb';
import { decodeDecimal, sortableText } from './decimal.js';
import { leafOf } from './leaves.js';
import type { Shape } from './names.js';

const known = new WeakMap<EntityModel, readonly IndexModel[]>();

/** Unique indexes whose values another document can take while the identity stays. */
export function uniqueKeysOf(entity: EntityModel): readonly IndexModel[] {
  let keys = known.get(entity);
  if (keys === undefined) {
    // With the whole identity among its fields an index adds nothing to it.
    keys = entity.indexes.filter(({ unique, fields }) => unique && !entity.ids.every((id) => fields.includes(id)));
    known.set(entity, keys);
  }
  return keys;
}

/** A value as text. */
export function bsonText(value: unknown): string {
  if (value instanceof Decimal128) return `d${sortableText(decodeDecimal(value))}`;
  if (value instanceof Long || typeof value === 'bigint' || typeof value === 'number') return `n${value}`;
  if (typeof value === 'object' && value !== null && 'exact' in value) return `d${String(value.exact)}`;
  return BSON.EJSON.stringify({ value }, { relaxed: false });
}

/** Values of an index in a document as text; undefined where one is absent, which is never a conflict. */
export function valuesIn(document: Document, { fields }: IndexModel, shape: Shape): string | undefined {
  const values = fields.map((field) => leafOf(document, shape.keys(field)));
  return values.some(isAbsent) ? undefined : values.map(bsonText).join('\0');
}

/** Filter: has these values in the index. */
export function sameValues(document: Document, { fields }: IndexModel, shape: Shape): Document | undefined {
  const values = fields.map((field) => [shape.path(field), leafOf(document, shape.keys(field))] as const);
  if (values.some(([, value]) => isAbsent(value))) return undefined;
  return Object.fromEntries(values.map(([path, value]) => [path, { $eq: value }]));
}

/** The condition of a partial index; undefined where it has none. */
export function conditionOf({ where }: IndexModel): Document | undefined {
  return where === undefined ? undefined : (BSON.EJSON.parse(where) as Document);
}

/** True where the change of these fields can give the document other values in the index, or bring it in. */
export function isTouched({ fields, where }: IndexModel, changed: readonly Field[]): boolean {
  return where === undefined ? fields.some((field) => changed.includes(field)) : changed.length > 0;
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}
