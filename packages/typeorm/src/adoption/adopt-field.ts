/** One column of TypeORM's as a property of Storeweave's. */
import type { AdoptedField } from '@storeweave/core';
import type { Adoption, ColumnMetadata } from './adoption.js';
import { kindOf, ofArray, transformed, typeName } from './column-type.js';

export function adoptField(column: ColumnMetadata, { report }: Adoption): AdoptedField | undefined {
  const kind = kindOf(column);
  if (kind === undefined) {
    report(
      `is of type ${typeName(column)}, which Storeweave does not know. Say in its words what it is: @Property('string', { column: '${column.databaseName}', convert }).`,
      column.propertyPath,
    );
    return undefined;
  }
  const base = column.isArray && kind.convert !== undefined ? ofArray(kind.convert) : kind.convert;
  const convert = transformed(base, column);
  const { length, precision, scale } = column;
  return {
    kind: 'field',
    name: column.propertyName,
    column: column.databaseName,
    type: kind.type,
    nullable: column.isNullable && !column.isPrimary,
    array: column.isArray,
    ...(column.isPrimary ? { id: true } : {}),
    ...(kind.type === 'string' && Number(length) > 0 ? { length: Number(length) } : {}),
    ...(kind.type === 'decimal' && typeof precision === 'number' ? { precision, scale: scale ?? 0 } : {}),
    ...(kind.type === 'enum' ? { values: column.enum ?? [] } : {}),
    ...(convert === undefined ? {} : { convert }),
    ...beginning(column, convert !== undefined),
  };
}

/** Who gives a value where the application gives none. */
function beginning(
  column: ColumnMetadata,
  converted: boolean,
): Pick<AdoptedField, 'generated' | 'special' | 'default'> {
  if (column.isVersion) return { special: 'version' };
  if (column.isCreateDate) return { special: 'createdAt' };
  if (column.isUpdateDate) return { special: 'updatedAt' };
  if (column.isDeleteDate) return { special: 'softDelete' };
  if (column.isGenerated) {
    if (column.generationStrategy !== 'uuid') return { generated: 'sequence' };
    return column.isPrimary ? { generated: 'uuid' } : { generated: 'store' };
  }
  if (column.asExpression !== undefined) return { generated: 'store' };
  const { default: given } = column;
  if (given === undefined || given === null) return {};
  // A constant of the class's own type is known here; anything else the database makes at insert, as for TypeORM.
  const isPlain = !converted && ['string', 'number', 'boolean'].includes(typeof given) && !column.isArray;
  return isPlain && typeName(column) !== 'jsonb' && typeName(column) !== 'json'
    ? { default: given }
    : { generated: 'store' };
}
