/**
 * Text of an answer as neutral values. Decoding goes column by column, in place: one tight loop per column, and
 * columns whose text is the value cost nothing.
 */
import { type Field, JSON_NULL, type Row, type Rows, type Value } from '@storeweave/core';
import { parseArrayLiteral } from './array-literal.js';
import { textFormOf } from './text-form.js';
import { timestampToMicros, timestampToMs } from './timestamp-text.js';

export type Decode = (text: string) => Value;

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
}

function jsonOf(text: string): Value {
  return text === 'null' ? JSON_NULL : JSON.parse(text);
}

function scalarDecoder(field: Field): Decode | undefined {
  switch (field.type) {
    case 'integer':
      return Number;
    case 'float':
      return Number;
    case 'bigint':
      return BigInt;
    case 'boolean':
      return (text) => text === 't';
    case 'timestamp':
      if (field.timePrecision === 'ns') return BigInt;
      return field.timePrecision === 'us' ? timestampToMicros : timestampToMs;
    case 'json':
      return jsonOf;
    case 'bytes':
      return bytesOf;
    case 'enum': {
      if (!field.enumValues?.some((value) => typeof value === 'number')) return undefined;
      const values = new Map(field.enumValues.map((value) => [String(value), value]));
      return (text) => values.get(text) ?? text;
    }
    default:
      return undefined;
  }
}

const decoders = new WeakMap<Field, Decode | null>();

/** The decoder of a field, made once; undefined where the text is the value. */
export function decoderOf(field: Field): Decode | undefined {
  const known = decoders.get(field);
  if (known !== undefined) return known ?? undefined;
  const scalar = textFormOf(field)?.decode ?? scalarDecoder(field);
  const element: Decode = scalar ?? ((text) => text);
  const decode = field.array ? (text: string) => parseArrayLiteral(text, element) : scalar;
  decoders.set(field, decode ?? null);
  return decode;
}

/** Decodes the rows of an answer in place; the answer must not be used otherwise. */
export function decodeRows(rows: readonly (readonly (string | null)[])[], fields: readonly Field[], offset = 0): Rows {
  return decodeColumns(rows, fields.map(decoderOf), offset);
}

export function decodeColumns(
  rows: readonly (readonly (string | null)[])[],
  columns: readonly (Decode | undefined)[],
  offset = 0,
): Rows {
  const out = rows as unknown as Row[];
  for (let column = 0; column < columns.length; column++) {
    const decode = columns[column];
    if (decode === undefined) continue;
    const at = column + offset;
    for (let i = 0; i < out.length; i++) {
      const row = out[i] as Row;
      const text = row[at] as string | null;
      if (text !== null) row[at] = decode(text);
    }
  }
  return out;
}
