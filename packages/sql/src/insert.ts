/** Batched insert and upsert: one statement whose text depends on entity, fields and what to do on conflict. */
import type { Field, InsertBatch, Row } from '@storeweave/core';
import { BatchSource } from './batch-source.js';
import { quoteName } from './identifier.js';
import type { TableLayout } from './layout.js';

export interface InsertPlan {
  readonly text: string;
  /** Parameters for these rows. */
  values(rows: readonly Row[]): string[];
  /** True where the answer is rows of `returning` behind one column that tells whether the row was written. */
  readonly marksWritten: boolean;
}

const column = (field: Field): string => quoteName(field.column);

export function compileInsert(batch: InsertBatch, layout: TableLayout): InsertPlan {
  const { entity, fields, onConflict } = batch;
  const returning = batch.returning ?? [];
  if (fields.length === 0) return defaultsOnly(layout, returning);
  const source = new BatchSource(entity, layout);
  const expressions = fields.map((field, i) => source.add(field, 0, i));
  const values = (rows: readonly Row[]) => source.values([rows]);
  const { part } = layout;
  const names = [...fields.map(column), ...(part === undefined ? [] : [part.column])];
  const listed = [...expressions, ...(part === undefined ? [] : [part.value])];
  const target = `insert into ${layout.table} as t (${names.join(', ')})`;
  const from = `select ${listed.join(', ')} from ${source.sql(false)}`;
  const returned =
    returning.length === 0 ? '' : ` returning ${returning.map((field) => `t.${column(field)}`).join(', ')}`;
  if (onConflict === undefined) return { text: `${target} ${from}${returned}`, values, marksWritten: false };

  const keys = onConflict.keys ?? entity.ids;
  const clause = `on conflict ${conflictTarget(batch, keys)}`;
  const assignments = onConflict.do === 'update' ? conflictAssignments(batch, keys) : [];
  if (assignments.length > 0) {
    return {
      text: `${target} ${from} ${clause} do update set ${assignments.join(', ')}${returned}`,
      values,
      marksWritten: false,
    };
  }
  if (returning.length === 0) return { text: `${target} ${from} ${clause} do nothing`, values, marksWritten: false };
  // Rows that exist already are not returned by INSERT: they are looked up by the key, so that the answer has every row.
  const on = (table: string) =>
    keys.map((key) => `${table}.${column(key)} = ${expressions[fields.indexOf(key)] ?? 'null'}`).join(' and ');
  const written = [...new Set([...keys, ...returning])].map((field) => `t.${column(field)}`).join(', ');
  const picked = returning.map((field) => `case when i.written then i.${column(field)} else s.${column(field)} end`);
  return {
    text: `with i as (${target} ${from} ${clause} do nothing returning ${written}, true as written) select coalesce(i.written, false), ${picked.join(', ')} from ${source.sql(true)} left join i on ${on('i')} left join ${layout.table} s on ${on('s')} order by u.n`,
    values,
    marksWritten: true,
  };
}

/** An entity whose only field is made by the store. */
function defaultsOnly(layout: TableLayout, returning: readonly Field[]): InsertPlan {
  const returned = returning.length === 0 ? '' : ` returning ${returning.map(column).join(', ')}`;
  const part = layout.part === undefined ? ' select' : ` (${layout.part.column}) select ${layout.part.value}`;
  return {
    text: `insert into ${layout.table}${part} from generate_series(1, $1::integer)${returned}`,
    values: (rows) => [String(rows.length)],
    marksWritten: false,
  };
}

/** A partial unique index is only found by its predicate. */
function conflictTarget({ entity }: InsertBatch, keys: readonly Field[]): string {
  const index = entity.indexes.find(
    ({ unique, fields }) => unique && fields.length === keys.length && fields.every((field) => keys.includes(field)),
  );
  const target = `(${keys.map(column).join(', ')})`;
  return index?.where === undefined ? target : `${target} where ${index.where}`;
}

/** The version grows with every write, whatever the new row says: readers of the old one must notice. */
function conflictAssignments({ entity, fields, onConflict }: InsertBatch, keys: readonly Field[]): string[] {
  const kept = new Set<Field | undefined>([...entity.ids, ...keys, entity.createdAt]);
  const updated = (onConflict?.update ?? fields.filter((field) => !kept.has(field))).filter(
    (field) => field !== entity.version,
  );
  if (updated.length === 0) return [];
  const assignments = updated.map((field) => `${column(field)} = excluded.${column(field)}`);
  if (entity.version !== undefined) assignments.push(`${column(entity.version)} = t.${column(entity.version)} + 1`);
  return assignments;
}
