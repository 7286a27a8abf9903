/**
 * The difference between a table as it should be and as it is, as changes in the order to apply them. What is missing
 * is added; what is there and no longer declared is only reported; what could lose values or meet rows that refuse is
 * marked destructive.
 */
import { type SchemaChange, SchemaError } from '@storeweave/core';
import { quoteName, quoteTable } from '@storeweave/sql';
import type { Catalogue, FoundTable } from './catalogue.js';
import {
  addForeignKey,
  type ColumnDesign,
  columnSql,
  commentOf,
  commentOnTable,
  createIndex,
  createTable,
  indexComment,
  isOurs,
  primaryKeySql,
  type TableDesign,
  tableOf,
} from './design.js';

export function difference(designs: readonly TableDesign[], catalogue: Catalogue): SchemaChange[] {
  const changes: SchemaChange[] = [];
  const schemas = new Set(designs.flatMap(({ schema }) => (schema === undefined ? [] : [schema])));
  for (const schema of schemas) {
    if (!catalogue.schemas.has(schema)) {
      changes.push(change('create', `create schema ${schema}`, [`create schema if not exists ${quoteName(schema)}`]));
    }
  }
  for (const design of designs) {
    const found = catalogue.find(design);
    if (found === undefined) changes.push(creation(design));
    else changes.push(...alterations(design, found));
  }
  // Last, so that both tables are there whatever the order of the entities.
  for (const design of designs) {
    const found = catalogue.find(design);
    for (const key of design.foreignKeys) {
      if (found?.foreignKeys.has(key.name) === true) continue;
      const summary = `add foreign key ${key.name} to ${design.name}`;
      const destructive = found !== undefined && !found.isEmpty;
      changes.push(change('alter', summary, [addForeignKey(design, key)], design, destructive));
    }
  }
  return changes;
}

function creation(design: TableDesign): SchemaChange {
  const statements = [createTable(design), commentOnTable(design)];
  for (const index of design.indexes) statements.push(...createIndex(design, index));
  return change('create', `create table ${design.name}`, statements, design);
}

function alterations(design: TableDesign, found: FoundTable): SchemaChange[] {
  refuseForeign(design, found);
  const changes = [...columnChanges(design, found), ...keyChanges(design, found), ...indexChanges(design, found)];
  if (found.comment !== commentOf(design)) {
    changes.push(change('alter', `describe table ${design.name}`, [commentOnTable(design)], design));
  }
  return changes;
}

/** A table of another kind under our name is a mistake in the names, and no plan may turn it into ours. */
function refuseForeign(design: TableDesign, found: FoundTable): void {
  const kind = design.partitionedBy === undefined ? 'r' : 'p';
  const { comment } = found;
  const ours = comment !== null && isOurs(comment);
  // A table that somebody made by hand is taken if it has all that a row must have.
  const needed = ours ? design.primaryKey : design.columns.flatMap(({ name, nullable }) => (nullable ? [] : [name]));
  const fits = needed.every((column) => found.columns.has(column));
  const sameModel = !ours || modelOf(comment) === modelOf(commentOf(design));
  if (found.kind === kind && sameModel && fits) return;
  const is = ours
    ? `is the table of ${comment.split(' ').slice(1).join(' ')}`
    : 'is there already and was not made for it';
  throw new SchemaError(
    `${design.entity} wants the table "${design.name}", which ${is}. Give one of the two another name or namespace.`,
    { entity: design.entity },
  );
}

/** `storeweave document Guide` → `document`. */
function modelOf(comment: string): string | undefined {
  return comment.split(' ')[1];
}

function columnChanges(design: TableDesign, found: FoundTable): SchemaChange[] {
  const changes: SchemaChange[] = [];
  const table = tableOf(design);
  const alter = (summary: string, statement: string, destructive = false) =>
    changes.push(change('alter', summary, [`alter table ${table} ${statement}`], design, destructive));
  for (const column of design.columns) {
    const at = `${design.name}.${column.name}`;
    const name = quoteName(column.name);
    const there = found.columns.get(column.name);
    if (there === undefined) {
      const mayRefuse = refusesRows(column) && !found.isEmpty;
      alter(
        `add column ${at}${mayRefuse ? ' (rows exist and it has no default)' : ''}`,
        `add column ${columnSql(column)}`,
        mayRefuse,
      );
      continue;
    }
    if (there.type !== column.type) {
      alter(
        `change ${at} from ${there.type} to ${column.type}`,
        `alter column ${name} type ${column.type} using ${name}::${column.type}`,
        true,
      );
    }
    if (there.nullable && !column.nullable) {
      alter(`forbid nulls in ${at}`, `alter column ${name} set not null`, !found.isEmpty);
    }
    if (!there.nullable && column.nullable) alter(`allow nulls in ${at}`, `alter column ${name} drop not null`);
  }
  const declared = new Set(design.columns.map(({ name }) => name));
  for (const name of found.columns.keys()) {
    if (!declared.has(name)) {
      changes.push(
        change('drift', `${design.name} has the column ${name}, which ${design.entity} does not declare`, [], design),
      );
    }
  }
  return changes;
}

function refusesRows(column: ColumnDesign): boolean {
  return !column.nullable && column.default === undefined && column.identity !== true;
}

function keyChanges(design: TableDesign, found: FoundTable): SchemaChange[] {
  const isSame =
    found.primaryKey.length === design.primaryKey.length &&
    design.primaryKey.every((name, i) => name === found.primaryKey[i]);
  if (isSame) return [];
  const table = tableOf(design);
  const drop =
    found.primaryKeyName === '' ? [] : [`alter table ${table} drop constraint ${quoteName(found.primaryKeyName)}`];
  const summary = `change the primary key of ${design.name} from (${found.primaryKey.join(', ')}) to (${design.primaryKey.join(', ')})`;
  return [change('alter', summary, [...drop, `alter table ${table} add ${primaryKeySql(design)}`], design, true)];
}

function indexChanges(design: TableDesign, found: FoundTable): SchemaChange[] {
  const changes: SchemaChange[] = [];
  for (const index of design.indexes) {
    const comment = found.indexes.get(index.name);
    // An index of that name that a person made or changed is taken as it is.
    if (comment === indexComment(index) || comment === null) continue;
    const mayRefuse = index.unique && !found.isEmpty;
    const note = mayRefuse ? ' (rows exist and may hold a value twice)' : '';
    if (comment === undefined) {
      const what = index.unique ? 'unique index' : 'index';
      changes.push(
        change(
          'alter',
          `add ${what} ${index.name} to ${design.name}${note}`,
          createIndex(design, index),
          design,
          mayRefuse,
        ),
      );
      continue;
    }
    const statements = [`drop index ${quoteTable(index.name, design.schema)}`, ...createIndex(design, index)];
    changes.push(
      change('alter', `rebuild index ${index.name} of ${design.name}${note}`, statements, design, mayRefuse),
    );
  }
  const declared = new Set(design.indexes.map(({ name }) => name));
  for (const [name, comment] of found.indexes) {
    if (declared.has(name) || !isOurs(comment)) continue;
    changes.push(
      change('drift', `${design.name} has the index ${name}, which ${design.entity} does not declare`, [], design),
    );
  }
  return changes;
}

function change(
  kind: SchemaChange['kind'],
  summary: string,
  statements: readonly string[],
  design?: TableDesign,
  destructive = false,
): SchemaChange {
  return { kind, summary, statements, destructive, ...(design === undefined ? {} : { entity: design.entity }) };
}
