/**
 * `orderBy` becomes a list of fields with a direction and a place for absent values, both always said, so that stores
 * agree. Where a part of the rows is asked for, the ids are added: without a total order "the first ten" has no meaning.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';
import type { Condition } from '../store/condition.js';
import type { Order } from '../store/read.js';
import { at, describe, invalid, isPlainObject, type Place, typeName } from './comparand.js';
import { type Member, type Members, membersOf, unknownProperty } from './members.js';

/** The order of a query. Throws `InvalidQueryError` for what cannot be sorted by. */
export function compileOrder(entity: EntityModel, orderBy: unknown): Order[] {
  if (orderBy === undefined) return [];
  const list = Array.isArray(orderBy) ? orderBy : [orderBy];
  const order = list.flatMap((part) => objectOrder({ entity, path: [] }, membersOf(entity), part));
  const seen = new Set<Field>();
  return order.filter(({ on }) => !seen.has(on.field) && seen.add(on.field));
}

function objectOrder(place: Place, members: Members, orderBy: unknown): Order[] {
  if (!isPlainObject(orderBy)) {
    throw invalid(place, `orderBy is an object of properties or an array of them, and this is ${describe(orderBy)}.`);
  }
  return Object.entries(orderBy).flatMap(([name, value]) => {
    const member = members.get(name);
    if (member === undefined) throw unknownProperty(place.entity, [...place.path, name], members, 'in orderBy');
    return memberOrder(at(place, name), member, value);
  });
}

function memberOrder(place: Place, member: Member, value: unknown): Order[] {
  if (member.kind === 'field') return [fieldOrder(place, member.field, value)];
  if (member.kind === 'embedded') return objectOrder(place, member.members, value);
  const [key] = member.fields;
  if (key !== undefined && member.fields.length === 1 && isDirection(value)) return [fieldOrder(place, key, value)];
  const { join, target } = member.relation;
  if (join.via === 'owner' && isPlainObject(value)) {
    return objectOrder(place, membersOf(target), value).map((part) => {
      const field = join.fields[join.targetFields.indexOf(part.on.field)];
      if (field === undefined) throw acrossRelation(place);
      return { ...part, on: { field } };
    });
  }
  throw acrossRelation(place);
}

function acrossRelation(place: Place) {
  return invalid(
    place,
    'only the key of a to-one relation can be sorted by. Sort the loaded entities, start from the other side, or keep a copy of the property in this entity.',
  );
}

function fieldOrder(place: Place, field: Field, value: unknown): Order {
  if (field.array || field.type === 'json' || field.type === 'bytes') {
    throw invalid(
      place,
      `values of type ${typeName(field)} have no order that all stores share; sort by another property.`,
    );
  }
  if (!isDirection(value)) {
    throw invalid(
      place,
      `the direction is 'asc', 'desc' or { direction, nulls: 'first' | 'last' }, and this is ${describe(value)}.`,
    );
  }
  if (typeof value === 'string') return { on: { field }, direction: value, nulls: 'last' };
  return { on: { field }, direction: value.direction, nulls: value.nulls ?? 'last' };
}

type Direction = 'asc' | 'desc' | { readonly direction: 'asc' | 'desc'; readonly nulls?: 'first' | 'last' };

function isDirection(value: unknown): value is Direction {
  if (value === 'asc' || value === 'desc') return true;
  if (!isPlainObject(value)) return false;
  const { direction, nulls, ...rest } = value;
  return (
    (direction === 'asc' || direction === 'desc') &&
    (nulls === undefined || nulls === 'first' || nulls === 'last') &&
    Object.keys(rest).length === 0
  );
}

/** The same order, made total by the ids. What comes after all ids can decide nothing and is left out. */
export function totalOrder(entity: EntityModel, order: readonly Order[]): Order[] {
  const total: Order[] = [];
  const missing = new Set(entity.ids);
  for (const part of order) {
    if (missing.size === 0) break;
    total.push(part);
    missing.delete(part.on.field);
  }
  for (const field of missing) total.push({ on: { field }, direction: 'asc', nulls: 'last' });
  return total;
}

/** The order read backwards. */
export function reversed(order: readonly Order[]): Order[] {
  return order.map(({ on, direction, nulls }) => ({
    on,
    direction: direction === 'asc' ? 'desc' : 'asc',
    nulls: nulls === 'first' ? 'last' : 'first',
  }));
}

/** Whether at most one row can match, so that no order is needed to make the first one certain. */
export function matchesOne(entity: EntityModel, condition: Condition): boolean {
  const parts = condition.op === 'and' ? condition.conditions : [condition];
  const pinned = new Set<Field>();
  for (const part of parts) {
    if (part.op === 'eq' && part.on.path === undefined) pinned.add(part.on.field);
    if (part.op === 'keys' && part.rows.length === 1) for (const field of part.fields) pinned.add(field);
  }
  return entity.ids.every((field) => pinned.has(field)) || [...pinned].some((field) => field.unique);
}
