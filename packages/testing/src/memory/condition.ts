/**
 * Conditions as predicates over stored rows, with the null semantics that `store/condition.ts` of the core states:
 * a comparison with an absent value is false, `ne` and `notIn` are true for it, and `not` is the exact complement.
 */
import {
  type Condition,
  type EntityModel,
  type Field,
  JSON_NULL,
  type Operand,
  type RelationModel,
  type Value,
} from '@storeweave/core';
import { cell, compare, compareJson, keyOf, keyText, type Stored } from './values.js';

/** The rows of an entity as the running call sees them. */
export interface View {
  rows(entity: EntityModel): Iterable<Stored>;
}

export type Predicate = (row: Stored) => boolean;

/** The operand's value; absent where the path leads nowhere or to JSON's null. */
export function operandValue(row: Stored, on: Operand): Value {
  let value = cell(row, on.field);
  for (const key of on.path ?? []) {
    if (value === null || typeof value !== 'object') return null;
    value = Array.isArray(value)
      ? value[position(key)]
      : Object.hasOwn(value, key)
        ? (value as Record<string, Value>)[key]
        : null;
    value ??= null;
  }
  return value;
}

/** Place in an array that a key names; `NaN` for one that names none. */
export function position(key: string): number {
  return /^\d+$/.test(key) ? Number(key) : Number.NaN;
}

/** Order of two present operand values; `NaN` where they cannot be compared. */
export function compareOperand(on: Operand, a: Value, b: Value): number {
  return on.path === undefined || on.path.length === 0 ? compare(on.field, a, b) : compareJson(a, b);
}

export function predicate(condition: Condition, view: View): Predicate {
  switch (condition.op) {
    case 'and': {
      const parts = condition.conditions.map((part) => predicate(part, view));
      return (row) => parts.every((part) => part(row));
    }
    case 'or': {
      const parts = condition.conditions.map((part) => predicate(part, view));
      return (row) => parts.some((part) => part(row));
    }
    case 'not': {
      const inner = predicate(condition.condition, view);
      return (row) => !inner(row);
    }
    case 'eq':
      return ordered(condition.on, condition.value, (order) => order === 0);
    case 'ne': {
      const same = ordered(condition.on, condition.value, (order) => order === 0);
      return (row) => !same(row);
    }
    case 'gt':
      return ordered(condition.on, condition.value, (order) => order > 0);
    case 'gte':
      return ordered(condition.on, condition.value, (order) => order >= 0);
    case 'lt':
      return ordered(condition.on, condition.value, (order) => order < 0);
    case 'lte':
      return ordered(condition.on, condition.value, (order) => order <= 0);
    case 'between': {
      const above = ordered(condition.on, condition.low, (order) => order >= 0);
      const below = ordered(condition.on, condition.high, (order) => order <= 0);
      return (row) => above(row) && below(row);
    }
    case 'in':
    case 'notIn': {
      const parts = condition.values.map((value) => ordered(condition.on, value, (order) => order === 0));
      const wanted = condition.op === 'in';
      return (row) => parts.some((part) => part(row)) === wanted;
    }
    case 'like':
    case 'ilike': {
      const pattern = likePattern(condition.pattern, condition.op === 'ilike');
      return (row) => {
        const value = operandValue(row, condition.on);
        return typeof value === 'string' && pattern.test(value);
      };
    }
    case 'contains':
      return (row) => contains(condition.on, operandValue(row, condition.on), condition.value);
    case 'exists':
      return (row) => (operandValue(row, condition.on) !== null) === condition.present;
    case 'keys': {
      const keys = new Set(condition.rows.map((values) => keyOf(values)));
      return (row) => keys.has(keyOf(condition.fields.map((field) => cell(row, field))));
    }
    case 'related':
      return related(condition.relation, condition.where, view);
  }
}

function ordered(on: Operand, value: Value, test: (order: number) => boolean): Predicate {
  return (row) => {
    const own = operandValue(row, on);
    return own !== null && test(compareOperand(on, own, value));
  };
}

function likePattern(pattern: string, ignoreCase: boolean): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const at = pattern[i] as string;
    if (at === '\\' && i + 1 < pattern.length) source += literal(pattern[++i] as string);
    else if (at === '%') source += '.*';
    else if (at === '_') source += '.';
    else source += literal(at);
  }
  return new RegExp(`^${source}$`, ignoreCase ? 'isu' : 'su');
}

function literal(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function contains(on: Operand, own: Value, wanted: Value): boolean {
  if (own === null) return false;
  const isJson = on.field.type === 'json' && !on.field.array;
  if (!isJson && Array.isArray(own))
    return (wanted as Value[]).every((element) => own.some((value) => keyText(value) === keyText(element)));
  if (!isJson) return typeof own === 'string' && own.includes(String(wanted));
  // At a path, a string asks for a substring of a string or an element of an array.
  if (on.path !== undefined && typeof own === 'string' && typeof wanted === 'string') return own.includes(wanted);
  return jsonContains(own, wanted, true);
}

/** PostgreSQL's `@>`: objects by key, arrays as sets; an array contains a scalar only at the top. */
function jsonContains(own: Value, wanted: Value, top: boolean): boolean {
  if (Array.isArray(own)) {
    if (Array.isArray(wanted)) return wanted.every((inner) => own.some((value) => jsonContains(value, inner, false)));
    return (
      top && (wanted === null || typeof wanted !== 'object') && own.some((value) => keyText(value) === keyText(wanted))
    );
  }
  if (
    own !== null &&
    typeof own === 'object' &&
    wanted !== null &&
    typeof wanted === 'object' &&
    !Array.isArray(wanted)
  ) {
    const values = own as Record<string, Value>;
    return Object.entries(wanted).every(
      ([key, inner]) => Object.hasOwn(values, key) && jsonContains(values[key], inner, false),
    );
  }
  return jsonScalar(own) === jsonScalar(wanted);
}

function jsonScalar(value: Value): string {
  return keyText(value === JSON_NULL ? null : value);
}

function related(relation: RelationModel, where: Condition, view: View): Predicate {
  const matches = predicate(where, view);
  const keysOf = (fields: readonly Field[], row: Stored) => fields.map((field) => cell(row, field));
  const { join } = relation;
  const found = new Set<string>();
  if (join.via !== 'link') {
    for (const row of view.rows(relation.target)) if (matches(row)) found.add(keyOf(keysOf(join.targetFields, row)));
    return (row) => {
      const key = keysOf(join.fields, row);
      return key.every((value) => value !== null) && found.has(keyOf(key));
    };
  }
  const targets = new Set<string>();
  for (const row of view.rows(relation.target)) if (matches(row)) targets.add(keyOf(keysOf(relation.target.ids, row)));
  for (const row of view.rows(join.link)) {
    const owner = keyOf(keysOf(join.ownerFields, row));
    const target = keyOf(keysOf(join.targetFields, row));
    if (targets.has(target)) found.add(owner);
    if (join.direction === 'both' && targets.has(owner)) found.add(target);
  }
  return (row) => found.has(keyOf(keysOf(relation.owner.ids, row)));
}
