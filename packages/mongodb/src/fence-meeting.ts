/**
 * A writer of this store alone that meets a fence: it writes nothing and is told whose it is, so that the core can settle
 * that unit of work and try again. Where a unique index refused a value, the documents that may hold it are looked for
 * outside of the writer's transaction, which the server has ended by then.
 */
import {
  type Access,
  type BulkWrite,
  type EntityModel,
  FencedError,
  type FenceOwner,
  type Field,
  type IndexModel,
  type PatchSpec,
  UniqueViolationError,
  type Value,
  type WriteBatch,
} from '@storeweave/core';
import type { Document } from 'mongodb';
import { idOf } from './condition.js';
import type { Call, MongodbDomain } from './domain.js';
import { FENCE, HELD, Owners, ownerIn } from './fence-form.js';
import { type Shape, shapeOf } from './names.js';
import { uniqueKeysOf } from './unique-keys.js';
import { valuesOf } from './values.js';

/** What a write wants to put into documents: values of fields, row by row. */
type Wanted = readonly ReadonlyMap<Field, Value>[];

/** Throws `FencedError` where documents that match are held. */
export async function refuseFenced(entity: EntityModel, filter: Document, call: Call): Promise<void> {
  if (!call.isFenced(entity)) return;
  const owners = await ownersAmong(entity, filter, call);
  if (owners.length > 0) throw fenced(entity, owners);
}

/** Runs a write. Where a unique value is taken by what is held, it throws `FencedError` instead. */
export async function meetingFences<R>(
  domain: MongodbDomain,
  write: WriteBatch | BulkWrite | PatchSpec,
  { transaction: _, ...access }: Access,
  work: () => Promise<R>,
): Promise<R> {
  const { entity } = write;
  if (!domain.fenced.has(entity)) return work();
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UniqueViolationError)) throw error;
    const filter = suspects(write, error);
    const owners =
      filter === undefined ? [] : await domain.use(access, entity, (call) => ownersAmong(entity, filter, call));
    throw owners.length > 0 ? fenced(entity, owners, error) : error;
  }
}

async function ownersAmong(entity: EntityModel, filter: Document, call: Call): Promise<readonly FenceOwner[]> {
  const owners = new Owners();
  const options = { ...call.options, projection: { _id: 0, [FENCE]: 1 } };
  const cursor = call.collection(entity).find({ $and: [filter, HELD] }, options);
  for (const document of await cursor.toArray()) owners.add(ownerIn(document));
  return owners.all;
}

function fenced(entity: EntityModel, owners: readonly FenceOwner[], cause?: unknown): FencedError {
  const who = owners.map(({ unitOfWork, coordinator }) => `${unitOfWork} (decided by "${coordinator}")`).join(', ');
  return new FencedError(
    `${entity.name}: a document is held by a unit of work over several stores that is not over yet: ${who}. Nothing was written; run the unit of work again.`,
    owners,
    { entity: entity.name, store: entity.store, ...(cause === undefined ? {} : { cause }) },
  );
}

/** Filter: may have what the index refused. The server names the value for one document, and else only the index. */
function suspects(write: WriteBatch | BulkWrite | PatchSpec, error: UniqueViolationError): Document | undefined {
  const { keyValue } = (error.cause ?? {}) as { keyValue?: Document };
  if (keyValue !== undefined) {
    return Object.fromEntries(Object.entries(keyValue).map(([path, value]) => [path, { $eq: value }]));
  }
  const shape = shapeOf(write.entity);
  const keys = uniqueKeysOf(write.entity);
  const named = keys.filter(({ name }) => name === error.constraint);
  const indexes = named.length > 0 ? named : keys;
  const clauses = wanted(write).flatMap((row) => clausesOf(row, indexes, shape));
  return clauses.length === 0 ? undefined : { $or: clauses };
}

function clausesOf(row: ReadonlyMap<Field, Value>, indexes: readonly IndexModel[], shape: Shape): Document[] {
  const { entity } = shape;
  const clauses: Document[] = [];
  if (entity.ids.every((id) => row.has(id)))
    clauses.push({
      _id: idOf(
        shape,
        entity.ids.map((id) => row.get(id)),
      ),
    });
  for (const { fields } of indexes) {
    // Of an index of several fields, a change may say only some.
    const said = fields.filter((field) => (row.get(field) ?? null) !== null);
    if (said.length === 0) continue;
    clauses.push(
      Object.fromEntries(
        said.map((field) => [shape.path(field), { $eq: valuesOf(entity, field).encode(row.get(field)) }]),
      ),
    );
  }
  return clauses;
}

function wanted(write: WriteBatch | BulkWrite | PatchSpec): Wanted {
  if ('operations' in write) {
    return [
      new Map(write.operations.flatMap((each) => (each.op === 'set' ? [[each.on.field, each.value] as const] : []))),
    ];
  }
  if (write.op === 'updateWhere') return [new Map(write.set.map(({ field, value }) => [field, value]))];
  if (write.op === 'insert' || write.op === 'update') {
    return write.rows.map((row) => new Map(write.fields.map((field, at) => [field, row[at]])));
  }
  return [];
}
