/**
 * Order and sums of neutral values, exact where a database is exact: decimals are kept as text here, so their order and
 * their sums are made digit by digit. The same rules as those of every other store.
 */
import type { Field, Value } from '@storeweave/core';

/** Order of two present values of a field: negative, zero or positive. */
export function compareValues(field: Field, a: Value, b: Value): number {
  if (field.type === 'decimal') {
    const [left, right] = aligned(String(a), String(b));
    return left < right ? -1 : left > right ? 1 : 0;
  }
  const left = a as string | number | bigint | boolean;
  const right = b as string | number | bigint | boolean;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Sum of two values of a numeric field; an absent one counts as 0. */
export function addValues(field: Field, value: Value, by: Value): Value {
  if (value === null || value === undefined) return by;
  if (field.type === 'decimal') return addDecimals(String(value), String(by));
  if (typeof value === 'bigint' || typeof by === 'bigint') return BigInt(value as bigint) + BigInt(by as bigint);
  return (value as number) + (by as number);
}

function addDecimals(a: string, b: string): string {
  const [left, right, scale] = aligned(a, b);
  const sum = left + right;
  const digits = (sum < 0n ? -sum : sum).toString().padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return sum < 0n ? `-${text}` : text;
}

/** Both as whole numbers of the same unit, and the number of digits after the point. */
function aligned(a: string, b: string): [bigint, bigint, number] {
  const left = units(a);
  const right = units(b);
  const scale = Math.max(left.scale, right.scale);
  return [left.units * 10n ** BigInt(scale - left.scale), right.units * 10n ** BigInt(scale - right.scale), scale];
}

function units(text: string): { units: bigint; scale: number } {
  const [whole = '0', fraction = ''] = text.split('.');
  return { units: BigInt(`${whole}${fraction}`), scale: fraction.length };
}
