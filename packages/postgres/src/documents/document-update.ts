/**
 * Batched update of documents by identity. Only the leaves that changed travel: per object of the document the keys to
 * set, as JSON, and the keys to take out. Leaves that a row leaves as they are appear in neither.
 */
import type { Row, UpdateBatch } from '@storeweave/core';
import { BatchSource, type ByKeyPlan, quoteName } from '@storeweave/sql';
import { quoteText } from '../schema/design.js';
import { type DocumentTree, missing, treeOf } from './document-json.js';
import type { DocumentLayout } from './document-layout.js';

export function compileDocumentUpdate(
  batch: UpdateBatch,
  masked: readonly boolean[],
  layout: DocumentLayout,
): ByKeyPlan {
  const { entity, fields } = batch;
  const source = new BatchSource(entity, layout);
  const on = entity.ids.map((field, i) => `t.${quoteName(field.column)} = ${source.add(field, 1, i)}`);
  if (batch.versions !== undefined && entity.version !== undefined) {
    on.push(`t.${quoteName(entity.version.column)} = ${source.add(entity.version, 2, 0)}`);
  }
  const assignments = fields.flatMap((field, i) => {
    if (!layout.hasColumn(field)) return [];
    const name = quoteName(field.column);
    const value = source.add(field, 0, i);
    return masked[i] === true
      ? [`${name} = case when ${source.addMask(0, i)} then ${value} else t.${name} end`]
      : [`${name} = ${value}`];
  });
  const inside = fields.flatMap((field, at) => (layout.hasColumn(field) ? [] : [{ field, at }]));
  const parts: DocumentTree[] = [];
  if (inside.length > 0) {
    const name = quoteName(layout.documentColumn);
    const root = treeOf(entity, inside);
    assignments.push(`${name} = ${changed(root, `t.${name}`, layout, source, parts)}`);
  }
  return {
    text: `update ${layout.table} as t set ${assignments.join(', ')} from ${source.sql(true)} where ${on.join(' and ')} returning u.n`,
    values: (rows, keys, versions) =>
      source.values([rows, keys, versions, rows.map((row) => parts.flatMap((part) => changesOf(batch, part, row)))]),
  };
}

/** Adds the changes of this object and those inside it to the source; returns the object with them applied. */
function changed(
  tree: DocumentTree,
  old: string,
  layout: DocumentLayout,
  source: BatchSource,
  parts: DocumentTree[],
): string {
  const at = parts.length * 2;
  parts.push(tree);
  const set = source.add(layout.document, 3, at);
  const removed = source.add(layout.removedKeys, 3, at + 1);
  let sql = `((case when jsonb_typeof(${old}) = 'object' then ${old} else '{}'::jsonb end) || ${set}) - ${removed}`;
  const isRoot = tree.path.length === 0;
  for (const { key, tree: inner } of tree.objects) {
    const name = quoteText(key);
    sql = `(${sql}) || ${changed(inner, `(${old}->${name})`, layout, source, parts)}`;
  }
  if (isRoot) return sql;
  const key = quoteText(tree.path.at(-1) ?? '');
  // Without changes in it, an object is not touched: it may not even be there.
  return `(case when ${set} is null then '{}'::jsonb else jsonb_build_object(${key}, ${sql}) end)`;
}

/** What one row changes in one object: JSON of the keys to set, list of the keys to remove. Null for nothing. */
function changesOf({ entity }: UpdateBatch, tree: DocumentTree, row: Row): [string | null, string[] | null] {
  let text = '';
  const removed: string[] = [];
  for (const { key, field, encode, at } of tree.leaves) {
    const value = row[at];
    if (value === undefined) continue;
    if (value !== null) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${encode(value)}`;
    else if (field.nullable) removed.push(key);
    else throw missing(entity, field);
  }
  const isTouched =
    tree.path.length === 0 ||
    text !== '' ||
    removed.length > 0 ||
    tree.objects.some((object) => touches(object.tree, row));
  return isTouched ? [`{${text}}`, removed] : [null, null];
}

function touches(tree: DocumentTree, row: Row): boolean {
  return (
    tree.leaves.some(({ at }) => row[at] !== undefined) || tree.objects.some((object) => touches(object.tree, row))
  );
}
