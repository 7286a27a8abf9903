/** Rows on their way in: completed with what the application left out, checked, and in the form of parameters. */
import {
  type EntityModel,
  type Field,
  type InsertBatch,
  InvalidValueError,
  NotNullViolationError,
  type Row,
  type UpdateBatch,
  type Value,
} from '@storeweave/core';
import type { Shape } from '../names.js';
import { encode, propertiesOf, propertyValues } from '../values.js';

/**
 * Rows of a statement at most. The server holds a statement's rows in memory, so a batch of more is cut; all pieces are
 * of one transaction.
 */
export const CHUNK = 10_000;

/** Whole rows, aligned with the entity's fields. `made` gives values of fields that the store makes. */
export function completeRows(batch: InsertBatch, made: ReadonlyMap<Field, readonly Value[]>): Row[] {
  const { entity, fields } = batch;
  const at = new Map(fields.map((field, i) => [field, i]));
  return batch.rows.map((given, i) =>
    entity.fields.map((field) => {
      const position = at.get(field);
      let value = position === undefined ? undefined : given[position];
      if (field.generated === 'sequence' && (value === undefined || value === null)) value = made.get(field)?.[i];
      if (value === undefined && field.default?.kind === 'value') value = field.default.value;
      if (value === undefined || value === null) {
        if (!field.nullable) throw missing(entity, field);
        return null;
      }
      return value;
    }),
  );
}

/** Community has no constraint that a property must be there, so it is held here. */
export function refuseAbsent(batch: UpdateBatch): void {
  for (const [i, field] of batch.fields.entries()) {
    if (!field.nullable && batch.rows.some((row) => row[i] === null)) throw missing(batch.entity, field);
  }
}

export function missing(entity: EntityModel, field: Field): NotNullViolationError {
  return new NotNullViolationError(
    `${entity.name}.${field.name} has no value but is not nullable. Give it one or declare it nullable.`,
    { entity: entity.name, property: field.name, store: entity.store },
  );
}

/** Parameter of one field; a refusal names the property. */
export function parameterOf(entity: EntityModel, field: Field, value: Value): Value {
  return naming(entity, field, () => encode(field, value));
}

/** Parameters of some fields of one row, pairwise. */
export function keyOf(entity: EntityModel, fields: readonly Field[], values: readonly Value[]): Value[] {
  return fields.map((field, i) => parameterOf(entity, field, values[i]));
}

/** Names of the properties of these fields; `listOf` gives their values in the same order. */
export function columnsOf(fields: readonly Field[]): string[] {
  return fields.flatMap(propertiesOf);
}

export function listOf(entity: EntityModel, fields: readonly Field[], value: (field: Field) => Value): Value[] {
  const list: Value[] = [];
  for (const field of fields)
    for (const each of naming(entity, field, () => propertyValues(field, value(field)))) list.push(each);
  return list;
}

/** Properties by name; what is undefined is left out, what is null is to be removed. */
export function mapOf(
  entity: EntityModel,
  fields: readonly Field[],
  value: (field: Field, at: number) => Value,
): Record<string, Value> {
  const map: Record<string, Value> = {};
  for (const [at, field] of fields.entries()) {
    const own = value(field, at);
    if (own === undefined) continue;
    const values = naming(entity, field, () => propertyValues(field, own));
    for (const [i, property] of propertiesOf(field).entries()) map[property] = values[i];
  }
  return map;
}

/** Keys of the ends of a relationship's row. */
export function endKeys(shape: Shape, row: Row): { readonly from: Value[]; readonly to: Value[] } {
  const keys = (fields: readonly Field[]) => fields.map((field) => parameterOf(shape.entity, field, row[field.index]));
  return { from: keys(shape.ends?.from.fields ?? []), to: keys(shape.ends?.to.fields ?? []) };
}

export function* chunks<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += CHUNK) yield list.slice(at, at + CHUNK);
}

function naming<R>(entity: EntityModel, field: Field, work: () => R): R {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InvalidValueError) || error.property !== undefined) throw error;
    throw new InvalidValueError(`${entity.name}.${field.name}: ${error.message}`, {
      entity: entity.name,
      property: field.name,
      store: entity.store,
      cause: error,
    });
  }
}
