/**
 * Neutral values as the memory store keeps them: how they are copied, compared, added and made into keys. Exact where
 * a database is exact (decimals, bigints), so that what passes here means the same on a real store.
 */
import { type Field, JSON_NULL, type Value } from '@storeweave/core';

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

/** A string that is equal for equal values and for no others of the same type. */
export function keyText(value: Value): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'bigint') return `n${value}`;
  if (typeof value === 'number') return `n${Object.is(value, -0) ? 0 : value}`;
  if (typeof value === 'boolean') return `b${value}`;
  if (value === JSON_NULL) return 'j';
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'object') return `o${canonical(value)}`;
  return `s${String(value)}`;
}

export function keyOf(values: readonly Value[]): string {
  return values.map((value) => keyText(value).replaceAll('\\', '\\\\').replaceAll('|', '\\p')).join('|');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((inner) => keyText(inner)).join(',')}]`;
  if (value instanceof Uint8Array || value === null || typeof value !== 'object') return keyText(value);
  const entries = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${keyText(inner)}`).join(',')}}`;
}

/** Order of two present values of one field: negative, zero or positive. */
export function compare(field: Field, a: Value, b: Value): number {
  if (field.array) return compareArrays(field, a as Value[], b as Value[]);
  if (field.type === 'decimal') return compareDecimals(String(a), String(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (field.type === 'json') return compareJson(a, b);
  return compareScalars(a, b);
}

/** Order of JSON values of the same type; values of different types have no order (`NaN`). */
export function compareJson(a: Value, b: Value): number {
  if (typeof a !== typeof b) return Number.NaN;
  if (typeof a === 'object' || typeof a === 'symbol') return keyText(a) === keyText(b) ? 0 : Number.NaN;
  return compareScalars(a, b);
}

export function compareScalars(a: Value, b: Value): number {
  const left = a as string | number | bigint | boolean;
  const right = b as string | number | bigint | boolean;
  // As PostgreSQL has it: NaN equals itself and is greater than every other number.
  if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareArrays(field: Field, a: readonly Value[], b: readonly Value[]): number {
  const element = { ...field, array: false };
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compare(element, a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Units and scale of a decimal: 12.50 is 1250n at scale 2. */
function decimalUnits(text: string): { units: bigint; scale: number } {
  const [whole = '0', fraction = ''] = text.split('.');
  return { units: BigInt(`${whole}${fraction}`), scale: fraction.length };
}

function aligned(a: string, b: string): [bigint, bigint, number] {
  const left = decimalUnits(a);
  const right = decimalUnits(b);
  const scale = Math.max(left.scale, right.scale);
  return [left.units * 10n ** BigInt(scale - left.scale), right.units * 10n ** BigInt(scale - right.scale), scale];
}

function compareDecimals(a: string, b: string): number {
  const [left, right] = aligned(a, b);
  return compareScalars(left, right);
}

function addDecimals(a: string, b: string): string {
  const [left, right, scale] = aligned(a, b);
  const sum = left + right;
  const digits = (sum < 0n ? -sum : sum).toString().padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return sum < 0n ? `-${text}` : text;
}

/** Sum of two values of a numeric field; an absent one counts as 0. */
export function add(field: Field, value: Value, by: Value): Value {
  if (value === null || value === undefined) return by;
  if (field.type === 'decimal') return addDecimals(String(value), String(by));
  if (typeof value === 'bigint' || typeof by === 'bigint') return BigInt(value as bigint) + BigInt(by as bigint);
  return (value as number) + (by as number);
}
