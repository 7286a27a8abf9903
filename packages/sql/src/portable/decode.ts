/** Text of an answer as neutral values, the other way of `encode.ts`. */
import { type Field, InvalidValueError, JSON_NULL, type Value } from '@storeweave/core';
import type { Decode } from '../decode.js';
import { textFormOf } from '../text-form.js';
import { timestampToMicros, timestampToMs } from '../timestamp-text.js';
import { canonicalDecimal } from './encode.js';

const known = new WeakMap<Field, Decode | null>();

/** The decoder of a field, made once; undefined where the text is the value. */
export function portableDecoder(field: Field): Decode | undefined {
  const found = known.get(field);
  if (found !== undefined) return found ?? undefined;
  const element = textFormOf(field)?.decode ?? scalar(field);
  const decode = field.array ? list(field, element ?? String) : element;
  known.set(field, decode ?? null);
  return decode;
}

/** Instants have no zone in the database: they are in UTC. */
const zoned = (text: string): string => `${text}+00`;

function scalar(field: Field): Decode | undefined {
  switch (field.type) {
    case 'integer':
    case 'float':
      return Number;
    case 'bigint':
      return BigInt;
    case 'boolean':
      return (text) => text === '1' || text === 'true';
    case 'decimal': {
      const scale = field.precision === undefined ? undefined : (field.scale ?? 0);
      return (text) => canonicalDecimal(text, scale);
    }
    case 'timestamp':
      if (field.timePrecision === 'ns') return BigInt;
      return field.timePrecision === 'us'
        ? (text) => timestampToMicros(zoned(text))
        : (text) => timestampToMs(zoned(text));
    case 'json':
      return (text) => (text === 'null' ? JSON_NULL : JSON.parse(text));
    case 'bytes':
      return (text) => new Uint8Array(Buffer.from(text, 'hex'));
    case 'enum': {
      if (!field.enumValues?.some((value) => typeof value === 'number')) return undefined;
      const values = new Map(field.enumValues.map((value) => [String(value), value]));
      return (text) => values.get(text) ?? text;
    }
    default:
      return undefined;
  }
}

function list({ type }: Field, element: Decode): Decode {
  return (text) => {
    const items: unknown = JSON.parse(text);
    if (!Array.isArray(items)) throw new InvalidValueError(`The database answered "${text}", which is not a list.`);
    if (type === 'json') return items.map((item: Value) => (item === null ? JSON_NULL : item));
    return items.map((item: unknown) => (item === null ? null : element(String(item))));
  };
}
