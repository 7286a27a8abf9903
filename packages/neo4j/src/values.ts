/**
 * Neutral values as the driver takes them, and back. Whole numbers are sent as bigint, because the driver makes a
 * floating point number of a JavaScript number; decimals, json and lists of bytes have forms of their own.
 */
import { type Field, InvalidValueError, JSON_NULL, type Row, type Value } from '@storeweave/core';
import { decodeDecimal, encodeDecimal } from './decimal.js';
import { jsonLeaves, jsonText, leavesOf, wellFormed } from './json-leaves.js';
import { fromDate, fromDateTime, toDate, toDateTime } from './temporal.js';

type Convert = (value: Value) => Value;

interface FieldCodec {
  readonly encode: Convert;
  readonly decode: Convert;
}

const codecs = new WeakMap<Field, FieldCodec>();

/** A value of a field as a parameter; null for an absent one. */
export function encode(field: Field, value: Value): Value {
  return value === null || value === undefined ? null : codecOf(field).encode(value);
}

/** One element of an array field, or a value of any other. */
export function encodeElement(field: Field, value: Value): Value {
  return value === null || value === undefined ? null : elementCodec(field).encode(value);
}

export function decoder(field: Field): Convert {
  const { decode } = codecOf(field);
  return (value) => (value === null || value === undefined ? null : decode(value));
}

/** Rows of an answer, converted in place. */
export function decodeRows(fields: readonly Field[], rows: Row[]): Row[] {
  const decoders = fields.map(decoder);
  for (const row of rows) for (let i = 0; i < decoders.length; i++) row[i] = decoders[i]?.(row[i]);
  return rows;
}

/** True where the leaves of a json value are kept beside it. */
export function hasLeaves(field: Field): boolean {
  return field.type === 'json' && !field.array;
}

/** Names of the properties that a field is kept in. */
export function propertiesOf(field: Field): readonly string[] {
  return hasLeaves(field) ? [field.column, leavesOf(field.column)] : [field.column];
}

/** Values of those properties. */
export function propertyValues(field: Field, value: Value): readonly Value[] {
  const encoded = encode(field, value);
  return hasLeaves(field) ? [encoded, encoded === null ? null : jsonLeaves(value)] : [encoded];
}

function codecOf(field: Field): FieldCodec {
  let codec = codecs.get(field);
  if (codec === undefined) {
    const element = elementCodec(field);
    codec = field.array
      ? {
          encode: (value) => (value as Value[]).map(element.encode),
          decode: (value) => (value as Value[]).map(element.decode),
        }
      : element;
    codecs.set(field, codec);
  }
  return codec;
}

function elementCodec(field: Field): FieldCodec {
  const same: Convert = (value) => value;
  switch (field.type) {
    case 'string':
    case 'text':
    case 'uuid':
      return { encode: (value) => wellFormed(String(value)), decode: same };
    case 'integer':
      return { encode: (value) => BigInt(value as number), decode: Number };
    case 'bigint':
      return { encode: (value) => BigInt(value as bigint), decode: (value) => BigInt(value as bigint) };
    case 'enum':
      return { encode: (value) => (Number.isInteger(value) ? BigInt(value as number) : value), decode: enumValue };
    case 'float':
      return { encode: comparable, decode: Number };
    case 'boolean':
      return { encode: same, decode: same };
    case 'decimal':
      return {
        encode: (value) => encodeDecimal(String(value)),
        decode: (value) => decodeDecimal(String(value), field.scale),
      };
    case 'date':
      return { encode: (value) => toDate(String(value)), decode: fromDate };
    case 'timestamp':
      return {
        encode: (value) => toDateTime(value, field.timePrecision),
        decode: (value) => fromDateTime(value, field.timePrecision),
      };
    case 'bytes':
      return field.array
        ? { encode: (value) => Buffer.from(value as Uint8Array).toString('base64'), decode: fromBase64 }
        : { encode: toSigned, decode: fromSigned };
    case 'json':
      return { encode: jsonText, decode: parseJson };
  }
}

/** In Cypher every comparison with NaN is false, so what is kept would not be found again. */
function comparable(value: Value): number {
  const number = Number(value);
  if (Number.isNaN(number))
    throw new InvalidValueError('NaN is equal to nothing in Neo4j. Use null where there is no number.');
  return number;
}

function enumValue(value: Value): Value {
  return typeof value === 'bigint' ? Number(value) : value;
}

/** The driver takes bytes as Int8Array. */
function toSigned(value: Value): Int8Array {
  if (!(value instanceof Uint8Array)) throw new InvalidValueError('Bytes are given as a Uint8Array.');
  return new Int8Array(value);
}

function fromSigned(value: Value): Uint8Array {
  return Uint8Array.from(new Uint8Array((value as Int8Array).slice().buffer));
}

function fromBase64(value: Value): Uint8Array {
  return Uint8Array.from(Buffer.from(String(value), 'base64'));
}

function parseJson(value: Value): Value {
  const parsed: unknown = JSON.parse(String(value));
  return parsed === null ? JSON_NULL : parsed;
}
