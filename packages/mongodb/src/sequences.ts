/**
 * Numbers that the store makes: a counter for each field, moved on by as many as a batch needs in one step. As in any
 * database, a number that was taken is not given back by a rollback, so that no writer waits for another.
 */
import type { Field, InsertBatch, Row, Value } from '@storeweave/core';
import { Long } from 'mongodb';
import type { Call } from './domain.js';
import { SEQUENCES } from './names.js';

export interface Numbered {
  readonly batch: InsertBatch;
  /** What was made, aligned with `returning`. */
  readonly returned?: readonly Row[];
}

/** The batch with its numbers. */
export async function numbered(batch: InsertBatch, call: Call): Promise<Numbered> {
  const { returning } = batch;
  if (returning === undefined || returning.length === 0 || batch.rows.length === 0) return { batch };
  const fields = [...batch.fields, ...returning];
  const columns: Value[][] = [];
  for (const field of returning) columns.push(await next(field, batch, call));
  const returned = batch.rows.map((_, at) => columns.map((column) => column[at]));
  const rows = batch.rows.map((row, at) => [...row, ...(returned[at] ?? [])]);
  return { batch: { ...batch, fields, rows }, returned };
}

async function next(field: Field, { entity, rows }: InsertBatch, call: Call): Promise<Value[]> {
  const counter = await call.db
    .collection<{ _id: string; last: bigint }>(SEQUENCES)
    .findOneAndUpdate(
      { _id: `${entity.source}.${field.column}` },
      { $inc: { last: Long.fromNumber(rows.length) as never } },
      { upsert: true, returnDocument: 'after' },
    );
  const first = BigInt(counter?.last ?? rows.length) - BigInt(rows.length) + 1n;
  return rows.map((_, at) => (field.type === 'bigint' ? first + BigInt(at) : Number(first) + at));
}
