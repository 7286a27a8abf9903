/**
 * Neutral values as text for databases that have fewer types than PostgreSQL. Instants are UTC without a zone, lists are
 * JSON, and a decimal has one spelling, so that equal numbers are equal texts. What a column could not keep exactly is
 * refused here, because such databases would round, cut or clamp it without a word.
 */
import { type EntityModel, type Field, InvalidValueError, type Value } from '@storeweave/core';
import type { ValueEncoder } from '../dialect.js';
import { isStorable, jsonText } from '../encode.js';
import { textFormOf } from '../text-form.js';
import { microsToTimestamp, msToTimestamp } from '../timestamp-text.js';

type Encode = (value: Value) => string;
type Fail = ValueEncoder['fail'];

/** Digits that a decimal column without precision has before and after its point. Default: any. */
export interface DecimalRoom {
  readonly whole: number;
  readonly fraction: number;
}

/** What a database or its driver cannot keep beside what none of them can. */
export interface Limits {
  readonly decimals?: DecimalRoom;
  /** True where the driver takes a byte order mark off the beginning of what it reads. */
  readonly losesMark?: boolean;
}

const MARK = 'it begins with a byte order mark, which the driver takes off when it reads';
const UNSTORABLE = 'it has a NUL character or half of a surrogate pair; remove it, or use the type bytes';
const day = /^\d{4}-\d\d-\d\d$/;

/** Encoders of a database; made once for each field. */
export function portableEncoders(limits: Limits = {}): (entity: EntityModel, field: Field) => ValueEncoder {
  const known = new WeakMap<Field, ValueEncoder>();
  return (entity, field) => {
    let encoder = known.get(field);
    if (encoder === undefined) {
      encoder = makeEncoder(entity, field, limits);
      known.set(field, encoder);
    }
    return encoder;
  };
}

function makeEncoder(entity: EntityModel, field: Field, limits: Limits): ValueEncoder {
  const fail: Fail = (problem, cause) =>
    new InvalidValueError(`The value for ${entity.name}.${field.name} (${field.type}) cannot be stored: ${problem}.`, {
      entity: entity.name,
      property: field.name,
      cause,
    });
  const element = textFormOf(field)?.encode ?? scalar(field, fail, limits.decimals);
  const encode = field.array ? list(field, element, fail) : element;
  return {
    value: (value) => {
      const text = encode(value);
      if (!isStorable(text)) throw fail(UNSTORABLE);
      if (limits.losesMark === true && text.startsWith('\ufeff')) throw fail(MARK);
      return text;
    },
    fail,
  };
}

function scalar(field: Field, fail: Fail, room: DecimalRoom | undefined): Encode {
  switch (field.type) {
    case 'float':
      return (value) => {
        if (!Number.isFinite(value)) throw fail(`the database has no ${String(value)}`);
        return Object.is(value, -0) ? '-0.0' : String(value);
      };
    case 'boolean':
      return (value) => (value === true ? '1' : '0');
    case 'decimal':
      return (value) => decimalText(String(value), field, fail, room);
    case 'date':
      return (value) => {
        const text = String(value);
        if (!day.test(text) || text.startsWith('0000')) throw fail('its year is not within 1 and 9999');
        return text;
      };
    case 'timestamp': {
      if (field.timePrecision === 'ns') return String;
      const write = field.timePrecision === 'us' ? microsToTimestamp : msToTimestamp;
      return (value) => instantText(value, write as (value: Value) => string, fail);
    }
    case 'json':
      return (value) => {
        let text: string | undefined;
        try {
          text = jsonText(value);
        } catch (cause) {
          throw fail('it has no JSON form', cause);
        }
        if (text === undefined) throw fail('it has no JSON form');
        return text;
      };
    case 'bytes':
      return (value) => {
        const bytes = value as Uint8Array;
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
      };
    default:
      return String;
  }
}

/** `2001-02-03 04:05:06.789`. */
function instantText(value: Value, write: (value: Value) => string, fail: Fail): string {
  let text = '';
  try {
    text = write(value);
  } catch {
    // Outside the years that Date has.
  }
  if (!/^\d{4}-.*Z$/.test(text)) throw fail('its year is not within 1 and 9999');
  return text.slice(0, -1).replace('T', ' ');
}

/** No plus, no needless zeros; with a scale exactly its digits. */
export function canonicalDecimal(text: string, scale?: number): string {
  const negative = text.startsWith('-');
  const [whole = '', given = ''] = text.replace(/^[+-]/, '').split('.');
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  const bare = given.replace(/0+$/, '');
  const fraction = scale === undefined ? bare : bare.padEnd(scale, '0');
  const unsigned = fraction === '' ? digits : `${digits}.${fraction}`;
  return negative && /[1-9]/.test(unsigned) ? `-${unsigned}` : unsigned;
}

function decimalText(given: string, { precision, scale }: Field, fail: Fail, room: DecimalRoom | undefined): string {
  const text = canonicalDecimal(given, precision === undefined ? undefined : (scale ?? 0));
  if (room === undefined || precision !== undefined) return text;
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  if (whole.length > room.whole || fraction.length > room.fraction) {
    throw fail(
      `the column has ${room.whole} digits before the point and ${room.fraction} after it; say precision and scale`,
    );
  }
  return text;
}

/** Types whose elements are numbers and booleans of JSON; the others are strings, in which no digit is lost. */
const bareTypes: ReadonlySet<Field['type']> = new Set(['integer', 'float', 'json']);

function list(field: Field, element: Encode, fail: Fail): Encode {
  const quoted: Encode = bareTypes.has(field.type)
    ? element
    : field.type === 'boolean'
      ? (value) => (value === true ? 'true' : 'false')
      : (value) => JSON.stringify(element(value));
  return (value) => {
    if (!Array.isArray(value)) throw fail('it is not an array');
    return `[${value.map((each: Value) => (each === null || each === undefined ? 'null' : quoted(each))).join(',')}]`;
  };
}
