/**
 * Keys as values that can be compared. Both sides of a relation may live in stores of different minds, so a key is put
 * in the form of the field that it is compared with, and told apart by a text that is the same for equal keys.
 */
import type { Field, Value } from '../model/field.js';

/** A text that is equal for equal keys; undefined where a part of the key is absent. */
export function keyText(row: readonly Value[]): string | undefined {
  if (row.length === 1) return valueText(row[0]);
  let text = '';
  for (const value of row) {
    const part = valueText(value);
    if (part === undefined) return undefined;
    text += `${part.length}:${part}`;
  }
  return text;
}

/** The same of a key that is one value. */
export function valueText(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return undefined;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  return String(value);
}

/** A key of `from`, in the form that fields of `to` have. */
export function alignKey(row: readonly Value[], from: readonly Field[], to: readonly Field[]): Value[] {
  return row.map((value, at) => {
    const source = from[at]?.type;
    const target = to[at]?.type;
    if (source === target || value === null || value === undefined) return value;
    if (target === 'bigint' && typeof value === 'number') return BigInt(value);
    if ((target === 'integer' || target === 'float') && typeof value === 'bigint') return Number(value);
    return value;
  });
}
