/**
 * Neutral values as BSON and back, each type in BSON's own form where that keeps it exactly: Int64, Decimal128, Date,
 * UUID (binary subtype 4), Binary, native documents and arrays. Finer timestamps than BSON's milliseconds are Int64
 * since 1970. An absent value has no key; BSON's null is JSON's null in a json property, and absence in any other.
 */
import { type EntityModel, type Field, InvalidValueError, JSON_NULL, type Value } from '@storeweave/core';
import { Binary, Decimal128, Long, UUID } from 'mongodb';
import { decodeDecimal, encodeDecimal } from './decimal.js';
import { decodeJson, jsonProblem, textProblem } from './json-values.js';

/** Converts the values of one field. Both ways take and give a present value. */
export interface FieldValues {
  /** Throws `InvalidValueError` for what BSON cannot keep. */
  encode(value: Value): unknown;
  decode(found: unknown): Value;
}

const INT64_MAX = 2n ** 63n - 1n;
const MS_PER_DAY = 86_400_000;

const known = new WeakMap<Field, FieldValues>();

export function valuesOf(entity: EntityModel, field: Field): FieldValues {
  let values = known.get(field);
  if (values === undefined) {
    const one = scalarValues(entity, field);
    values = field.array
      ? {
          encode: (value) => (value as readonly Value[]).map(one.encode),
          decode: (found) => (Array.isArray(found) ? found.map(one.decode) : [one.decode(found)]),
        }
      : one;
    known.set(field, values);
  }
  return values;
}

/** Values of one element, where the field is an array; of the field itself otherwise. */
export function scalarValues(entity: EntityModel, field: Field): FieldValues {
  const misfit = (problem: string) =>
    new InvalidValueError(`${entity.name}.${field.name} cannot be kept in MongoDB: ${problem}.`, {
      entity: entity.name,
      property: field.name,
      store: entity.store,
    });
  const text = (value: Value): unknown => {
    const problem = textProblem(value as string);
    if (problem !== undefined) throw misfit(problem);
    return value;
  };
  switch (field.type) {
    case 'string':
    case 'text':
      return { encode: text, decode: same };
    case 'enum':
      return { encode: (value) => (typeof value === 'string' ? text(value) : value), decode: number };
    case 'boolean':
      return { encode: same, decode: same };
    case 'integer':
      return { encode: same, decode: number };
    case 'float':
      return {
        encode(value) {
          if (Number.isNaN(value))
            throw misfit('NaN has no place in its order of numbers. Leave the value out, or use null');
          return value;
        },
        decode: number,
      };
    case 'bigint':
      return { encode: int64(misfit), decode: big };
    case 'decimal':
      return { encode: (value) => encodeDecimal(value as string), decode: decodeDecimal };
    case 'date':
      return { encode: (value) => new Date(dayOf(value as string)), decode: dayText };
    case 'timestamp':
      return field.timePrecision === 'ms'
        ? { encode: (value) => new Date(value as number), decode: (found) => (found as Date).getTime() }
        : { encode: int64(misfit), decode: big };
    case 'uuid':
      return {
        encode: (value) => new UUID(value as string),
        decode: (found) => (found instanceof UUID ? uuidText(found) : String(found)),
      };
    case 'bytes':
      return { encode: (value) => new Binary(value as Uint8Array), decode: bytes };
    case 'json':
      return {
        encode(value) {
          if (value === JSON_NULL) return null;
          const problem = jsonProblem(value);
          if (problem !== undefined) throw misfit(problem);
          return value;
        },
        decode: (found) => (found === null ? JSON_NULL : decodeJson(found)),
      };
  }
}

function same(value: unknown): unknown {
  return value;
}

/** Numbers that other writers, or an addition, made wider than declared. */
function number(found: unknown): Value {
  if (typeof found === 'number' || typeof found === 'string') return found;
  return Number(found instanceof Decimal128 || found instanceof Long ? found.toString() : found);
}

function big(found: unknown): Value {
  if (typeof found === 'bigint') return found;
  if (found instanceof Date) return BigInt(found.getTime());
  return BigInt(String(found));
}

function int64(misfit: (problem: string) => InvalidValueError): (value: Value) => unknown {
  return (value) => {
    const given = value as bigint;
    if (given > INT64_MAX || given < -INT64_MAX - 1n) throw misfit(`${given} has more than 64 bits`);
    return Long.fromBigInt(given);
  };
}

/** Half the time of the driver's own `toHexString`, on a value that nearly every row has. */
function uuidText({ buffer }: UUID): string {
  const hex = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function bytes(found: unknown): Value {
  // A copy: the driver's is a view into the whole answer of the server, and would keep it in memory.
  return Uint8Array.from(found instanceof Binary ? found.value() : (found as Uint8Array));
}

function dayOf(day: string): number {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  return new Date(0).setUTCFullYear(year, month - 1, date);
}

function dayText(found: unknown): Value {
  if (!(found instanceof Date)) return String(found);
  const date = new Date(Math.floor(found.getTime() / MS_PER_DAY) * MS_PER_DAY);
  const pad = (value: number, length: number) => String(value).padStart(length, '0');
  return `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}`;
}
