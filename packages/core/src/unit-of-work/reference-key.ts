/** The neutral key of an entity that others refer to: from its row, or from the instance while it has none. */
import type { KeyOfTarget } from '../hydrate/compile-dehydrator.js';
import type { Field, Row, Value } from '../model/field.js';
import { valueAt } from '../relations/entity-key.js';
import { type Ref, refState } from '../relations/ref.js';
import { type EntityState, stateOf } from './entity-state.js';

/** Values of these fields of an entity; undefined for those that the store has yet to make. */
export function neutralFields(instance: object, state: EntityState | undefined, fields: readonly Field[]): Row {
  return fields.map((field) => {
    if (state?.row !== undefined) return state.row[field.index];
    const value = valueAt(instance, field);
    return value === undefined || value === null ? undefined : field.codec.toRow(value);
  });
}

/** For dehydration: what a reference to this entity is written as; undefined while it is not known. */
export const keyOfTarget: KeyOfTarget = (target, relation) => {
  const fields = relation.join.via === 'owner' ? relation.join.targetFields : relation.target.ids;
  const [single] = fields;
  if (single !== undefined && fields.length === 1) {
    const row = stateOf(target)?.row;
    if (row !== undefined) return row[single.index];
  }
  const key = neutralFields(target, stateOf(target), fields);
  if (key.includes(undefined)) return undefined;
  return key.length === 1 ? key[0] : key;
};

/** Whether a reference leads to this entity. */
export function refersTo(
  ref: Ref<object>,
  target: object,
  state: EntityState | undefined,
  fields: readonly Field[],
): boolean {
  const present = refState.target(ref);
  if (present !== undefined && present !== null) return present === target;
  const key = refState.key(ref);
  if (key === undefined || key === null) return false;
  const row: readonly Value[] = Array.isArray(key) && fields.length > 1 ? key : [key];
  const wanted = neutralFields(target, state, fields);
  return fields.every((field, part) => {
    const value = wanted[part];
    return value !== undefined && value !== null && field.codec.equals(row[part], value);
  });
}
