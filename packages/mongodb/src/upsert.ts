/**
 * Inserts that meet what is there: one upsert for each row, in one batch. A row without a value in a key cannot conflict
 * and is inserted. The version of a document that is there grows by one; a new one starts with what it was given.
 */
import type { Field, InsertBatch, Row, WriteResult } from '@storeweave/core';
import type { AnyBulkWriteOperation, Document } from 'mongodb';
import { filterOf, idOf } from './condition.js';
import type { Call } from './domain.js';
import { leafOf } from './leaves.js';
import { type Shape, shapeOf } from './names.js';
import { rowReader } from './read.js';
import { valuesOf } from './values.js';
import { documentMaker } from './write.js';

export async function upsert(batch: InsertBatch, call: Call): Promise<WriteResult> {
  const { entity, rows, onConflict, returning } = batch;
  const shape = shapeOf(entity);
  const keys = onConflict?.keys ?? entity.ids;
  const make = documentMaker(shape, batch.fields);
  const operations = rows.map((row): AnyBulkWriteOperation => {
    const document = make(row);
    const filter = conflictFilter(shape, batch.fields, keys, row);
    if (filter === undefined) return { insertOne: { document } };
    // A document that is held is not found, and what is inserted in its place meets it again in the index.
    const free = { ...filter, ...call.free(entity) };
    return { updateOne: { filter: free, update: updateOf(batch, shape, document, row), upsert: true } };
  });
  const result = await call.collection(entity).bulkWrite(operations, { ...call.options, ordered: true });
  const isUpdate = onConflict?.do === 'update';
  const count = result.insertedCount + result.upsertedCount + (isUpdate ? result.matchedCount : 0);
  if (returning === undefined || returning.length === 0) return { count };
  return { count, returned: await outcomes(batch, shape, keys, returning, call) };
}

/** Undefined where a key is absent. */
function conflictFilter(
  shape: Shape,
  fields: readonly Field[],
  keys: readonly Field[],
  row: Row,
): Document | undefined {
  const values = keys.map((key) => row[fields.indexOf(key)]);
  if (values.some((value) => value === null || value === undefined)) return undefined;
  const { entity } = shape;
  if (keys.length === entity.ids.length && entity.ids.every((id) => keys.includes(id))) {
    return { _id: idOf(shape, values, keys) };
  }
  return Object.fromEntries(keys.map((key, at) => [shape.path(key), valuesOf(entity, key).encode(values[at])]));
}

/** Leaves of the new document: those to take over by a document that is there, and those only a new one gets. */
function updateOf({ entity, fields, onConflict }: InsertBatch, shape: Shape, document: Document, row: Row): Document {
  const taken = onConflict?.do === 'update' ? (onConflict.update ?? []) : [];
  const $set: Document = {};
  const $unset: Document = {};
  const $setOnInsert: Document = { _id: document._id };
  const $inc: Document = {};
  for (const field of entity.fields) {
    if (entity.ids.includes(field)) continue;
    const path = shape.path(field);
    const value = leafOf(document, shape.keys(field));
    const isTaken = taken.includes(field);
    if (field === entity.version && isTaken)
      $inc[path] = valuesOf(entity, field).encode(field.type === 'bigint' ? 1n : 1);
    else if (isTaken && value === undefined) {
      if (row[fields.indexOf(field)] === null) $unset[path] = '';
    } else if (isTaken) $set[path] = value;
    else if (value !== undefined) $setOnInsert[path] = value;
  }
  const update: Document = { $setOnInsert };
  for (const [name, part] of Object.entries({ $set, $unset, $inc })) {
    if (Object.keys(part).length > 0) update[name] = part;
  }
  return update;
}

/** What the rows have become: numbers made for those that were there already are lost, and theirs stay. */
async function outcomes(
  { entity, fields, rows }: InsertBatch,
  shape: Shape,
  keys: readonly Field[],
  returning: readonly Field[],
  call: Call,
): Promise<Row[]> {
  const wanted = rows.map((row) => keys.map((key) => row[fields.indexOf(key)]));
  const filter = filterOf({ op: 'keys', fields: keys, rows: wanted }, shape);
  const found = await call.collection(entity).find(filter, call.options).toArray();
  const read = rowReader(shape, [...keys, ...returning]);
  const text = (key: Row) => key.map(String).join('\0');
  const byKey = new Map(
    found.map((document) => {
      const row = read(document);
      return [text(row.slice(0, keys.length)), row.slice(keys.length)] as const;
    }),
  );
  return rows.map((row, at) => {
    const made = returning.map((field) => row[fields.indexOf(field)]);
    return byKey.get(text(wanted[at] ?? [])) ?? made;
  });
}
