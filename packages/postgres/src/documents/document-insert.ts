/** Batched insert and upsert of documents: ids and version go into columns, the rest travels as one JSON text a row. */
import type { Field, InsertBatch, Row } from '@storeweave/core';
import { BatchSource, type InsertPlan, quoteName } from '@storeweave/sql';
import { quoteText } from '../schema/design.js';
import { type DocumentTree, missing, objectJson, treeOf } from './document-json.js';
import type { DocumentLayout } from './document-layout.js';

export function compileDocumentInsert(batch: InsertBatch, layout: DocumentLayout): InsertPlan {
  const { entity, onConflict } = batch;
  const fields = withDefaults(batch, layout);
  const source = new BatchSource(entity, layout);
  const columns = fields.filter(({ field }) => layout.hasColumn(field));
  const inside = fields.filter(({ field }) => !layout.hasColumn(field));
  const tree = treeOf(entity, inside);
  const expressions = new Map(columns.map(({ field, at }) => [field, source.add(field, 0, at)]));
  const document = source.add(layout.document, 1, 0);
  const keys = onConflict?.keys ?? entity.ids;
  const returning = batch.returning ?? [];
  const ignoresAndReturns = onConflict?.do === 'ignore' && returning.length > 0;
  if (ignoresAndReturns) {
    // The rows that are there already are found by these.
    for (const key of keys) {
      const at = fields.find(({ field }) => field === key)?.at;
      if (at !== undefined && !expressions.has(key)) expressions.set(key, source.add(key, 0, at));
    }
  }
  const names = [...columns.map(({ field }) => quoteName(field.column)), quoteName(layout.documentColumn)];
  const listed = [...columns.map(({ field }) => expressions.get(field)), document];
  const target = `insert into ${layout.table} as t (${names.join(', ')}) select ${listed.join(', ')} from ${source.sql(false)}`;
  const defaults = fields.slice(batch.fields.length).map(({ value }) => value);
  const values = (rows: readonly Row[]) => {
    const whole = defaults.length === 0 ? rows : rows.map((row) => [...row, ...defaults]);
    return source.values([whole, whole.map((row) => [objectJson(entity, tree, row) ?? '{}'])]);
  };
  const returned = returning.map((field) => layout.expression(field, 't'));
  const plain = (text: string): InsertPlan => ({
    text: returned.length === 0 ? text : `${text} returning ${returned.join(', ')}`,
    values,
    marksWritten: false,
  });
  if (onConflict === undefined) return plain(target);
  const clause = `on conflict ${conflictTarget(batch, keys, layout)}`;
  const assignments = onConflict.do === 'update' ? conflictAssignments(batch, fields, keys, layout) : [];
  if (assignments.length > 0) return plain(`${target} ${clause} do update set ${assignments.join(', ')}`);
  if (!ignoresAndReturns) return plain(`${target} ${clause} do nothing`);
  const written = [
    ...keys.map((key, i) => `${layout.expression(key, 't')} as k${i}`),
    ...returned.map((expression, i) => `${expression} as r${i}`),
  ];
  const picked = returning.map(
    (field, i) => `case when i.k0 is null then ${layout.expression(field, 's')} else i.r${i} end`,
  );
  const given = (key: Field) => expressions.get(key) ?? 'null';
  const onWritten = keys.map((key, i) => `i.k${i} = ${given(key)}`).join(' and ');
  const onStored = keys.map((key) => `${layout.expression(key, 's')} = ${given(key)}`).join(' and ');
  return {
    text: `with i as (${target} ${clause} do nothing returning ${written.join(', ')}) select i.k0 is not null, ${picked.join(', ')} from ${source.sql(true)} left join i on ${onWritten} left join ${layout.table} s on ${onStored} order by u.n`,
    values,
    marksWritten: true,
  };
}

interface Given {
  readonly field: Field;
  readonly at: number;
  readonly value?: unknown;
}

/** Columns have defaults of their own; properties inside the document get theirs here. */
function withDefaults({ entity, fields }: InsertBatch, layout: DocumentLayout): Given[] {
  const given: Given[] = fields.map((field, at) => ({ field, at }));
  for (const field of entity.fields) {
    if (layout.hasColumn(field) || fields.includes(field)) continue;
    if (field.default?.kind === 'value') given.push({ field, at: given.length, value: field.default.value });
    else if (!field.nullable) throw missing(entity, field);
  }
  return given;
}

function conflictTarget({ entity }: InsertBatch, keys: readonly Field[], layout: DocumentLayout): string {
  const index = entity.indexes.find(
    ({ unique, fields }) => unique && fields.length === keys.length && fields.every((field) => keys.includes(field)),
  );
  const target = `(${keys.map((key) => layout.indexed(key)).join(', ')})`;
  return index?.where === undefined ? target : `${target} where ${index.where}`;
}

function conflictAssignments(
  { entity, onConflict }: InsertBatch,
  fields: readonly Given[],
  keys: readonly Field[],
  layout: DocumentLayout,
): string[] {
  const kept = new Set<Field | undefined>([...entity.ids, ...keys, entity.createdAt]);
  const updated = (onConflict?.update ?? fields.map(({ field }) => field).filter((field) => !kept.has(field))).filter(
    (field) => field !== entity.version,
  );
  if (updated.length === 0) return [];
  const inside = updated.filter((field) => !layout.hasColumn(field));
  const assignments = updated
    .filter((field) => layout.hasColumn(field))
    .map(({ column }) => `${quoteName(column)} = excluded.${quoteName(column)}`);
  if (inside.length > 0) {
    const name = quoteName(layout.documentColumn);
    const tree = treeOf(
      entity,
      inside.map((field) => ({ field, at: 0 })),
    );
    assignments.push(`${name} = ${merged(tree, `t.${name}`, `excluded.${name}`)}`);
  }
  if (entity.version !== undefined) {
    const version = quoteName(entity.version.column);
    assignments.push(`${version} = t.${version} + 1`);
  }
  return assignments;
}

/** The old object with these keys taken from the new one, or taken out where the new one lacks them. */
function merged(tree: DocumentTree, old: string, fresh: string): string {
  const keys = tree.leaves.map(({ key }) => quoteText(key)).join(', ');
  let sql = `(case when jsonb_typeof(${old}) = 'object' then ${old} else '{}'::jsonb end)`;
  if (keys !== '') {
    sql = `(${sql} - array[${keys}] || (select coalesce(jsonb_object_agg(e.key, e.value), '{}'::jsonb) from jsonb_each(coalesce(${fresh}, '{}'::jsonb)) e where e.key in (${keys})))`;
  }
  for (const { key, tree: inner } of tree.objects) {
    const name = quoteText(key);
    sql += ` || jsonb_build_object(${name}, ${merged(inner, `(${old}->${name})`, `(${fresh}->${name})`)})`;
  }
  return tree.objects.length === 0 ? sql : `(${sql})`;
}
