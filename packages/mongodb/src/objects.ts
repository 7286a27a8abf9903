/** Documents as plain objects with the values of the class, for those who read them without an identity map. */
import type { EntityModel, Field, Value } from '@storeweave/core';
import type { Document } from 'mongodb';
import { shapeOf } from './names.js';
import { rowReader } from './read.js';

/** The properties of a document, embedded objects included; references as their keys, under the relation's name. */
export function entityObject(entity: EntityModel, document: Document): object {
  const row = rowReader(shapeOf(entity), entity.fields)(document);
  const object: Record<string, unknown> = {};
  for (const [at, field] of entity.fields.entries()) put(object, field.path, own(field, row[at]));
  for (const { path, nullable } of entity.embeddeds) if (nullable) collapse(object, path);
  return object;
}

/** The identity: a value, or an object of several. */
export function keyObject(entity: EntityModel, document: Document): unknown {
  const row = rowReader(shapeOf(entity), entity.ids)(document);
  const [only] = entity.ids;
  if (entity.ids.length === 1 && only !== undefined) return own(only, row[0]);
  const key: Record<string, unknown> = {};
  for (const [at, field] of entity.ids.entries()) put(key, field.path, own(field, row[at]));
  return key;
}

function own({ codec }: Field, value: Value): unknown {
  return value === null || value === undefined ? null : codec.fromRow(value);
}

function put(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = object;
  for (const key of path.slice(0, -1)) {
    at[key] ??= {};
    at = at[key] as Record<string, unknown>;
  }
  at[path.at(-1) ?? ''] = value;
}

/** An embedded object without any value is null. */
function collapse(object: Record<string, unknown>, path: readonly string[]): void {
  const holder = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown> | null)?.[key], object);
  const key = path.at(-1) ?? '';
  const embedded = (holder as Record<string, unknown> | null | undefined)?.[key];
  if (typeof embedded !== 'object' || embedded === null) return;
  if (Object.values(embedded).every((value) => value === null)) (holder as Record<string, unknown>)[key] = null;
}
