/** A read in pieces: in constant memory where the order begins with the time, as slices of it are. */
import type { ReadSpec, Row, Rows } from '@storeweave/core';
import { selectionOf } from './condition.js';
import type { Connection } from './connection.js';
import type { Call } from './errors.js';
import type { Layout } from './names.js';
import { project, read, sorted } from './read.js';
import { slices } from './slices.js';

/** Points that a slice has, about: fewer would cost a query for little. */
const SLICE = 10_000;

/** Pieces of a read. */
export async function* stream(
  spec: ReadSpec,
  batchSize: number,
  layout: Layout,
  connection: Connection,
  call: Call,
): AsyncGenerator<Rows> {
  const { order = [], limit, offset = 0 } = spec;
  const [first] = order;
  const isCut = spec.perGroup !== undefined || (first !== undefined && first.on.field !== layout.time);
  let held: Row[] = [];
  if (isCut) held = await read(spec, layout, connection, call);
  else {
    const selection = selectionOf(spec.where, layout);
    const fields = new Set([...spec.fields, ...selection.needs, ...order.map(({ on }) => on.field)]);
    const direction = first?.direction ?? 'asc';
    let left = limit ?? Number.POSITIVE_INFINITY;
    let passed = 0;
    for await (const slice of slices(
      connection,
      { layout, selection, fields, direction, size: Math.max(batchSize, SLICE) },
      call,
    )) {
      const skipped = Math.min(offset - passed, slice.length);
      passed += skipped;
      const rows = sorted(order, slice).slice(skipped, skipped + left);
      left -= rows.length;
      held.push(...rows.map((row) => project(spec.fields, row)));
      while (held.length >= batchSize) yield held.splice(0, batchSize);
      if (left <= 0) break;
    }
  }
  for (let at = 0; at < held.length; at += batchSize) yield held.slice(at, at + batchSize);
}
