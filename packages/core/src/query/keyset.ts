/**
 * "The rows after this one" as a condition, for paging that neither skips nor repeats rows when others are written in
 * between, and that costs the same on page 1,000 as on the first. Knows mixed directions, ties and absent values.
 */
import type { Field, Value } from '../model/field.js';
import type { Condition } from '../store/condition.js';
import type { Order } from '../store/read.js';
import { and, exists, FALSE, or } from './logic.js';

/** Rows that come after the one with these values (aligned with `order`, null for absent) in a total order. */
export function after(order: readonly Order[], values: readonly Value[]): Condition {
  const alternatives: Condition[] = [];
  let ties: Condition = and();
  order.forEach((part, position) => {
    const value = values[position] ?? null;
    alternatives.push(and(ties, beyond(part, value)));
    ties = and(ties, same(part.on.field, value));
  });
  const [first] = order;
  const value = values[0] ?? null;
  // Implied by the rest; lets a store start an index scan at the right place.
  const start = first !== undefined && value !== null && order.length > 1 ? notBefore(first, value) : and();
  return and(start, or(...alternatives));
}

function same(field: Field, value: Value): Condition {
  return value === null ? exists(field, false) : { op: 'eq', on: { field }, value };
}

function beyond({ on, direction, nulls }: Order, value: Value): Condition {
  if (value === null) return nulls === 'first' ? exists(on.field, true) : FALSE;
  const further: Condition = { op: direction === 'asc' ? 'gt' : 'lt', on, value };
  return nulls === 'last' && on.field.nullable ? or(further, exists(on.field, false)) : further;
}

function notBefore({ on, direction, nulls }: Order, value: Value): Condition {
  if (nulls === 'last' && on.field.nullable) return and();
  return { op: direction === 'asc' ? 'gte' : 'lte', on, value };
}
