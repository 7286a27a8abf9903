/**
 * Writes by identity. An insert is one request, whatever is there: a point with the same time and tags is overwritten as
 * a whole. What needs to know what is there (an update, an upsert that changes only some fields or passes over what
 * exists) reads it first; between the two another writer may come, as InfluxDB has no transactions.
 */
import {
  addValues,
  type DeleteBatch,
  type Field,
  type InsertBatch,
  InvalidQueryError,
  NotNullViolationError,
  type Row,
  rowKey,
  StoreError,
  type UpdateBatch,
  type WriteBatch,
  type WriteResult,
} from '@storeweave/core';
import { selectionOf } from './condition.js';
import type { Connection } from './connection.js';
import { deletePoints } from './delete.js';
import type { Call } from './errors.js';
import { keyOf, lineWriter } from './line-protocol.js';
import type { Layout } from './names.js';
import { fetchPoints } from './points.js';
import { prepare, send } from './send.js';

export interface WriteContext {
  readonly layout: Layout;
  readonly connection: Connection;
  readonly batchBytes: number;
  readonly call: Call;
}

export async function write(batch: WriteBatch, context: WriteContext): Promise<WriteResult> {
  if (batch.op === 'insert') return insert(batch, context);
  if (batch.versions !== undefined) {
    throw new StoreError('The InfluxDB store was asked to check versions, which it does not claim.');
  }
  return batch.op === 'update' ? update(batch, context) : remove(batch, context);
}

/** Writes whole rows. Returns the number of points. */
export async function sendRows(
  rows: readonly Row[],
  { layout, connection, batchBytes, call }: WriteContext,
): Promise<number> {
  const points = prepare(layout, rows);
  await send(points, layout, connection, batchBytes, call);
  return points.length;
}

async function insert(batch: InsertBatch, context: WriteContext): Promise<WriteResult> {
  const { layout } = context;
  const { entity } = layout;
  if (batch.returning !== undefined) {
    throw new StoreError('The InfluxDB store was asked for numbers of a sequence, which it does not claim.');
  }
  const { onConflict } = batch;
  if (onConflict?.keys !== undefined && !isIdentity(onConflict.keys, entity.ids)) {
    throw new InvalidQueryError(
      `${entity.name}: a point is known by its time and tags, and InfluxDB has no other key to upsert by.`,
      { entity: entity.name, store: entity.store },
    );
  }
  const rows = completeRows(batch);
  if (onConflict === undefined) return { count: await sendRows(rows, context) };
  const updated = new Set(onConflict.do === 'update' ? onConflict.update : []);
  if (layout.measures.every((field) => updated.has(field))) return { count: await sendRows(rows, context) };

  // Checked before anything is asked or sent.
  const writer = lineWriter(layout);
  for (const row of rows) writer(row);
  const stored = await storedRows(
    rows.map((row) => keyOf(layout, row)),
    context,
  );
  const written = new Map<string, Row>();
  for (const row of rows) {
    const key = rowKey(keyOf(layout, row));
    const existing = stored.get(key);
    if (existing !== undefined && updated.size === 0) continue;
    const merged =
      existing === undefined
        ? row
        : row.map((value, at) => (updated.has(entity.fields[at] as Field) ? value : existing[at]));
    stored.set(key, merged);
    written.set(key, merged);
  }
  return { count: await sendRows([...written.values()], context) };
}

async function update(batch: UpdateBatch, context: WriteContext): Promise<WriteResult> {
  const { layout } = context;
  const stored = await storedRows(batch.keys, context);
  const missed: number[] = [];
  const changed = new Map<string, Row>();
  const moved: Row[] = [];
  for (const [i, key] of batch.keys.entries()) {
    const name = rowKey(key);
    const existing = changed.get(name) ?? stored.get(name);
    if (existing === undefined) {
      missed.push(i);
      continue;
    }
    const row = [...existing];
    batch.fields.forEach((field, at) => {
      const value = batch.rows[i]?.[at];
      if (value !== undefined) row[field.index] = value;
    });
    if (rowKey(keyOf(layout, row)) !== name) moved.push([...key]);
    changed.set(name, required(layout, row));
  }
  await sendRows([...changed.values()], context);
  // Its time or a tag was changed: it is another point now, and the old one goes once the new one is there.
  if (moved.length > 0) await deletePoints(moved, context);
  return { count: batch.keys.length - missed.length, missed };
}

async function remove(batch: DeleteBatch, context: WriteContext): Promise<WriteResult> {
  const gone = await deletePoints(batch.keys, context);
  const missed = batch.keys.flatMap((key, i) => (gone.has(rowKey(key)) ? [] : [i]));
  return { count: batch.keys.length - missed.length, missed };
}

/** The points with these identities, as whole rows, by the text of their identity. */
async function storedRows(keys: readonly Row[], { layout, connection, call }: WriteContext): Promise<Map<string, Row>> {
  const { ids, fields } = layout.entity;
  const stored = new Map<string, Row>();
  if (keys.length === 0) return stored;
  const wanted = new Set(keys.map(rowKey));
  const selection = selectionOf({ op: 'keys', fields: ids, rows: keys }, layout);
  await fetchPoints(connection, { layout, selection, fields }, call, (row) => {
    const name = rowKey(keyOf(layout, row));
    if (wanted.has(name)) stored.set(name, row);
  });
  return stored;
}

/** Rows aligned with the entity's fields, with the store's defaults for what was left out. */
export function completeRows({ entity, fields, rows }: InsertBatch): Row[] {
  return rows.map((given) => {
    const row: Row = entity.fields.map((field) => (field.default?.kind === 'value' ? field.default.value : null));
    fields.forEach((field, at) => {
      if (given[at] !== undefined) row[field.index] = given[at];
    });
    return row;
  });
}

/** Throws `NotNullViolationError` where a field that must have a value has none. */
export function required({ entity }: Layout, row: Row): Row {
  const bare = entity.fields.find((field) => !field.nullable && (row[field.index] ?? null) === null);
  if (bare === undefined) return row;
  throw new NotNullViolationError(
    `${entity.name}.${bare.name} has no value but is not nullable. Give it one or declare it nullable.`,
    { entity: entity.name, property: bare.name, store: entity.store },
  );
}

function isIdentity(keys: readonly Field[], ids: readonly Field[]): boolean {
  return keys.length === ids.length && ids.every((id) => keys.includes(id));
}

/** Adds to a field of a row; an absent value counts as 0. */
export function increment(row: Row, field: Field, by: unknown): void {
  row[field.index] = addValues(field, row[field.index], by);
}
