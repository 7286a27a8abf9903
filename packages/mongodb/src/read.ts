/**
 * Reads: a plain `find` wherever the server's own order will do, so that indexes serve filter and order; a pipeline for
 * orders that have to be computed and for limits that count per group. Only the fields asked for travel, and rows are
 * read out of the documents by readers made once for each list of fields.
 */
import type { Field, ReadSpec, Row, Rows, Value } from '@storeweave/core';
import type { AbstractCursor, Document } from 'mongodb';
import { filterOf } from './condition.js';
import type { Call } from './domain.js';
import { type Shape, shapeOf } from './names.js';
import { sortPlan } from './order.js';
import { valuesOf } from './values.js';

/** Documents of one answer of the server at most; it cuts by size long before that. */
const BATCH = 100_000;

export async function readRows(spec: ReadSpec, call: Call): Promise<Rows> {
  if (spec.limit === 0) return [];
  const row = rowReader(shapeOf(spec.entity), spec.fields);
  const cursor = cursorOf(spec, call, BATCH);
  return (await cursor.toArray()).map(row);
}

/** The rows in pieces of this size. The cursor is closed when the caller leaves. */
export async function* streamRows(
  spec: ReadSpec,
  call: Call,
  batchSize: number,
): AsyncGenerator<Rows, void, undefined> {
  if (spec.limit === 0) return;
  const row = rowReader(shapeOf(spec.entity), spec.fields);
  const cursor = cursorOf(spec, call, batchSize);
  try {
    let piece: Rows = [];
    for await (const document of cursor) {
      piece.push(row(document));
      if (piece.length < batchSize) continue;
      yield piece;
      piece = [];
    }
    if (piece.length > 0) yield piece;
  } finally {
    await cursor.close();
  }
}

function cursorOf(spec: ReadSpec, call: Call, batchSize: number): AbstractCursor<Document> {
  const shape = shapeOf(spec.entity);
  const collection = call.collection(spec.entity);
  const options = { ...call.options, batchSize };
  const filter = { ...filterOf(spec.where, shape), ...call.shown(spec.entity) };
  const projection = projectionOf(shape, spec.fields);
  const { computed, sort } = sortPlan(spec.order, shape);
  const sorted = Object.keys(sort).length > 0;
  const limited = spec.limit === undefined ? {} : { limit: spec.limit };
  if (spec.perGroup === undefined && Object.keys(computed).length === 0) {
    return collection.find(filter, {
      ...options,
      ...(projection === undefined ? {} : { projection }),
      ...(sorted ? { sort, allowDiskUse: true } : {}),
      ...(spec.offset === undefined ? {} : { skip: spec.offset }),
      ...limited,
    });
  }
  const stages: Document[] = [{ $match: filter }];
  if (Object.keys(computed).length > 0) stages.push({ $addFields: computed });
  if (spec.perGroup !== undefined) stages.push(...groupStages(spec, spec.perGroup, shape, sort));
  else {
    stages.push({ $sort: sort });
    if (spec.offset !== undefined && spec.offset > 0) stages.push({ $skip: spec.offset });
    if (spec.limit !== undefined) stages.push({ $limit: spec.limit });
  }
  if (projection !== undefined) stages.push({ $project: projection });
  return collection.aggregate(stages, { ...options, allowDiskUse: true });
}

/** Numbers the documents of each group in their order, keeps those within the limit, and sorts the whole again. */
function groupStages(
  spec: ReadSpec,
  perGroup: readonly Field[],
  shape: Shape,
  sort: Readonly<Record<string, 1 | -1>>,
): Document[] {
  const sortBy = Object.keys(sort).length === 0 ? { _id: 1 } : sort;
  const partitionBy = Object.fromEntries(perGroup.map((field, at) => [`g${at}`, `$${shape.path(field)}`]));
  const first = spec.offset ?? 0;
  const range = { $gt: first, ...(spec.limit === undefined ? {} : { $lte: first + spec.limit }) };
  return [
    { $setWindowFields: { partitionBy, sortBy, output: { __number: { $documentNumber: {} } } } },
    { $match: { __number: range } },
    { $sort: sortBy },
  ];
}

/** Undefined where the whole document is asked for. */
function projectionOf({ entity, path }: Shape, fields: readonly Field[]): Document | undefined {
  if (fields.length >= entity.fields.length) return undefined;
  const projection: Document = { _id: 0 };
  for (const field of fields) {
    if (!entity.ids.includes(field)) projection[path(field)] = 1;
    else projection._id = 1;
  }
  return Object.keys(projection).length === 1 ? { _id: 1 } : projection;
}

type Reader = (document: Document) => Value;

/** Makes rows of documents. */
export function rowReader(shape: Shape, fields: readonly Field[]): (document: Document) => Row {
  const readers = fields.map((field) => readerOf(shape, field));
  return (document) => readers.map((read) => read(document));
}

function readerOf(shape: Shape, field: Field): Reader {
  const { decode } = valuesOf(shape.entity, field);
  const keepsNull = field.type === 'json' && !field.array;
  const [first = '', ...rest] = shape.keys(field);
  const value = (found: unknown): Value => {
    if (found === undefined || (found === null && !keepsNull)) return null;
    return decode(found);
  };
  if (rest.length === 0) return (document) => value(document[first]);
  return (document) => {
    let found: unknown = document[first];
    for (const key of rest) {
      if (found === null || typeof found !== 'object') return null;
      found = (found as Document)[key];
    }
    return value(found);
  };
}
