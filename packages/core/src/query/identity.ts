/**
 * Keys as the application writes them: one value, an object by property for a composite key, an entity or a reference.
 * All of them become a row of neutral values, strictly, so that a forgotten id is an error and never "any row".
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Value } from '../model/field.js';
import { valueAt } from '../relations/entity-key.js';
import { Ref } from '../relations/ref.js';
import { at, comparand, describe, invalid, isPlainObject, type Place, present } from './comparand.js';

/** The key of an entity in the form of its id fields (or other fields that are unique to it). */
export function keyRow(
  place: Place,
  entity: EntityModel,
  value: unknown,
  fields: readonly Field[] = entity.ids,
): Value[] {
  let given: unknown = present(place, value, 'the id');
  if (given instanceof Ref) given = present(place, given.key, 'the key of the reference');
  const [first] = fields;
  if (typeof given === 'object' && given !== null && given instanceof entity.target) {
    const instance = given;
    return fields.map((field) =>
      comparand(place, field, valueAt(instance, field), `the ${field.name} of that ${entity.name}`),
    );
  }
  if (fields.length === 1 && first !== undefined && !(isPlainObject(given) && first.name in given)) {
    return [comparand(place, first, given, 'the id')];
  }
  if (!isPlainObject(given)) {
    throw invalid(
      place,
      `the id of ${entity.name} is { ${fields.map((f) => f.name).join(', ')} }, and this is ${describe(given)}.`,
    );
  }
  const parts = given;
  const names = new Set(fields.flatMap((field) => [field.name, field.path[0] ?? field.name]));
  for (const name of Object.keys(parts)) {
    if (!names.has(name)) throw invalid(at(place, name), `${entity.name} has no id property of this name.`);
  }
  return fields.map((field) =>
    comparand(at(place, field.name), field, field.name in parts ? parts[field.name] : valueAt(parts, field), 'the id'),
  );
}

/** The key of a row that is aligned with all fields of its entity. */
export function idsOf(entity: EntityModel, row: readonly Value[]): Value[] {
  return entity.ids.map((field) => row[field.index]);
}

/** An id as the application writes it, from its neutral form. */
export function keyValue(entity: EntityModel, key: readonly Value[]): unknown {
  const [first] = entity.ids;
  if (first === undefined) return undefined;
  if (entity.ids.length === 1) return fromNeutral(first, key[0]);
  return Object.fromEntries(entity.ids.map((field, position) => [field.name, fromNeutral(field, key[position])]));
}

/** A value in the class's own form; null for an absent one. */
export function fromNeutral(field: Field, value: Value): unknown {
  if (value === null || value === undefined) return null;
  return field.codec.identity ? value : field.codec.fromRow(value);
}
