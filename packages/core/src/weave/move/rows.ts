/** When two stores' spellings of a row are the same row: what a comparison and a digest of a move go by. */
import type { EntityModel } from '../../model/entity-model.js';
import type { Row, Value } from '../../model/field.js';

/** Names of the fields that differ in the eyes of the entity. */
export function differingFields(entity: EntityModel, a: Row, b: Row): string[] {
  return entity.fields.filter(({ index, codec }) => !same(a[index], b[index], codec.equals)).map(({ name }) => name);
}

/** Values that are equal in the eyes of the entity become the same, however a store spells them. */
export function comparable(entity: EntityModel, row: Row): Row {
  return entity.fields.map((field) => {
    const value = row[field.index];
    if (field.type !== 'decimal' || typeof value !== 'string') return value;
    return value.includes('.') ? value.replace(/\.?0+$/, '') : value;
  });
}

function same(a: Value, b: Value, equals: (a: Value, b: Value) => boolean): boolean {
  const isAbsent = (value: Value) => value === null || value === undefined;
  return isAbsent(a) || isAbsent(b) ? isAbsent(a) && isAbsent(b) : equals(a, b);
}
