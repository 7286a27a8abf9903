/**
 * Conditions on json properties, as expressions: exact where MongoDB's own filters are not. A path goes through keys and
 * positions only, never into the elements of an array by itself; values compare by JSON type; objects are equal whatever
 * the order of their keys; `contains` is PostgreSQL's `@>`. Every value of the application stands in a `$literal`.
 */
import { type Condition, InvalidQueryError, JSON_NULL, type Json, type Operand, type Value } from '@storeweave/core';
import type { Document } from 'mongodb';
import { jsonProblem } from './json-values.js';
import type { Shape } from './names.js';
import { likePattern, substringPattern } from './pattern.js';

export type Expression = Document | readonly Expression[] | string | boolean | number | null;

type OnField = Exclude<Condition, { op: 'and' | 'or' | 'not' | 'keys' | 'related' }>;

/** True where the operand's values are JSON. */
export function isJson({ field, path }: Operand): boolean {
  return (field.type === 'json' && !field.array) || (path !== undefined && path.length > 0);
}

export function jsonCondition(condition: OnField, shape: Shape): Document {
  const { on } = condition;
  if (condition.op === 'exists' && !hasPath(on)) return { [shape.path(on.field)]: { $exists: condition.present } };
  const exact = { $expr: exactly(condition, shape) };
  const hint = hintOf(condition, shape);
  return hint === undefined ? exact : { $and: [hint, exact] };
}

function hasPath({ path }: Operand): boolean {
  return path !== undefined && path.length > 0;
}

/** A plain filter that finds all that are wanted and some more: what an index can be asked for. */
function hintOf(condition: OnField, shape: Shape): Document | undefined {
  const keys = condition.on.path ?? [];
  if (!keys.every((key) => /^[^$.][^.]*$/.test(key) && !key.includes('\0'))) return undefined;
  const path = [shape.path(condition.on.field), ...keys].join('.');
  const isPlain = (value: Value) => ['string', 'number', 'boolean'].includes(typeof value);
  switch (condition.op) {
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return isPlain(condition.value) ? { [path]: { [`$${condition.op}`]: condition.value } } : undefined;
    case 'in':
      return condition.values.every(isPlain) ? { [path]: { $in: [...condition.values] } } : undefined;
    case 'like':
      return { [path]: { $regex: likePattern(condition.pattern), $options: 's' } };
    default:
      return undefined;
  }
}

function exactly(condition: OnField, shape: Shape): Expression {
  const { on } = condition;
  const own = operandExpression(on, shape);
  const json = (value: Value) => checked(value, shape, on);
  switch (condition.op) {
    case 'eq':
      return equals(own, json(condition.value));
    case 'ne':
      return not(equals(own, json(condition.value)));
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return ordered(`$${condition.op}`, own, json(condition.value));
    case 'between':
      return { $and: [ordered('$gte', own, json(condition.low)), ordered('$lte', own, json(condition.high))] };
    case 'in':
      return oneOf(own, condition.values.map(json));
    case 'notIn':
      return not(oneOf(own, condition.values.map(json)));
    case 'like':
    case 'ilike':
      return matches(own, likePattern(condition.pattern), condition.op === 'ilike' ? 'is' : 's');
    case 'contains': {
      const value = json(condition.value);
      const found = contains(own, value, true, 0);
      // At a path, a string may also be meant as a part of a string.
      if (!hasPath(on) || typeof value !== 'string') return found;
      return { $or: [found, matches(own, substringPattern(value), 's')] };
    }
    case 'exists':
      return condition.present ? { $gt: [own, null] } : { $lte: [own, null] };
  }
}

/** The operand's value; null where a path leads nowhere. */
export function operandExpression({ field, path }: Operand, shape: Shape): Expression {
  const own = `$${shape.path(field)}`;
  return (path ?? []).reduce<Expression>(step, own);
}

/** One step of a path: a key of an object, or a position in an array. */
export function step(from: Expression, key: string): Expression {
  const inObject = { $cond: [isType('$$at', 'object'), inside('$$at', key), null] };
  const value = isPosition(key)
    ? { $cond: [{ $isArray: ['$$at'] }, { $ifNull: [{ $arrayElemAt: ['$$at', Number(key)] }, null] }, inObject] }
    : inObject;
  return { $let: { vars: { at: { $ifNull: [from, null] } }, in: value } };
}

/** True for a key that also names a place in an array. */
export function isPosition(key: string): boolean {
  return /^\d{1,9}$/.test(key);
}

export function isType(own: Expression, type: 'object' | 'string'): Document {
  return { $eq: [{ $type: own }, type] };
}

function checked(value: Value, shape: Shape, { field }: Operand): Json {
  if (value === JSON_NULL) return null;
  const problem = jsonProblem(value);
  if (problem === undefined) return value as Json;
  throw new InvalidQueryError(`${shape.entity.name}.${field.name} cannot be compared with this value: ${problem}.`, {
    entity: shape.entity.name,
    property: field.name,
  });
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equality of JSON values: of objects without regard to the order of their keys. */
export function equals(own: Expression, value: Json): Expression {
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    const same = [
      { $eq: [{ $size: own }, items.length] },
      ...items.map((item, at) => equals({ $arrayElemAt: [own, at] }, item)),
    ];
    return { $cond: [{ $isArray: [own] }, { $and: same }, false] };
  }
  if (isObject(value)) {
    const entries = Object.entries(value);
    const same = [
      { $eq: [{ $size: { $objectToArray: own } }, entries.length] },
      ...entries.map(([key, item]) => holds(own, key, item, equals)),
    ];
    return { $cond: [isType(own, 'object'), { $and: same }, false] };
  }
  return { $eq: [own, { $literal: value }] };
}

/** A key of an object whose value passes the test; a key with null is not the same as none. */
function holds(
  own: Expression,
  key: string,
  value: Json,
  test: (own: Expression, value: Json) => Expression,
): Expression {
  if (value === null) return { $and: [hasKey(own, key), { $lte: [inside(own, key), null] }] };
  return test(inside(own, key), value);
}

function inside(own: Expression, key: string): Expression {
  return { $ifNull: [{ $getField: { field: { $literal: key }, input: own } }, null] };
}

function hasKey(own: Expression, key: string): Expression {
  return { $in: [{ $literal: key }, { $map: { input: { $objectToArray: own }, as: 'entry', in: '$$entry.k' } }] };
}

/** Strings among strings and numbers among numbers; any other comparison is false. */
function ordered(op: string, own: Expression, value: Json): Expression {
  const sameType = typeof value === 'number' ? { $isNumber: own } : isType(own, 'string');
  return { $and: [sameType, { [op]: [own, { $literal: value }] }] };
}

function oneOf(own: Expression, values: readonly Json[]): Expression {
  const scalars = values.filter((value) => typeof value !== 'object' || value === null);
  const others = values.filter((value) => typeof value === 'object' && value !== null);
  return { $or: [{ $in: [own, { $literal: scalars }] }, ...others.map((value) => equals(own, value))] };
}

function matches(own: Expression, regex: string, options: string): Expression {
  return {
    $cond: [isType(own, 'string'), { $regexMatch: { input: own, regex: { $literal: regex }, options } }, false],
  };
}

/** Objects by key, arrays as sets; an array contains a scalar only at the top. */
function contains(own: Expression, value: Json, top: boolean, depth: number): Expression {
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    const name = `item${depth}`;
    const each = items.map((item) =>
      typeof item === 'object' && item !== null
        ? {
            $anyElementTrue: [{ $map: { input: own, as: name, in: contains(`$$${name}`, item, false, depth + 1) } }],
          }
        : { $in: [{ $literal: item }, own] },
    );
    return { $cond: [{ $isArray: [own] }, each.length === 0 ? true : { $and: each }, false] };
  }
  if (isObject(value)) {
    const each = Object.entries(value).map(([key, item]) =>
      holds(own, key, item, (from, wanted) => contains(from, wanted, false, depth)),
    );
    return { $cond: [isType(own, 'object'), each.length === 0 ? true : { $and: each }, false] };
  }
  const same = equals(own, value);
  return top ? { $cond: [{ $isArray: [own] }, { $in: [{ $literal: value }, own] }, same] } : same;
}

function not(expression: Expression): Expression {
  return { $not: [expression] };
}
