/**
 * Conditions as filters. MongoDB's logic has two values, so `$nor` is the exact complement that `not` asks for. What a
 * plain filter would widen (it looks into arrays on the way of a path, and compares documents by the order of their
 * keys) is asked as an expression instead; see `json-condition.ts`.
 */
import { CapabilityError, type Condition, type Field, type Operand, type Value } from '@storeweave/core';
import type { Document } from 'mongodb';
import { floorDecimal128, mayBeLong, sortableText, toDecimal128 } from './decimal.js';
import { isJson, jsonCondition } from './json-condition.js';
import type { Shape } from './names.js';
import { likePattern, substringPattern } from './pattern.js';
import { scalarValues, valuesOf } from './values.js';

const NOTHING: Document = { _id: { $in: [] } };

type Comparison = 'gt' | 'gte' | 'lt' | 'lte';

/** A filter that holds for exactly the documents for which the condition does. */
export function filterOf(condition: Condition | undefined, shape: Shape): Document {
  return condition === undefined ? {} : compile(condition, shape);
}

function compile(condition: Condition, shape: Shape): Document {
  switch (condition.op) {
    case 'and':
      return all(condition.conditions.map((each) => compile(each, shape)));
    case 'or':
      return any(condition.conditions.map((each) => compile(each, shape)));
    case 'not':
      return complement(compile(condition.condition, shape));
    case 'keys':
      return keys(condition, shape);
    case 'related':
      throw new CapabilityError(
        `${shape.entity.name}: a filter over the relation ${condition.relation.name} cannot be asked of MongoDB in one filter.`,
        { entity: shape.entity.name, store: shape.entity.store },
      );
    default:
      return isJson(condition.on) ? jsonCondition(condition, shape) : comparison(condition, shape);
  }
}

type OnField = Exclude<Condition, { op: 'and' | 'or' | 'not' | 'keys' | 'related' }>;

function comparison(condition: OnField, shape: Shape): Document {
  const { field } = condition.on;
  const path = shape.path(field);
  const value = (given: Value) => valuesOf(shape.entity, field).encode(given);
  switch (condition.op) {
    case 'eq':
      return { [path]: { $eq: value(condition.value) } };
    case 'ne':
      return { [path]: { $ne: value(condition.value) } };
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return ordered(condition.op, condition.on, condition.value, shape);
    case 'between':
      return all([
        ordered('gte', condition.on, condition.low, shape),
        ordered('lte', condition.on, condition.high, shape),
      ]);
    case 'in':
      return { [path]: { $in: condition.values.map(value) } };
    case 'notIn':
      return { [path]: { $nin: condition.values.map(value) } };
    case 'like':
      return { [path]: { $regex: likePattern(condition.pattern), $options: 's' } };
    case 'ilike':
      return { [path]: { $regex: likePattern(condition.pattern), $options: 'is' } };
    case 'contains':
      return contains(condition.on, condition.value, shape);
    case 'exists':
      return { [path]: condition.present ? { $ne: null } : { $eq: null } };
  }
}

function ordered(op: Comparison, { field }: Operand, value: Value, shape: Shape): Document {
  const path = shape.path(field);
  if (mayBeLong(field)) return orderedDecimal(op, path, String(value));
  return { [path]: { [`$${op}`]: valuesOf(shape.entity, field).encode(value) } };
}

/** Values in both forms: a comparison only looks at those of its own type, so each form has one of its own. */
function orderedDecimal(op: Comparison, path: string, value: string): Document {
  const exact = toDecimal128(value);
  const short =
    exact !== undefined
      ? { [`$${op}`]: exact }
      : { [op === 'gt' || op === 'gte' ? '$gt' : '$lte']: floorDecimal128(value) };
  return any([{ [path]: short }, { [`${path}.exact`]: { [`$${op}`]: sortableText(value) } }]);
}

function contains({ field }: Operand, value: Value, shape: Shape): Document {
  const path = shape.path(field);
  if (!field.array) return { [path]: { $regex: substringPattern(String(value)), $options: 's' } };
  const { encode } = scalarValues(shape.entity, field);
  const elements = Array.isArray(value) ? value : [value];
  return elements.length === 0 ? { [path]: { $ne: null } } : { [path]: { $all: elements.map(encode) } };
}

function keys({ fields, rows }: Extract<Condition, { op: 'keys' }>, shape: Shape): Document {
  const [only, ...others] = fields;
  const present = rows.filter((row) => row.every((value) => value !== null && value !== undefined));
  if (only === undefined || present.length === 0) return NOTHING;
  if (isIdentity(fields, shape)) return { _id: { $in: present.map((row) => idOf(shape, row, fields)) } };
  const { encode } = valuesOf(shape.entity, only);
  if (others.length === 0) return { [shape.path(only)]: { $in: present.map((row) => encode(row[0])) } };
  return any(
    present.map((row) =>
      Object.fromEntries(
        fields.map((field, at) => [shape.path(field), { $eq: valuesOf(shape.entity, field).encode(row[at]) }]),
      ),
    ),
  );
}

function isIdentity(fields: readonly Field[], { entity }: Shape): boolean {
  return fields.length === entity.ids.length && entity.ids.every((id) => fields.includes(id));
}

/** The `_id` of a key. Documents in it are equal only with their keys in one order, so it is always that of the ids. */
export function idOf(shape: Shape, key: readonly Value[], fields: readonly Field[] = shape.entity.ids): unknown {
  const { entity, compositeId } = shape;
  const part = (id: Field) => valuesOf(entity, id).encode(key[fields.indexOf(id)]);
  const [only] = entity.ids;
  if (!compositeId && only !== undefined) return part(only);
  return Object.fromEntries(entity.ids.map((id) => [id.column, part(id)]));
}

export function all(parts: readonly Document[]): Document {
  const said = parts.filter((part) => Object.keys(part).length > 0);
  return said.length <= 1 ? (said[0] ?? {}) : { $and: said };
}

function any(parts: readonly Document[]): Document {
  if (parts.some((part) => Object.keys(part).length === 0)) return {};
  return parts.length <= 1 ? (parts[0] ?? NOTHING) : { $or: [...parts] };
}

function complement(part: Document): Document {
  return Object.keys(part).length === 0 ? NOTHING : { $nor: [part] };
}
