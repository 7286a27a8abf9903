/**
 * Conditions as predicates over rows, for what the server is not asked to filter. The rules are those of `Condition`: a
 * comparison with an absent value is false, `ne` and `notIn` are true for it, `not` is the exact complement.
 */
import { type Condition, type Field, type Operand, type Row, StoreError, type Value } from '@storeweave/core';
import { compareValues } from './compare.js';

export type Predicate = (row: Row) => boolean;

/** A predicate over rows that are aligned with the fields of the entity. */
export function predicate(condition: Condition): Predicate {
  switch (condition.op) {
    case 'and': {
      const parts = condition.conditions.map(predicate);
      return (row) => parts.every((part) => part(row));
    }
    case 'or': {
      const parts = condition.conditions.map(predicate);
      return (row) => parts.some((part) => part(row));
    }
    case 'not': {
      const inner = predicate(condition.condition);
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
      const { field } = condition.on;
      const isWanted = condition.op === 'in';
      if (field.type === 'decimal') {
        const same = condition.values.map((value) => ordered(condition.on, value, (order) => order === 0));
        return (row) => same.some((each) => each(row)) === isWanted;
      }
      const values = new Set(condition.values.map(unsigned));
      return (row) => values.has(unsigned(cell(row, field))) === isWanted;
    }
    case 'like':
    case 'ilike': {
      const pattern = likePattern(condition.pattern, condition.op === 'ilike');
      const { field } = condition.on;
      return (row) => {
        const value = cell(row, field);
        return typeof value === 'string' && pattern.test(value);
      };
    }
    case 'contains': {
      const { field } = condition.on;
      const part = String(condition.value);
      return (row) => {
        const value = cell(row, field);
        return typeof value === 'string' && value.includes(part);
      };
    }
    case 'exists': {
      const { field } = condition.on;
      return (row) => (cell(row, field) !== null) === condition.present;
    }
    case 'keys': {
      const rows = new Set(condition.rows.map(keyText));
      return (row) => rows.has(keyText(condition.fields.map((field) => cell(row, field))));
    }
    case 'related':
      throw new StoreError('The InfluxDB store was asked for a filter by relations, which it does not claim.');
  }
}

/** The fields that a condition looks at. */
export function fieldsIn(condition: Condition, into: Set<Field>): void {
  switch (condition.op) {
    case 'and':
    case 'or':
      for (const part of condition.conditions) fieldsIn(part, into);
      return;
    case 'not':
      fieldsIn(condition.condition, into);
      return;
    case 'keys':
      for (const field of condition.fields) into.add(field);
      return;
    case 'related':
      return;
    default:
      into.add(condition.on.field);
  }
}

/** A string that is equal for equal values of one list of fields, and for no others. */
export function keyText(values: readonly Value[]): string {
  return JSON.stringify(values.map((value) => (typeof value === 'bigint' ? String(value) : unsigned(value))));
}

function cell(row: Row, field: Field): Value {
  return row[field.index] ?? null;
}

function unsigned(value: Value): Value {
  return Object.is(value, -0) ? 0 : value;
}

function ordered({ field }: Operand, value: Value, test: (order: number) => boolean): Predicate {
  return (row) => {
    const own = cell(row, field);
    return own !== null && test(compareValues(field, own, value));
  };
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
