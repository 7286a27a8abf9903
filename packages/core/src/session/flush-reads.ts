/** Reads of a flush: whole rows by key, in one call. */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row } from '../model/field.js';
import type { Condition } from '../store/condition.js';
import type { WorkContext } from './ports.js';

export async function readRows(
  context: WorkContext,
  entity: EntityModel,
  fields: readonly Field[],
  keys: readonly Row[],
): Promise<Row[]> {
  if (keys.length === 0) return [];
  const access = await context.access(entity, [], {});
  return context.store(entity).read({ entity, fields: entity.fields, where: byKeys(fields, keys) }, access);
}

export function byKeys(fields: readonly Field[], keys: readonly Row[]): Condition {
  const [field] = fields;
  if (fields.length === 1 && field !== undefined) return { op: 'in', on: { field }, values: keys.map((key) => key[0]) };
  return { op: 'keys', fields, rows: keys };
}
