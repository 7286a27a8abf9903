/**
 * Batches, in a number of round trips that does not depend on their rows, and with the exact rows that were missed. From
 * MongoDB 8 on the server's own bulk command tells the outcome of each operation; older servers tell only how many were
 * found, so the keys (and versions) that are there are read first, in the same transaction.
 */
import {
  type DeleteBatch,
  type InsertBatch,
  type Row,
  SerializationError,
  type UpdateBatch,
  type WriteBatch,
  type WriteResult,
} from '@storeweave/core';
import type { AnyBulkWriteOperation, Document } from 'mongodb';
import { idOf } from './condition.js';
import type { Call } from './domain.js';
import { refuseHeld } from './fence-meeting.js';
import { type Shape, shapeOf } from './names.js';
import { rowReader } from './read.js';
import { byBulkCommand, type Operation } from './requests.js';
import { numbered } from './sequences.js';
import { upsert } from './upsert.js';
import { valuesOf } from './values.js';
import { type ByKey, Changes, documentMaker } from './write.js';

export async function writeBatch(batch: WriteBatch, call: Call): Promise<WriteResult> {
  if (batch.op === 'insert') return insert(batch, call);
  if (batch.op === 'update' && batch.fields.length === 0) return { count: batch.keys.length };
  const free = call.free(batch.entity);
  const changes = batch.op === 'update' ? updates(batch, free) : deletions(batch, free);
  const [only] = changes;
  if (only === undefined) return { count: 0 };
  const result =
    changes.length === 1
      ? await changeOne(batch, only, call)
      : ((await byCommand(batch, changes, call)) ?? (await byReadingFirst(batch, changes, call)));
  if (result.missed !== undefined && result.missed.length > 0) await refuseHeld(batch, result.missed, call);
  return result;
}

async function insert(given: InsertBatch, call: Call): Promise<WriteResult> {
  const { batch, returned } = await numbered(given, call);
  if (batch.onConflict !== undefined) return upsert(batch, call);
  const documents = batch.rows.map(documentMaker(shapeOf(batch.entity), batch.fields));
  const collection = call.collection(batch.entity);
  const [only] = documents;
  if (documents.length === 1 && only !== undefined) await collection.insertOne(only, call.options);
  else if (documents.length > 1) await collection.insertMany(documents, { ...call.options, ordered: true });
  return { count: documents.length, ...(returned === undefined ? {} : { returned }) };
}

interface Change {
  readonly filter: Document;
  /** Absent: the document is deleted. */
  readonly update?: Document;
}

/** Changes nothing, and still asks whether the document is there. */
const NO_CHANGE: Document = { $unset: { __nothing: '' } };

function updates(batch: UpdateBatch, free: Document): Change[] {
  const shape = shapeOf(batch.entity);
  return batch.keys.map((key, at) => {
    const changes = new Changes(shape);
    const row = batch.rows[at] ?? [];
    for (const [i, field] of batch.fields.entries()) changes.set(field, row[i]);
    return { filter: { ...guarded(batch, shape, key, at), ...free }, update: changes.update() ?? NO_CHANGE };
  });
}

function deletions(batch: DeleteBatch, free: Document): Change[] {
  const shape = shapeOf(batch.entity);
  return batch.keys.map((key, at) => ({ filter: { ...guarded(batch, shape, key, at), ...free } }));
}

/** The document with this key, in the version that was expected. */
function guarded({ entity, versions }: UpdateBatch | DeleteBatch, shape: Shape, key: Row, at: number): Document {
  const filter: Document = { _id: idOf(shape, key) };
  if (versions !== undefined && entity.version !== undefined) {
    filter[shape.path(entity.version)] = valuesOf(entity, entity.version).encode(versions[at]);
  }
  return filter;
}

async function changeOne({ entity }: ByKey, { filter, update }: Change, call: Call): Promise<WriteResult> {
  const collection = call.collection(entity);
  const count =
    update === undefined
      ? (await collection.deleteOne(filter, call.options)).deletedCount
      : (await collection.updateOne(filter, update, call.options)).matchedCount;
  return { count, missed: count === 0 ? [0] : [] };
}

/** By the server's own command; undefined where it is not to be had. */
function byCommand({ entity }: ByKey, changes: readonly Change[], call: Call): Promise<WriteResult | undefined> {
  const { namespace } = call.collection(entity);
  const models = changes.map(
    ({ filter, update }): Operation =>
      update === undefined
        ? { name: 'deleteOne', namespace, filter }
        : { name: 'updateOne', namespace, filter, update },
  );
  return byBulkCommand(call, async () => {
    const { updateResults, deleteResults } = await call.client.bulkWrite(models, {
      ...call.options,
      ordered: true,
      verboseResults: true,
    });
    const missed: number[] = [];
    for (const at of changes.keys()) {
      const found = updateResults?.get(at)?.matchedCount ?? deleteResults?.get(at)?.deletedCount ?? 0;
      if (found === 0) missed.push(at);
    }
    return { count: changes.length - missed.length, missed };
  });
}

async function byReadingFirst(batch: ByKey, changes: readonly Change[], call: Call): Promise<WriteResult> {
  const { entity, keys } = batch;
  const collection = call.collection(entity);
  const there = await versionsThere(batch, call);
  const missed: number[] = [];
  const operations: AnyBulkWriteOperation[] = [];
  for (const [at, { filter, update }] of changes.entries()) {
    const version = there.get(keyText(keys[at] ?? []));
    const fits = version !== undefined && (batch.versions === undefined || version === String(batch.versions[at]));
    if (!fits) missed.push(at);
    else operations.push(update === undefined ? { deleteOne: { filter } } : { updateOne: { filter, update } });
  }
  if (operations.length === 0) return { count: 0, missed };
  const result = await collection.bulkWrite(operations, { ...call.options, ordered: true });
  if (result.matchedCount + result.deletedCount === operations.length) return { count: operations.length, missed };
  throw new SerializationError(
    `Some ${entity.name} were changed by someone else between reading and writing them. Run the unit of work again.`,
    { entity: entity.name, store: entity.store },
  );
}

/** Which of the documents are there, and in which version. */
async function versionsThere({ entity, keys }: ByKey, call: Call): Promise<Map<string, string>> {
  const shape = shapeOf(entity);
  const { version, ids } = entity;
  const documents = await call
    .collection(entity)
    .find(
      { _id: { $in: keys.map((key) => idOf(shape, key)) as never[] }, ...call.free(entity) },
      {
        ...call.options,
        projection: version === undefined ? { _id: 1 } : { _id: 1, [shape.path(version)]: 1 },
        batchSize: keys.length + 1,
      },
    )
    .toArray();
  const row = rowReader(shape, version === undefined ? ids : [...ids, version]);
  return new Map(
    documents.map((document) => {
      const values = row(document);
      return [keyText(values.slice(0, ids.length)), String(values[ids.length])];
    }),
  );
}

function keyText(key: Row): string {
  return key.map(String).join('\0');
}
