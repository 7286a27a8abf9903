/**
 * Values of the user's own SQL, where no field tells the type: parameters as text, and decoders by the server's type. Dates stay text, decimals and
 * everything unknown too; timestamps with a zone become `Date`, 64-bit integers bigint unless they are safe numbers.
 */
import { JSON_NULL } from '@storeweave/core';
import { arrayLiteral, parseArrayLiteral, quoteElement } from './array-literal.js';
import type { Decode } from './decode.js';
import { msToTimestamp, timestampToMs } from './timestamp-text.js';

const safeInteger: Decode = (text) => {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
};
const date: Decode = (text) => new Date(timestampToMs(text));
const json: Decode = (text) => (text === 'null' ? JSON_NULL : JSON.parse(text));
const bytes: Decode = (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'));
const bool: Decode = (text) => text === 't';
const same: Decode = (text) => text;
const arrayOf =
  (element: Decode): Decode =>
  (text) =>
    parseArrayLiteral(text, element);

/** By type OID; those of the server's catalogue never change. */
const decoders: Readonly<Record<number, Decode>> = {
  16: bool,
  17: bytes,
  20: safeInteger,
  21: Number,
  23: Number,
  26: Number,
  114: json,
  700: Number,
  701: Number,
  1184: date,
  3802: json,
  199: arrayOf(json),
  1000: arrayOf(bool),
  1001: arrayOf(bytes),
  1005: arrayOf(Number),
  1007: arrayOf(Number),
  1009: arrayOf(same),
  1015: arrayOf(same),
  1016: arrayOf(safeInteger),
  1021: arrayOf(Number),
  1022: arrayOf(Number),
  1182: arrayOf(same),
  1185: arrayOf(date),
  1231: arrayOf(same),
  2951: arrayOf(same),
  3807: arrayOf(json),
};

/** Undefined where the text is the value. */
export function decoderOfType(oid: number): Decode | undefined {
  return decoders[oid];
}

/** Text form of a value of the application; undefined where it has none. */
export function rawText(value: unknown): string | undefined {
  if (value === JSON_NULL) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (value instanceof Date) return msToTimestamp(value.getTime());
  if (value instanceof Uint8Array)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
  if (Array.isArray(value)) {
    return arrayLiteral(value, (element) =>
      Array.isArray(element) ? (rawText(element) ?? '') : quoteElement(rawText(element) ?? ''),
    );
  }
  return JSON.stringify(value);
}
