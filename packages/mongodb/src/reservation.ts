/**
 * Documents that hold unique values for others. An update that takes a new value changes its own document only after the
 * decision, so until then a reservation stands in the index. It has nothing but the values of one index; in the other
 * unique indexes it stands with its own identity, where a missing value would be a value, too.
 */
import type { FenceOwner, Field, IndexModel, Row, UpdateBatch } from '@storeweave/core';
import type { Document } from 'mongodb';
import { FENCE, fenceOf } from './fence-form.js';
import { leafOf, putLeaf } from './leaves.js';
import type { Shape } from './names.js';
import { conditionOf, isTouched, uniqueKeysOf } from './unique-keys.js';
import { valuesOf } from './values.js';

/** Filter: any reservation of this owner. Its identities begin with the owner, so the index of `_id` answers it. */
export function reservationsOf({ unitOfWork }: FenceOwner): Document {
  return { _id: { $gte: { reserve: unitOfWork }, $lt: { reserve: `${unitOfWork}~` } } };
}

/** True for the identity of a reservation. */
export function isReservationId(id: unknown): boolean {
  return typeof id === 'object' && id !== null && ['reserve', 'index', 'of'].every((key) => key in id);
}

/** The document that holds the values which `image` has in the index. `_id` of the image is the one they are for. */
export function reservation(owner: FenceOwner, image: Document, index: IndexModel, shape: Shape): Document {
  const { entity } = shape;
  const _id: Document = { reserve: owner.unitOfWork, index: index.name, of: image._id };
  const document: Document = { _id, [FENCE]: fenceOf(owner, 'reserve') };
  const copied = new Set(index.fields);
  const condition = JSON.stringify(conditionOf(index) ?? {});
  for (const field of entity.fields) if (condition.includes(JSON.stringify(shape.path(field)))) copied.add(field);
  for (const field of copied) {
    const value = leafOf(image, shape.keys(field));
    if (value !== undefined) putLeaf(document, shape.keys(field), value);
  }
  standApart(document, shape, (field) => !copied.has(field));
  return document;
}

/** A placeholder that holds the identity alone. */
export function keyPlaceholder(owner: FenceOwner, _id: unknown, shape: Shape): Document {
  const document: Document = { _id, [FENCE]: fenceOf(owner, 'reserve') };
  standApart(document, shape, (field) => !shape.entity.ids.includes(field), { reserve: owner.unitOfWork, of: _id });
  return document;
}

function standApart(
  document: Document,
  shape: Shape,
  isOpen: (field: Field) => boolean,
  mark: unknown = document._id,
): void {
  const { entity } = shape;
  for (const { fields } of uniqueKeysOf(entity)) {
    const open = fields.find((field) => isOpen(field) && !entity.ids.includes(field));
    // Without a value that may be absent it is not in the index at all.
    if (open === undefined || fields.some((field) => field.nullable && isOpen(field))) continue;
    putLeaf(document, shape.keys(open), mark);
  }
}

/** Fields of an update that a row sets or clears. */
export function changedFields({ fields }: UpdateBatch, row: Row): readonly Field[] {
  return fields.filter((_, at) => row[at] !== undefined);
}

/** Unique indexes in which a row of an update may take other values. */
export function touchedKeys({ entity }: UpdateBatch, changed: readonly Field[]): readonly IndexModel[] {
  return uniqueKeysOf(entity).filter((index) => isTouched(index, changed));
}

/** Puts the row's values into the document. */
export function overlay(image: Document, { entity, fields }: UpdateBatch, row: Row, shape: Shape): Document {
  for (const [at, field] of fields.entries()) {
    const value = row[at];
    if (value === undefined) continue;
    putLeaf(image, shape.keys(field), value === null ? undefined : valuesOf(entity, field).encode(value));
  }
  return image;
}
