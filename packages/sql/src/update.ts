/**
 * Batched update and delete by identity: the batch is joined to the table, and the positions that come back are the
 * rows that were found with the expected version; the others were missed.
 */
import type { DeleteBatch, Row, UpdateBatch } from '@storeweave/core';
import { BatchSource } from './batch-source.js';
import { quoteName } from './identifier.js';
import { andOfPart, type TableLayout } from './layout.js';

export interface ByKeyPlan {
  readonly text: string;
  /** Parameters for these rows, keys and versions (a list of one value each). */
  values(rows: readonly Row[], keys: readonly Row[], versions: readonly Row[]): string[];
}

/** Adds the keys and the version to the source; returns the condition that joins it to `t`. */
function match(batch: UpdateBatch | DeleteBatch, source: BatchSource): string {
  const { entity } = batch;
  const terms = entity.ids.map((field, i) => `t.${quoteName(field.column)} = ${source.add(field, 1, i)}`);
  if (batch.versions !== undefined && entity.version !== undefined) {
    terms.push(`t.${quoteName(entity.version.column)} = ${source.add(entity.version, 2, 0)}`);
  }
  return terms.join(' and ');
}

/** `masked[i]` is true where some row of the batch leaves field i as it is. */
export function compileUpdate(batch: UpdateBatch, masked: readonly boolean[], layout: TableLayout): ByKeyPlan {
  const source = new BatchSource(batch.entity, layout);
  const on = match(batch, source);
  const assignments = batch.fields.map((field, i) => {
    const name = quoteName(field.column);
    const value = source.add(field, 0, i);
    return masked[i] === true
      ? `${name} = case when ${source.addMask(0, i)} then ${value} else t.${name} end`
      : `${name} = ${value}`;
  });
  return {
    text: `update ${layout.table} as t set ${assignments.join(', ')} from ${source.sql(true)} where ${on}${andOfPart(layout, 't')} returning u.n`,
    values: (rows, keys, versions) => source.values([rows, keys, versions]),
  };
}

export function compileDelete(batch: DeleteBatch, layout: TableLayout): ByKeyPlan {
  const source = new BatchSource(batch.entity, layout);
  const on = match(batch, source);
  return {
    text: `delete from ${layout.table} as t using ${source.sql(true)} where ${on}${andOfPart(layout, 't')} returning u.n`,
    values: (rows, keys, versions) => source.values([rows, keys, versions]),
  };
}

/** Which fields some row leaves as they are. */
export function maskOf({ fields, rows }: UpdateBatch): boolean[] {
  const masked = fields.map(() => false);
  for (const row of rows) {
    for (let i = 0; i < masked.length; i++) if (row[i] === undefined) masked[i] = true;
  }
  return masked;
}
