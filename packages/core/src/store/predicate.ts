/**
 * Conditions as predicates over rows, for what a server is not asked to filter. The rules are those of `Condition`: a
 * comparison with an absent value is false, `ne` and `notIn` are true for it, `not` is the exact complement.
 */
import { StoreError } from '../errors/errors.js';
import type { RelationModel } from '../model/entity-model.js';
import type { Field, Value } from '../model/field.js';
import type { Condition, Operand } from './condition.js';
import { contains } from './containment.js';
import { rowKey, valueKey } from './value-key.js';
import { compareOperands } from './value-order.js';

export type Predicate<R> = (row: R) => boolean;

/** How a store keeps its rows. */
export interface RowReader<R> {
  /** The value of a field; null where it is absent. */
  value(row: R, field: Field): Value;
  /** Whether some related entity satisfies a condition. Only for stores that claim `relationFilters`. */
  related?(relation: RelationModel, where: Condition): Predicate<R>;
}

/** A predicate that decides a condition. Throws `StoreError` for a filter by relations that the reader cannot decide. */
export function predicateOf<R>(condition: Condition, reader: RowReader<R>): Predicate<R> {
  const ordered = (on: Operand, value: Value, test: (order: number) => boolean): Predicate<R> => {
    return (row) => {
      const own = operandValue(row, on, reader);
      return own !== null && test(compareOperands(on, own, value));
    };
  };
  switch (condition.op) {
    case 'and': {
      const parts = condition.conditions.map((part) => predicateOf(part, reader));
      return (row) => parts.every((part) => part(row));
    }
    case 'or': {
      const parts = condition.conditions.map((part) => predicateOf(part, reader));
      return (row) => parts.some((part) => part(row));
    }
    case 'not': {
      const inner = predicateOf(condition.condition, reader);
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
      const { on, values } = condition;
      const wanted = condition.op === 'in';
      if (on.field.type === 'decimal') {
        // 1.0 and 1.00 are equal, and two keys.
        const same = values.map((value) => ordered(on, value, (order) => order === 0));
        return (row) => same.some((each) => each(row)) === wanted;
      }
      const keys = new Set(values.map(valueKey));
      return (row) => keys.has(valueKey(operandValue(row, on, reader))) === wanted;
    }
    case 'like':
    case 'ilike': {
      const pattern = likePattern(condition.pattern, condition.op === 'ilike');
      return (row) => {
        const value = operandValue(row, condition.on, reader);
        return typeof value === 'string' && pattern.test(value);
      };
    }
    case 'contains':
      return (row) => contains(condition.on, operandValue(row, condition.on, reader), condition.value);
    case 'exists':
      return (row) => (operandValue(row, condition.on, reader) !== null) === condition.present;
    case 'keys': {
      const keys = new Set(condition.rows.map(rowKey));
      return (row) => keys.has(rowKey(condition.fields.map((field) => reader.value(row, field))));
    }
    case 'related': {
      const { relation, where } = condition;
      if (reader.related !== undefined) return reader.related(relation, where);
      throw new StoreError(
        `A store was asked for a filter by ${relation.owner.name}.${relation.name}, and does not claim relationFilters.`,
        { entity: relation.owner.name },
      );
    }
  }
}

/** The operand's value in a row; null where it is absent, its path leads nowhere, or to JSON's null. */
export function operandValue<R>(row: R, on: Operand, reader: RowReader<R>): Value {
  let value = reader.value(row, on.field);
  for (const key of on.path ?? []) {
    if (value === null || typeof value !== 'object') return null;
    value = Array.isArray(value)
      ? value[arrayPosition(key)]
      : Object.hasOwn(value, key)
        ? (value as Record<string, Value>)[key]
        : null;
    value ??= null;
  }
  return value;
}

/** Place in an array that a key of a path names; `NaN` for one that names none. */
export function arrayPosition(key: string): number {
  return /^\d+$/.test(key) ? Number(key) : Number.NaN;
}

function likePattern(pattern: string, ignoreCase: boolean): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const at = pattern.charAt(i);
    if (at === '\\' && i + 1 < pattern.length) source += literal(pattern.charAt(++i));
    else if (at === '%') source += '.*';
    else if (at === '_') source += '.';
    else source += literal(at);
  }
  return new RegExp(`^${source}$`, ignoreCase ? 'isu' : 'su');
}

function literal(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
