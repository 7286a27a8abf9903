/**
 * Which points of a batch the server refused. It answers with a number and one reason and keeps the other points, so what
 * is stored is read again and compared: what is not as it was sent, was refused.
 */
import type { HttpError } from '@influxdata/influxdb-client';
import { CheckViolationError, type Row, rowKey, SchemaError, StoreError, type StoreweaveError } from '@storeweave/core';
import { selectionOf } from './condition.js';
import type { Connection } from './connection.js';
import { type Call, messageOf } from './errors.js';
import { describePoint, keyOf } from './line-protocol.js';
import type { Layout } from './names.js';
import { fetchPoints } from './points.js';

/** Points named in the message; the error's `key` has all of them. */
const NAMED = 5;

/** The error for a batch that was refused in part or as a whole. */
export async function refusal(
  cause: HttpError,
  points: readonly { readonly row: Row }[],
  layout: Layout,
  connection: Connection,
  call: Call,
): Promise<StoreweaveError> {
  const { entity } = layout;
  const subject = { entity: entity.name, store: entity.store, cause };
  let refused: Row[];
  try {
    refused = await notStored(points, layout, connection, call);
  } catch (error) {
    return new StoreError(
      `InfluxDB refused a part of ${points.length} points of ${entity.name}: ${cause.message}. Which of them could not be found out (${messageOf(error)}).`,
      subject,
    );
  }
  const named = refused.slice(0, NAMED).map((row) => `\n  - ${describePoint(layout, row)}`);
  const more = refused.length > NAMED ? `\n  - and ${refused.length - NAMED} more` : '';
  const message = `InfluxDB refused a part of a batch: ${cause.message}. ${refused.length} of ${points.length} points of ${entity.name} are not there as they were written, the others are:${named.join('')}${more}`;
  const options = { ...subject, key: refused.map((row) => keyOf(layout, row)) };
  if (/field type conflict/i.test(cause.message)) {
    return new SchemaError(
      `${message}\nThe field has another type on the server: give it another column, or move its points.`,
      options,
    );
  }
  if (/retention/i.test(cause.message))
    return new CheckViolationError(message, { ...options, constraint: 'retention' });
  return new StoreError(message, options);
}

async function notStored(
  points: readonly { readonly row: Row }[],
  layout: Layout,
  connection: Connection,
  call: Call,
): Promise<Row[]> {
  const { ids, fields } = layout.entity;
  const keys = points.map(({ row }) => keyOf(layout, row));
  const selection = selectionOf({ op: 'keys', fields: ids, rows: keys }, layout);
  const stored = new Map<string, Row>();
  await fetchPoints(connection, { layout, selection, fields }, call, (row) => {
    stored.set(rowKey(keyOf(layout, row)), row);
  });
  return points.flatMap(({ row }) => {
    const found = stored.get(rowKey(keyOf(layout, row)));
    return found !== undefined && rowKey(found) === rowKey(fields.map((field) => row[field.index] ?? null))
      ? []
      : [row];
  });
}
