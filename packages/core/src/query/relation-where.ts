/**
 * Filters over relations: by key (`author: id`, an entity, operators on keys) or by what is true of a related entity
 * (`author: { country: 'NO' }`, `posts: { title: … }`, meaning that some related entity is like that). Where the key is
 * in the row itself, no other entity needs to be asked.
 */
import type { EntityModel, RelationModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';
import { Ref } from '../relations/ref.js';
import type { Condition } from '../store/condition.js';
import { describe, invalid, isPlainObject, type Place, present } from './comparand.js';
import { keyRow } from './identity.js';
import { alignKey } from './key.js';
import { and, exists, FALSE, isFalse, keysIn, not, or, TRUE } from './logic.js';
import { membersOf } from './members.js';

type CompileWhere = (entity: EntityModel, where: unknown) => Condition;

const KEY_OPERATORS: ReadonlySet<string> = new Set(['eq', 'ne', 'in', 'notIn', 'exists']);

export function relationCondition(
  place: Place,
  relation: RelationModel,
  value: unknown,
  compileWhere: CompileWhere,
): Condition {
  const given = present(place, value, 'the filter on the relation');
  if (given instanceof Ref || !isPlainObject(given)) return withKeys(place, relation, [given]);
  const target = membersOf(relation.target);
  const names = Object.keys(given);
  if (names.length === 0) {
    throw invalid(place, 'the filter is an empty object. Write { exists: true } for entities that have a related one.');
  }
  if (names.every((name) => KEY_OPERATORS.has(name) && !target.has(name))) {
    return and(...names.map((name) => keyOperator(place, relation, name, given[name])));
  }
  if (names.length === 1 && names[0] === 'not' && !isPlainObject(given.not)) {
    return not(withKeys(place, relation, [given.not]));
  }
  return satisfying(relation, compileWhere(relation.target, given));
}

function keyOperator(place: Place, relation: RelationModel, name: string, value: unknown): Condition {
  if (name === 'exists') {
    if (typeof value !== 'boolean')
      throw invalid(place, `"exists" takes true or false and was given ${describe(value)}.`);
    return value ? hasAny(relation) : not(hasAny(relation));
  }
  const positive = name === 'eq' || name === 'in';
  const given = present(place, value, `the comparand of "${name}"`);
  if ((name === 'in' || name === 'notIn') && !Array.isArray(given)) {
    throw invalid(place, `"${name}" takes an array and was given ${describe(given)}.`);
  }
  const condition = withKeys(place, relation, Array.isArray(given) ? given : [given]);
  return positive ? condition : not(condition);
}

function hasAny(relation: RelationModel): Condition {
  if (relation.join.via === 'owner') return and(...relation.join.fields.map((field) => exists(field, true)));
  return satisfying(relation, TRUE);
}

/** Related to one of these entities, by their keys. */
function withKeys(place: Place, relation: RelationModel, keys: readonly unknown[]): Condition {
  const { join, target } = relation;
  const fields = join.via === 'owner' ? join.targetFields : target.ids;
  const rows = keys.map((key) => keyRow(place, target, key, fields));
  if (join.via === 'owner')
    return keysIn(
      join.fields,
      rows.map((row) => alignKey(row, join.targetFields, join.fields)),
    );
  if (rows.length === 0) return FALSE;
  return { op: 'related', relation, where: keysIn(fields, rows) };
}

/** Some related entity satisfies a condition. Deleted ones do not count. */
function satisfying(relation: RelationModel, where: Condition): Condition {
  if (isFalse(where)) return FALSE;
  if (relation.join.via === 'owner') {
    const { fields, targetFields } = relation.join;
    const local = renamed(where, targetFields, fields);
    if (local !== undefined) return and(...fields.map((field) => exists(field, true)), local);
  }
  const { softDelete } = relation.target;
  const seen = softDelete === undefined ? where : and(where, exists(softDelete, false));
  return { op: 'related', relation, where: seen };
}

/** The same condition on other fields of equal meaning; undefined if it is about anything else too. */
function renamed(condition: Condition, from: readonly Field[], to: readonly Field[]): Condition | undefined {
  const swap = (field: Field): Field | undefined => to[from.indexOf(field)];
  switch (condition.op) {
    case 'and':
    case 'or': {
      if (condition.conditions.length === 0) return undefined;
      const parts = condition.conditions.map((part) => renamed(part, from, to));
      const whole = parts.filter((part) => part !== undefined);
      if (whole.length < parts.length) return undefined;
      return condition.op === 'and' ? and(...whole) : or(...whole);
    }
    case 'not': {
      const inner = renamed(condition.condition, from, to);
      return inner === undefined ? undefined : not(inner);
    }
    case 'related':
      return undefined;
    case 'keys': {
      const fields = condition.fields.map(swap).filter((field) => field !== undefined);
      return fields.length < condition.fields.length ? undefined : { ...condition, fields };
    }
    default: {
      const field = swap(condition.on.field);
      if (field === undefined || field.type !== condition.on.field.type) return undefined;
      return { ...condition, on: { ...condition.on, field } };
    }
  }
}
