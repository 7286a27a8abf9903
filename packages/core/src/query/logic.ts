/**
 * Conditions put together, with constants folded away: a filter that can match nothing is known to before any store is
 * asked, and no store gets nested `and`s to untangle.
 */
import type { Field, Value } from '../model/field.js';
import type { Condition } from '../store/condition.js';

/** Matches every row. */
export const TRUE: Condition = { op: 'and', conditions: [] };
/** Matches no row. */
export const FALSE: Condition = { op: 'or', conditions: [] };

export function isTrue(condition: Condition): boolean {
  return condition.op === 'and' && condition.conditions.length === 0;
}

export function isFalse(condition: Condition): boolean {
  return condition.op === 'or' && condition.conditions.length === 0;
}

export function and(...conditions: readonly Condition[]): Condition {
  return combine('and', conditions, isTrue, isFalse, FALSE);
}

export function or(...conditions: readonly Condition[]): Condition {
  return combine('or', conditions, isFalse, isTrue, TRUE);
}

function combine(
  op: 'and' | 'or',
  conditions: readonly Condition[],
  neutral: (condition: Condition) => boolean,
  absorbing: (condition: Condition) => boolean,
  absorbed: Condition,
): Condition {
  const parts: Condition[] = [];
  for (const condition of conditions) {
    if (neutral(condition)) continue;
    if (absorbing(condition)) return absorbed;
    if (condition.op === op) parts.push(...condition.conditions);
    else parts.push(condition);
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { op, conditions: parts };
}

export function not(condition: Condition): Condition {
  if (isTrue(condition)) return FALSE;
  if (isFalse(condition)) return TRUE;
  return condition.op === 'not' ? condition.condition : { op: 'not', condition };
}

export function exists(field: Field, present: boolean): Condition {
  return { op: 'exists', on: { field }, present };
}

/** The tuple of fields is one of these rows. Rows with an absent value match nothing and are left out. */
export function keysIn(fields: readonly Field[], rows: readonly (readonly Value[])[]): Condition {
  const whole = rows.filter((row) => row.every((value) => value !== null && value !== undefined));
  const [field] = fields;
  if (whole.length === 0 || field === undefined) return FALSE;
  if (fields.length > 1) return { op: 'keys', fields, rows: whole };
  const [first] = whole;
  if (whole.length === 1 && first !== undefined) return { op: 'eq', on: { field }, value: first[0] };
  return { op: 'in', on: { field }, values: whole.map((row) => row[0]) };
}

/** What a store is sent: nothing where everything matches. */
export function orAbsent(condition: Condition): Condition | undefined {
  return isTrue(condition) ? undefined : condition;
}
