/**
 * Points in order of time, in pieces of bounded size. The server gives them series by series and would have to hold all
 * of them to sort them; so the range is cut into slices that hold about as many points as one piece should, and each is
 * sorted here.
 */
import { compareValues, type Field, type Row } from '@storeweave/core';
import { isEmpty, type Range, type Selection } from './condition.js';
import type { Connection } from './connection.js';
import type { Call } from './errors.js';
import type { Layout } from './names.js';
import { earlier, later } from './nanos.js';
import { fetchPoints, pointsFlux } from './points.js';

export interface SlicesRequest {
  readonly layout: Layout;
  readonly selection: Selection;
  readonly fields: Iterable<Field>;
  readonly direction: 'asc' | 'desc';
  /** Points that a slice should have, about. */
  readonly size: number;
}

/** Slices of the points that the selection matches, its residual included; each unsorted, all of them in order. */
export async function* slices(connection: Connection, request: SlicesRequest, call: Call): AsyncGenerator<Row[]> {
  const { layout, selection, direction, size } = request;
  if (isEmpty(selection.range)) return;
  const extent = await extentOf(connection, layout, selection, call);
  if (extent === undefined) return;
  const { total, range } = extent;
  const whole = range.to - range.from;
  let width = total <= size ? whole : later((whole * BigInt(size)) / BigInt(total), 1n);
  for (let done = 0n; done < whole; ) {
    const length = earlier(width, whole - done);
    const from = direction === 'asc' ? range.from + done : range.to - done - length;
    const piece = { ...selection, range: { from, to: from + length } };
    const rows: Row[] = [];
    let seen = 0;
    await fetchPoints(connection, { layout, selection: piece, fields: request.fields }, call, (row) => {
      seen++;
      if (selection.residual === undefined || selection.residual(row)) rows.push(row);
    });
    done += length;
    // Points are seldom spread evenly: the next slice goes by how full this one was.
    if (seen < size / 2) width *= 2n;
    else if (seen > size * 2) width = later(width / 2n, 1n);
    if (rows.length > 0) yield rows;
  }
}

/** By time, and points of one time by their tags, so that the order is always the same. */
export function byTime({ time, tags }: Layout): (a: Row, b: Row) => number {
  const fields = [time, ...tags];
  return (a, b) => {
    for (const field of fields) {
      const order = compareValues(field, a[field.index], b[field.index]);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** How many points there are, at most, and between which times. */
async function extentOf(
  connection: Connection,
  layout: Layout,
  selection: Selection,
  call: Call,
): Promise<{ readonly total: number; readonly range: Range } | undefined> {
  const flux = `points = ${pointsFlux(layout, selection, selection.range, [layout.anchor])}
points |> count() |> keep(columns: ["_value"]) |> yield(name: "count")
points |> first() |> map(fn: (r) => ({_value: int(v: r._time)})) |> yield(name: "first")
points |> last() |> map(fn: (r) => ({_value: int(v: r._time)})) |> yield(name: "last")`;
  let total = 0;
  let first: bigint | undefined;
  let last: bigint | undefined;
  let at = 0;
  await connection.query(
    flux,
    {
      header: (columns) => {
        at = columns.get('_value') ?? 0;
      },
      row: (cells) => {
        const value = cells[at] ?? '0';
        const nanos = BigInt(value);
        if (cells[1] === 'count') total += Number(value);
        else if (cells[1] === 'first') first = earlier(nanos, first ?? nanos);
        else last = later(nanos, last ?? nanos);
      },
    },
    call,
  );
  return first === undefined || last === undefined ? undefined : { total, range: { from: first, to: last + 1n } };
}
