/** Values of the user's own SQL, for drivers that bind what JavaScript has. */
import { JSON_NULL } from '@storeweave/core';
import type { Decode } from '../decode.js';
import { msToTimestamp } from '../timestamp-text.js';

/** What the driver is given for a value of the application. */
export function rawNative(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === JSON_NULL) return 'null';
  if (value instanceof Date) return msToTimestamp(value.getTime()).replace('T', ' ').replace('Z', '');
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return value;
}

/** A number, or a bigint where a number would lose digits of a whole one. */
export const rawNumber: Decode = (text) => {
  const number = Number(text);
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(text) ? number : BigInt(text);
};
