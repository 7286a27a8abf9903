/** The design of a table with a column per field: nodes, relationships, links and measurements. */
import { createHash } from 'node:crypto';
import type { EntityModel, Field, IndexModel } from '@storeweave/core';
import { encoderOf, quoteName, type TableLayout } from '@storeweave/sql';
import { type ColumnDesign, type IndexDesign, quoteText, type TableDesign } from './design.js';

export function columnDesign(layout: TableLayout, field: Field): ColumnDesign {
  const type = layout.type(field);
  return {
    name: field.column,
    type,
    nullable: field.nullable,
    ...(field.generated === 'sequence' ? { identity: true } : {}),
    ...(field.default?.kind === 'value'
      ? { default: `${quoteText(encoderOf(layout.entity, field).value(field.default.value))}::${type}` }
      : {}),
  };
}

/** An index whose parts are given by `on`: columns here, expressions where fields are inside a document. */
export function indexDesign(index: IndexModel, on: (field: Field) => string): IndexDesign {
  return {
    name: index.name,
    unique: index.unique,
    on: index.fields.map(on).join(', '),
    ...(index.type === undefined ? {} : { method: index.type }),
    ...(index.where === undefined ? {} : { where: index.where }),
  };
}

export function entityDesign(entity: EntityModel, layout: TableLayout, schema: string | undefined): TableDesign {
  return {
    entity: entity.name,
    ...(schema === undefined ? {} : { schema }),
    name: entity.source,
    columns: entity.fields.map((field) => columnDesign(layout, field)),
    primaryKey: entity.ids.map((field) => field.column),
    indexes: entity.indexes.map((index) => indexDesign(index, (field) => quoteName(field.column))),
    foreignKeys: [],
    purpose: `${entity.model} ${entity.name}`,
  };
}

/** A name of at most 63 bytes for something that the metadata has no name for. */
export function derivedName(...parts: readonly string[]): string {
  const name = parts.join('_');
  if (Buffer.byteLength(name) <= 63) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  let head = name;
  while (Buffer.byteLength(head) > 54) head = head.slice(0, -1);
  return `${head}_${hash}`;
}
