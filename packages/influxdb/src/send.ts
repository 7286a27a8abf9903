/**
 * Sending points so that none is lost: a batch goes out by the write endpoint itself and is done when the server has
 * said so (status 204 means that it is in its log on disk). The client's own `WriteApi` queues, and its `flush` does not
 * wait for batches that are under way.
 */
import { HttpError } from '@influxdata/influxdb-client';
import { CheckViolationError, InvalidValueError, type Row } from '@storeweave/core';
import type { Connection } from './connection.js';
import { type Call, messageOf } from './errors.js';
import { describePoint, keyOf, lineWriter } from './line-protocol.js';
import type { Layout } from './names.js';
import { refusal } from './refusal.js';

/** A row and its line. */
export interface Prepared {
  readonly row: Row;
  readonly text: string;
}

/** Makes lines of rows; of rows for the same point the last one counts. Throws before anything is sent. */
export function prepare(layout: Layout, rows: readonly Row[]): Prepared[] {
  const writer = lineWriter(layout);
  const prepared: Prepared[] = [];
  for (const row of rows) {
    const { series, time, text } = writer(row);
    const place = series.places.get(time);
    if (place === undefined) series.places.set(time, prepared.push({ row, text }) - 1);
    else prepared[place] = { row, text };
  }
  refuseOld(layout, prepared);
  return prepared;
}

/**
 * Writes points and resolves when the server has acknowledged all of them. A batch that is too large for one request is
 * cut, and its parts go one after the other.
 *
 * @throws CheckViolationError, SchemaError or StoreError naming the points that the server refused.
 */
export async function send(
  points: readonly Prepared[],
  layout: Layout,
  connection: Connection,
  batchBytes: number,
  call: Call,
): Promise<void> {
  for (let at = 0; at < points.length; ) {
    let size = 0;
    let end = at;
    // Characters bound bytes well enough: a character is at most three of them.
    while (end < points.length && (end === at || size < batchBytes))
      size += (points[end++] as Prepared).text.length + 1;
    await post(points.slice(at, end), layout, connection, call);
    at = end;
  }
}

async function post(points: readonly Prepared[], layout: Layout, connection: Connection, call: Call): Promise<void> {
  const body = points.map(({ text }) => text).join('\n');
  const query = { org: connection.org, bucket: layout.bucket, precision: layout.time.timePrecision };
  let refused: HttpError | undefined;
  await connection.attempt(call, async (options) => {
    try {
      await connection.send({ method: 'POST', path: '/api/v2/write', query, body }, options);
    } catch (error) {
      if (!(error instanceof HttpError) || ![400, 413, 422].includes(error.statusCode)) throw error;
      refused = error;
    }
  });
  if (refused === undefined) return;
  if (refused.statusCode !== 413) throw await refusal(refused, points, layout, connection, call);
  const [only] = points;
  if (points.length === 1 && only !== undefined) {
    throw new InvalidValueError(
      `The point of ${layout.entity.name} ${describePoint(layout, only.row)} is larger than the server takes in one request (${messageOf(refused)}).`,
      { entity: layout.entity.name, key: keyOf(layout, only.row), store: layout.entity.store, cause: refused },
    );
  }
  const half = Math.ceil(points.length / 2);
  await post(points.slice(0, half), layout, connection, call);
  await post(points.slice(half), layout, connection, call);
}

/** The server drops points that are older than the retention and keeps the rest of their batch; here none is sent. */
function refuseOld(layout: Layout, points: readonly Prepared[]): void {
  const { entity, retentionMs, time, unit } = layout;
  if (retentionMs === undefined) return;
  const oldest = (BigInt(Date.now() - retentionMs) * 1_000_000n) / unit;
  const old = points.filter(({ row }) => BigInt(row[time.index] as number | bigint) < oldest);
  const [first] = old;
  if (first === undefined) return;
  throw new CheckViolationError(
    `${old.length} of ${points.length} points of ${entity.name} are older than its retention of ${entity.annotations.get('retention')}, such as the one ${describePoint(layout, first.row)}. Leave them out, or keep points for longer. Nothing of the batch was sent.`,
    {
      entity: entity.name,
      key: old.map(({ row }) => keyOf(layout, row)),
      store: entity.store,
      constraint: 'retention',
    },
  );
}
