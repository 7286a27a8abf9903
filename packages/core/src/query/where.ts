/**
 * A typed filter becomes a condition: names are looked up, values made neutral, mistakes found. What stays open is only
 * where the relations of it lead: they become `related`, and `semi-join.ts` decides which a store can answer by itself.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';
import type { Condition } from '../store/condition.js';
import { at, describe, invalid, isPlainObject, type Place } from './comparand.js';
import { and, exists, not, or } from './logic.js';
import { type Member, type Members, membersOf, unknownProperty } from './members.js';
import { fieldCondition, jsonCondition } from './operators.js';
import { relationCondition } from './relation-where.js';

/**
 * The condition of a filter on an entity. Throws `InvalidQueryError` naming entity and property for anything that is not
 * a filter on it; `undefined` as a whole is one that matches everything, `null` is not.
 */
export function compileWhere(entity: EntityModel, where: unknown): Condition {
  if (where === undefined) return and();
  return objectCondition({ entity, path: [] }, membersOf(entity), where);
}

function objectCondition(place: Place, members: Members, where: unknown): Condition {
  if (!isPlainObject(where)) {
    throw invalid(place, `a filter is an object of properties, and this is ${describe(where)}.`);
  }
  const parts: Condition[] = [];
  for (const [name, value] of Object.entries(where)) {
    if (name === 'and' || name === 'or') {
      if (!Array.isArray(value))
        throw invalid(place, `"${name}" takes an array of filters, and was given ${describe(value)}.`);
      const conditions = value.map((part) => objectCondition(place, members, part));
      parts.push(name === 'and' ? and(...conditions) : or(...conditions));
    } else if (name === 'not') {
      parts.push(not(objectCondition(place, members, value)));
    } else {
      const member = members.get(name);
      if (member === undefined) throw unknownProperty(place.entity, [...place.path, name], members, 'in a filter');
      parts.push(memberCondition(at(place, name), member, value));
    }
  }
  return and(...parts);
}

function memberCondition(place: Place, member: Member, value: unknown): Condition {
  switch (member.kind) {
    case 'field':
      return member.field.type === 'json' && !member.field.array
        ? jsonCondition(place, { field: member.field }, value)
        : fieldCondition(place, member.field, value);
    case 'embedded':
      return embeddedCondition(place, member.members, value);
    case 'relation':
      return relationCondition(place, member.relation, value, compileWhere);
  }
}

function embeddedCondition(place: Place, members: Members, value: unknown): Condition {
  if (isPlainObject(value) && 'exists' in value && !members.has('exists')) {
    const { exists: wanted, ...rest } = value;
    if (typeof wanted !== 'boolean')
      throw invalid(place, `"exists" takes true or false and was given ${describe(wanted)}.`);
    const anyLeaf = or(...leaves(members).map((field) => exists(field, true)));
    return and(wanted ? anyLeaf : not(anyLeaf), objectCondition(place, members, rest));
  }
  if (!isPlainObject(value)) {
    throw invalid(
      place,
      `it is an embedded object; filter by its properties, { ${place.path.at(-1)}: { … } }, not by ${describe(value)}.`,
    );
  }
  return objectCondition(place, members, value);
}

function leaves(members: Members) {
  return [...members.values()].flatMap((member): Field[] => {
    if (member.kind === 'field') return [member.field];
    return member.kind === 'embedded' ? leaves(member.members) : [...member.fields];
  });
}

/** Rows that a read sees: deleted ones not, unless asked for. */
export function visible(entity: EntityModel, withDeleted: boolean | 'only' = false): Condition {
  if (entity.softDelete === undefined || withDeleted === true) return and();
  return exists(entity.softDelete, withDeleted === 'only');
}
