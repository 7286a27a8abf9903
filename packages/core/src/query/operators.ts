/**
 * The operators of a filter on one stored value: which types each is meaningful for, and what condition it becomes.
 * An operator that makes no sense for a type is an error here, because stores would disagree about what it means.
 */
import type { Field, FieldType } from '../model/field.js';
import type { Condition, Operand } from '../store/condition.js';
import {
  at,
  comparand,
  describe,
  invalid,
  isPlainObject,
  jsonComparand,
  type Place,
  present,
  typeName,
} from './comparand.js';
import { and, FALSE, not, TRUE } from './logic.js';
import { nearest } from './members.js';

/** All operators, in the order in which messages list them. */
const OPERATORS = [
  'eq',
  'ne',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'notIn',
  'like',
  'ilike',
  'contains',
  'exists',
  'between',
  'not',
] as const;

type Operator = (typeof OPERATORS)[number];

const names: ReadonlySet<string> = new Set(OPERATORS);

function isOperator(name: string): name is Operator {
  return names.has(name);
}

/** True for an object whose keys are operators and nothing else. */
function isOperators(value: Record<string, unknown>): boolean {
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every(isOperator);
}

const ordered: ReadonlySet<FieldType> = new Set<FieldType>([
  'string',
  'text',
  'integer',
  'bigint',
  'float',
  'decimal',
  'date',
  'timestamp',
  'uuid',
]);

/** A filter on a field: a bare value, or an object of operators that must all hold. */
export function fieldCondition(place: Place, field: Field, value: unknown): Condition {
  if (isPlainObject(value)) return operatorsOn(place, { field }, value);
  return { op: 'eq', on: { field }, value: comparand(place, field, value) };
}

/** A filter on a json field: operators, a nested object by keys, or a bare value. */
export function jsonCondition(place: Place, operand: Operand, value: unknown): Condition {
  if (!isPlainObject(value)) {
    return { op: 'eq', on: operand, value: operandValue(place, operand, value, 'the value to compare with') };
  }
  if (isOperators(value)) return operatorsOn(place, operand, value);
  const keys = Object.keys(value);
  if (keys.length === 0) {
    throw invalid(place, 'the filter is an empty object. Write { eq: {} } to compare with one, or { exists: true }.');
  }
  return and(
    ...keys.map((key) =>
      jsonCondition(at(place, key), { field: operand.field, path: [...(operand.path ?? []), key] }, value[key]),
    ),
  );
}

function operatorsOn(place: Place, on: Operand, operators: Record<string, unknown>): Condition {
  const entries = Object.entries(operators);
  if (entries.length === 0) {
    throw invalid(
      place,
      `the filter is an empty object. Give a value or one of the operators ${OPERATORS.join(', ')}.`,
    );
  }
  return and(
    ...entries.map(([name, value]) => {
      if (!isOperator(name)) {
        const near = nearest(name, OPERATORS);
        throw invalid(
          place,
          `"${name}" is not an operator. ${near === undefined ? `Operators are ${OPERATORS.join(', ')}.` : `Did you mean "${near}"?`}`,
        );
      }
      return apply(place, on, name, value);
    }),
  );
}

function apply(place: Place, on: Operand, op: Operator, value: unknown): Condition {
  const what = `the comparand of "${op}"`;
  switch (op) {
    case 'eq':
    case 'ne':
      return { op, on, value: operandValue(place, on, value, what) };
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      requireOrdered(place, on, op);
      return { op, on, value: orderedValue(place, on, value, what) };
    case 'in':
    case 'notIn': {
      if (on.field.array) throw refused(place, on, op, 'contains or eq');
      const values = list(place, value, op).map((item) => operandValue(place, on, item, `an element of "${op}"`));
      if (values.length === 0) return op === 'in' ? FALSE : TRUE;
      return { op, on, values };
    }
    case 'between': {
      requireOrdered(place, on, op);
      const bounds = list(place, value, op);
      if (bounds.length !== 2)
        throw invalid(place, `"between" takes two bounds, [low, high], and was given ${bounds.length}.`);
      const [low, high] = bounds.map((bound) => orderedValue(place, on, bound, 'a bound of "between"'));
      return { op, on, low, high };
    }
    case 'like':
    case 'ilike': {
      if (!isText(on)) throw refused(place, on, op, 'eq or in');
      const pattern = present(place, value, what);
      if (typeof pattern !== 'string')
        throw invalid(place, `${what} is ${describe(pattern)}; it takes a pattern with % and _.`);
      return { op, on, pattern };
    }
    case 'contains':
      return containsCondition(place, on, value, what);
    case 'exists':
      if (typeof value !== 'boolean')
        throw invalid(place, `"exists" takes true or false and was given ${describe(value)}.`);
      return { op, on, present: value };
    case 'not':
      present(place, value, what);
      return not(
        on.field.type === 'json' && !on.field.array ? jsonCondition(place, on, value) : negated(place, on, value),
      );
  }
}

function negated(place: Place, on: Operand, value: unknown): Condition {
  return fieldCondition(place, on.field, value);
}

function containsCondition(place: Place, on: Operand, value: unknown, what: string): Condition {
  const { field } = on;
  const given = present(place, value, what);
  if (on.path !== undefined || (field.type === 'json' && !field.array)) {
    return { op: 'contains', on, value: jsonComparand(place, given, what) };
  }
  if (field.array) {
    const elements = Array.isArray(given) ? given : [given];
    for (const element of elements) present(place, element, `an element of "contains"`);
    if (elements.length === 0) return { op: 'exists', on, present: true };
    return { op: 'contains', on, value: comparand(place, field, elements, what) };
  }
  if (field.type !== 'string' && field.type !== 'text') throw refused(place, on, 'contains', 'eq or in');
  if (typeof given !== 'string')
    throw invalid(place, `${what} is ${describe(given)}; on text it takes a piece of text.`);
  return { op: 'contains', on, value: given };
}

/** A comparand for equality. Inside json it is the JSON value itself. */
function operandValue(place: Place, on: Operand, value: unknown, what: string): unknown {
  if (on.path !== undefined) return jsonComparand(place, value, what);
  return comparand(place, on.field, value, what);
}

function orderedValue(place: Place, on: Operand, value: unknown, what: string): unknown {
  if (on.path === undefined) return comparand(place, on.field, value, what);
  const given = jsonComparand(place, value, what);
  if (typeof given === 'string' || typeof given === 'number') return given;
  throw invalid(place, `${what} is ${describe(given)}; inside json only strings and numbers have an order.`);
}

function requireOrdered(place: Place, on: Operand, op: string): void {
  if (on.path !== undefined) return;
  if (on.field.array || !ordered.has(on.field.type)) throw refused(place, on, op, 'eq, ne, in or exists');
}

function isText(on: Operand): boolean {
  return on.path !== undefined || (!on.field.array && (on.field.type === 'string' || on.field.type === 'text'));
}

function refused(place: Place, on: Operand, op: string, instead: string) {
  return invalid(place, `"${op}" has no meaning for type ${typeName(on.field)}. Use ${instead}.`);
}

function list(place: Place, value: unknown, op: string): readonly unknown[] {
  const given = present(place, value, `the comparand of "${op}"`);
  if (Array.isArray(given)) return given;
  throw invalid(place, `"${op}" takes an array and was given ${describe(given)}.`);
}
