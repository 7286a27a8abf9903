/** Why a document that was named by its identity was not met as it was expected: gone, changed, held, or let go since. */
import { type EntityModel, type FenceOwner, SerializationError } from '@storeweave/core';
import type { Document } from 'mongodb';
import { idOf } from './condition.js';
import type { Call } from './domain.js';
import { FENCE, Owners, ownerIn } from './fence-form.js';
import { leafOf } from './leaves.js';
import { shapeOf } from './names.js';
import { bsonText } from './unique-keys.js';
import { valuesOf } from './values.js';
import type { ByKey } from './write.js';

/** Rows that are not there or have another version, and whose fences stand on the others. */
export interface Reasons {
  readonly missed: readonly number[];
  readonly held: readonly FenceOwner[];
}

/**
 * Looks at these rows again. A fence of `own` is no reason. Throws `SerializationError` where a document is as it was
 * expected: somebody has held it a moment ago.
 */
export async function whyMissed(batch: ByKey, rows: readonly number[], call: Call, own?: FenceOwner): Promise<Reasons> {
  const { entity, keys } = batch;
  const { version } = entity;
  const shape = shapeOf(entity);
  const projection = { [FENCE]: 1, ...(version === undefined ? {} : { [shape.path(version)]: 1 }) };
  const ids = rows.map((row) => idOf(shape, keys[row] ?? []));
  const found = await documentsById(entity, ids, call, projection);
  const missed: number[] = [];
  const held = new Owners();
  let isLetGo = false;
  for (const [at, row] of rows.entries()) {
    const document = found.get(bsonText(ids[at]));
    const holder = document === undefined ? undefined : ownerIn(document);
    if (holder !== undefined && holder.unitOfWork === own?.unitOfWork) continue;
    if (document === undefined || !hasVersion(document, batch, row)) missed.push(row);
    else if (holder !== undefined) held.add(holder);
    else isLetGo = true;
  }
  if (isLetGo && missed.length === 0 && held.all.length === 0) throw letGo(entity);
  return { missed, held: held.all };
}

/** Filter: the version that the row is expected to have. */
export function versionOf({ entity, versions }: ByKey, row: number): Document {
  const { version } = entity;
  if (versions === undefined || version === undefined) return {};
  return { [shapeOf(entity).path(version)]: valuesOf(entity, version).encode(versions[row]) };
}

/** Documents by the text of their identity. */
export async function documentsById(
  entity: EntityModel,
  ids: readonly unknown[],
  call: Call,
  projection?: Document,
): Promise<ReadonlyMap<string, Document>> {
  const filter: Document = { _id: { $in: ids } };
  const options = { ...call.options, batchSize: ids.length + 1, ...(projection === undefined ? {} : { projection }) };
  const found = await call.collection(entity).find(filter, options).toArray();
  return new Map(found.map((document) => [bsonText(document._id), document]));
}

/** Whether it was changed meanwhile, nobody has looked. */
export function letGo(entity: EntityModel, cause?: unknown): SerializationError {
  return new SerializationError(
    `${entity.name}: what was written was held by another unit of work a moment ago. Run the unit of work again; transaction() does so by itself.`,
    { entity: entity.name, store: entity.store, ...(cause === undefined ? {} : { cause }) },
  );
}

function hasVersion(document: Document, batch: ByKey, row: number): boolean {
  const { version } = batch.entity;
  const [wanted] = Object.values(versionOf(batch, row));
  if (version === undefined || wanted === undefined) return true;
  return bsonText(leafOf(document, shapeOf(batch.entity).keys(version))) === bsonText(wanted);
}
