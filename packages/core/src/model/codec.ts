/**
 * Makes the codec of a field: the one place that knows how a class's value and a row's neutral value differ. A codec
 * is made per field and not per type, so that its errors can name the property whose value does not fit.
 */
import { InvalidValueError } from '../errors/errors.js';
import { cloneJson, jsonEquals } from './codec-json.js';
import { scalarCodec } from './codec-scalar.js';
import type { Codec, FieldType, TimePrecision, Value } from './field.js';

/** All that the form of a value depends on. */
export interface CodecSpec {
  /** Class and dotted property, for messages. */
  readonly entity: string;
  readonly property: string;
  readonly type: FieldType;
  readonly array: boolean;
  readonly timePrecision: TimePrecision;
  readonly enumValues?: readonly (string | number)[];
  readonly length?: number;
  readonly precision?: number;
  readonly scale?: number;
  /** The application's own conversion, around that of the type: `toStore` gives what the type expects. */
  readonly convert?: ValueConverter;
}

/** Converts between the value of the class and a value of the declared type. Never called with null or undefined. */
export interface ValueConverter {
  readonly toStore: (value: never) => unknown;
  readonly fromStore: (value: never) => unknown;
}

/** Thrown inside codecs, with the subject of the field. */
export type Misfit = (value: unknown, expected: string) => InvalidValueError;

/** The codec of a field. */
export function makeCodec(spec: CodecSpec): Codec {
  const misfit: Misfit = (value, expected) =>
    new InvalidValueError(
      `${spec.entity}.${spec.property} is ${spec.type}${spec.array ? '[]' : ''} and takes ${expected}, but was given ${describeValue(value)}.`,
      { entity: spec.entity, property: spec.property },
    );
  const element = spec.type === 'json' ? jsonCodec(misfit) : scalarCodec(spec, misfit);
  const codec = spec.array ? arrayCodec(element, misfit) : element;
  return Object.freeze(spec.convert === undefined ? codec : convertingCodec(codec, spec.convert));
}

/** A value for an error message: short, and never a secret longer than a glance. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? 'an invalid Date' : `the Date ${value.toISOString()}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return `an object of class ${value.constructor?.name ?? 'none'}`;
  return `a ${typeof value}`;
}

function jsonCodec(misfit: Misfit): Codec {
  return {
    identity: false,
    toRow: (value) => cloneJson(value, misfit),
    fromRow: (value) => cloneJson(value, misfit),
    equals: jsonEquals,
  };
}

function arrayCodec(element: Codec, misfit: Misfit): Codec {
  return {
    identity: false,
    toRow(value) {
      if (!Array.isArray(value)) throw misfit(value, 'an array');
      return value.map((item: unknown) => {
        if (item === null || item === undefined) throw misfit(item, 'an array without null or undefined in it');
        return element.toRow(item);
      });
    },
    fromRow: (value) => (value as Value[]).map((item) => (element.identity ? item : element.fromRow(item))),
    equals(a, b) {
      const left = a as Value[];
      const right = b as Value[];
      return left.length === right.length && left.every((item, at) => element.equals(item, right[at]));
    },
  };
}

function convertingCodec(inner: Codec, convert: ValueConverter): Codec {
  const toStore = convert.toStore as (value: unknown) => unknown;
  const fromStore = convert.fromStore as (value: unknown) => unknown;
  return {
    identity: false,
    toRow: (value) => inner.toRow(toStore(value)),
    fromRow: (value) => fromStore(inner.fromRow(value)),
    equals: inner.equals,
  };
}
