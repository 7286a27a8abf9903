/**
 * Neutral values as text that tells them apart: for a `Map` or `Set` over rows, in stores that look values up by
 * themselves. A key is told from another key of the same fields only; 1 as a number and as a bigint are the same.
 */
import { JSON_NULL, type Value } from '../model/field.js';

/** A text that is equal for equal values and for no others of the same type. */
export function valueKey(value: Value): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'bigint') return `n${value}`;
  if (typeof value === 'number') return `n${Object.is(value, -0) ? 0 : value}`;
  if (typeof value === 'boolean') return `b${value}`;
  if (value === JSON_NULL) return 'j';
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'object') return `o${canonical(value)}`;
  return `s${String(value)}`;
}

/** The same of several values, in their order. */
export function rowKey(values: readonly Value[]): string {
  return values.map((value) => valueKey(value).replaceAll('\\', '\\\\').replaceAll('|', '\\p')).join('|');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((inner) => valueKey(inner)).join(',')}]`;
  if (value instanceof Uint8Array || value === null || typeof value !== 'object') return valueKey(value);
  const entries = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${valueKey(inner)}`).join(',')}}`;
}
