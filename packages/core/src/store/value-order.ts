/**
 * Order and sums of neutral values, for stores whose server has other rules or none. Exact where a database is exact:
 * decimals are text, so their order and their sums are made digit by digit.
 */
import type { Field, Value } from '../model/field.js';
import type { Operand } from './condition.js';
import { valueKey } from './value-key.js';

/** Order of two present values of one field: negative, zero or positive; `NaN` for JSON that has none. */
export function compareValues(field: Field, a: Value, b: Value): number {
  if (field.array) return compareArrays(field, a as Value[], b as Value[]);
  if (field.type === 'decimal') return compareDecimals(String(a), String(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (field.type === 'json') return compareJson(a, b);
  return compareScalars(a, b);
}

/** The same of two present values of an operand, which may be inside of JSON. */
export function compareOperands({ field, path }: Operand, a: Value, b: Value): number {
  return path === undefined || path.length === 0 ? compareValues(field, a, b) : compareJson(a, b);
}

/** Sum of two values of a numeric field; an absent one counts as 0. */
export function addValues(field: Field, value: Value, by: Value): Value {
  if (value === null || value === undefined) return by;
  if (field.type === 'decimal') return addDecimals(String(value), String(by));
  if (typeof value === 'bigint' || typeof by === 'bigint') return BigInt(value as bigint) + BigInt(by as bigint);
  return (value as number) + (by as number);
}

/** JSON values of different types have no order, objects and arrays are equal or not. */
function compareJson(a: Value, b: Value): number {
  if (typeof a !== typeof b) return Number.NaN;
  if (typeof a === 'object' || typeof a === 'symbol') return valueKey(a) === valueKey(b) ? 0 : Number.NaN;
  return compareScalars(a, b);
}

function compareScalars(a: Value, b: Value): number {
  const left = a as string | number | bigint | boolean;
  const right = b as string | number | bigint | boolean;
  // As PostgreSQL has it: NaN equals itself and is greater than every other number.
  if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareArrays(field: Field, a: readonly Value[], b: readonly Value[]): number {
  const element = { ...field, array: false };
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareValues(element, a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareDecimals(a: string, b: string): number {
  const [left, right] = aligned(a, b);
  return compareScalars(left, right);
}

/** Exact sum of two decimals as texts. */
export function addDecimals(a: string, b: string): string {
  const [left, right, scale] = aligned(a, b);
  const sum = left + right;
  const digits = (sum < 0n ? -sum : sum).toString().padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return sum < 0n ? `-${text}` : text;
}

/** Both as whole numbers of the same unit, and the number of digits after the point. */
function aligned(a: string, b: string): [bigint, bigint, number] {
  const left = decimalUnits(a);
  const right = decimalUnits(b);
  const scale = Math.max(left.scale, right.scale);
  return [left.units * 10n ** BigInt(scale - left.scale), right.units * 10n ** BigInt(scale - right.scale), scale];
}

/** 12.50 is 1250n at scale 2. */
function decimalUnits(text: string): { units: bigint; scale: number } {
  const [whole = '0', fraction = ''] = text.split('.');
  return { units: BigInt(`${whole}${fraction}`), scale: fraction.length };
}
