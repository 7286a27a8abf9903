/**
 * Rows of neutral values as the memory store keeps them. Their order, sums and keys are those of the core: exact where a
 * database is exact (decimals, bigints), so that what passes here means the same on a real store.
 */
import type { Field, Value } from '@storeweave/core';

/** A stored row: values by column. Never changed once stored; a write stores a new one. */
export type Stored = Readonly<Record<string, Value>>;

export function cell(row: Stored, field: Field): Value {
  return row[field.column] ?? null;
}

/** A copy that shares nothing mutable with the original. */
export function copy(value: Value): Value {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(copy);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
}
