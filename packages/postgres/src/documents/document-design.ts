/**
 * Table of a document class. One GIN index over the whole document serves every equality and containment; declared
 * indexes are expression indexes beside it. Declared indexes of arrays and json need none of their own: the GIN has them.
 */
import type { IndexModel } from '@storeweave/core';
import { quoteName } from '@storeweave/sql';
import type { TableDesign } from '../schema/design.js';
import { columnDesign, derivedName, indexDesign } from '../schema/entity-design.js';
import type { DocumentLayout } from './document-layout.js';

export function documentDesign(layout: DocumentLayout): TableDesign {
  const { entity, schema, documentColumn } = layout;
  const columns = entity.fields.filter((field) => layout.hasColumn(field)).map((field) => columnDesign(layout, field));
  const indexes = entity.indexes
    .filter((index) => !isServed(index))
    .map((index) => indexDesign(index, (field) => layout.indexed(field)));
  return {
    entity: entity.name,
    ...(schema === undefined ? {} : { schema }),
    name: entity.source,
    columns: [...columns, { name: documentColumn, type: 'jsonb', nullable: false, default: `'{}'::jsonb` }],
    primaryKey: entity.ids.map((field) => field.column),
    indexes: [
      ...indexes,
      {
        name: derivedName(entity.source, documentColumn, 'gin'),
        unique: false,
        method: 'gin',
        on: `${quoteName(documentColumn)} jsonb_path_ops`,
      },
    ],
    foreignKeys: [],
    purpose: `document ${entity.name}`,
  };
}

function isServed({ unique, fields, type }: IndexModel): boolean {
  return (
    !unique && fields.some((field) => field.array || field.type === 'json') && (type === undefined || type === 'gin')
  );
}
