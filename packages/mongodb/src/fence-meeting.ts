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
import { FENCE, HELD, Owners, ownerIn, SHOWN } from './fence-form.js';
import { letGo, whyMissed } from './fence-reasons.js';
import { type Shape, shapeOf } from './names.js';
import { uniqueKeysOf } from './unique-keys.js';
import { valuesOf } from './values.js';
import type { ByKey } from './write.js';

/** What a write wants to put into documents: values of fields, row by row. */
type Wanted = readonly ReadonlyMap<Field, Value>[];

/** Throws `FencedError` where documents that match, and that readers see, are held. */
export async function refuseFenced(entity: EntityModel, filter: Document, call: Call): Promise<void> {
  if (!call.isFenced(entity)) return;
  const { owners } = await holdersAmong(entity, { $and: [filter, HELD, SHOWN] }, call);
  if (owners.length > 0) throw fenced(entity, owners);
}

/** The same for rows that were missed; `SerializationError` where their fences are gone by now. */
export async function refuseHeld(batch: ByKey, missed: readonly number[], call: Call): Promise<void> {
  if (!call.isFenced(batch.entity)) return;
  const { held } = await whyMissed(batch, missed, call);
  if (held.length > 0) throw fenced(batch.entity, held);
}

/** The same for a patch by key that changed fewer documents than it named. */
export async function refuseUnpatched(
  entity: EntityModel,
  filter: Document,
  matched: number,
  call: Call,
): Promise<void> {
  if (!call.isFenced(entity)) return;
  const { owners, free } = await holdersAmong(entity, filter, call);
  if (owners.length > 0) throw fenced(entity, owners);
  if (free > matched) throw letGo(entity);
}

/** Runs a write. Where a unique value is taken by what is held, it throws `FencedError` instead. */
export async function meetingFences<R>(
  domain: MongodbDomain,
  write: WriteBatch | BulkWrite | PatchSpec,
  { transaction, ...access }: Access,
  work: () => Promise<R>,
): Promise<R> {
  const { entity } = write;
  if (!domain.fenced.has(entity)) return work();
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UniqueViolationError)) throw error;
    const filter = suspects(write, error);
    if (filter === undefined) throw error;
    const { owners, free } = await domain.use(access, entity, (call) => holdersAmong(entity, filter, call));
    if (owners.length > 0) throw fenced(entity, owners, error);
    // Nobody has it any more. One row by itself cannot have met another of its own transaction.
    if (free === 0 && transaction === undefined && rowsOf(write) === 1) throw letGo(entity, error);
    throw error;
  }
}

/** Of the documents that match: whose fences stand on them, and how many have none. */
async function holdersAmong(
  entity: EntityModel,
  filter: Document,
  call: Call,
): Promise<{ readonly owners: readonly FenceOwner[]; readonly free: number }> {
  const owners = new Owners();
  let free = 0;
  const options = { ...call.options, projection: { _id: 0, [FENCE]: 1 } };
  for (const document of await call.collection(entity).find(filter, options).toArray()) {
    const owner = ownerIn(document);
    if (owner === undefined) free++;
    else owners.add(owner);
  }
  return { owners: owners.all, free };
}

function rowsOf(write: WriteBatch | BulkWrite | PatchSpec): number {
  return 'rows' in write ? write.rows.length : Number.POSITIVE_INFINITY;
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
