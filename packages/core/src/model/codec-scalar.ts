/**
 * Codecs of the single-valued types. `toRow` checks as well as converts: a value that a store would refuse, or worse
 * bend to fit, is refused here with the name of its property.
 */
import type { InvalidValueError } from '../errors/errors.js';
import type { Codec, FieldType, TimePrecision, Value } from './field.js';

type Misfit = (value: unknown, expected: string) => InvalidValueError;

interface ScalarSpec {
  readonly type: FieldType;
  readonly timePrecision: TimePrecision;
  readonly enumValues?: readonly (string | number)[];
  readonly length?: number;
  readonly precision?: number;
  readonly scale?: number;
}

const INT32_MAX = 2 ** 31 - 1;
const INT64_MAX = 2n ** 63n - 1n;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DECIMAL = /^[+-]?\d+(\.\d+)?$/;
const DATE = /^\d{4,6}-\d{2}-\d{2}$/;

/** The codec of one value of any type but json. */
export function scalarCodec(spec: ScalarSpec, misfit: Misfit): Codec {
  switch (spec.type) {
    case 'string':
    case 'text':
      return checked((value) => {
        if (typeof value !== 'string') throw misfit(value, 'a string');
        // A store counts characters, not UTF-16 units; units bound characters, so most strings need no count.
        if (spec.length !== undefined && value.length > spec.length && [...value].length > spec.length) {
          throw misfit(value, `at most ${spec.length} characters`);
        }
        return value;
      });
    case 'uuid':
      return checked((value) => {
        if (typeof value !== 'string' || !UUID.test(value)) throw misfit(value, 'a UUID like 018f3c5e-…');
        return value.toLowerCase();
      });
    case 'integer':
      return checked((value) => {
        if (typeof value !== 'number' || !Number.isInteger(value) || value > INT32_MAX || value < -INT32_MAX - 1) {
          throw misfit(value, 'a whole number of 32 bits; use bigint or float beyond that');
        }
        return value;
      });
    case 'float':
      return checked((value) => {
        if (typeof value !== 'number') throw misfit(value, 'a number');
        return value;
      });
    case 'bigint':
      return checked((value) => {
        const big = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
        if (typeof big !== 'bigint' || big > INT64_MAX || big < -INT64_MAX - 1n) {
          throw misfit(value, 'a bigint of 64 bits');
        }
        return big;
      });
    case 'boolean':
      return checked((value) => {
        if (typeof value !== 'boolean') throw misfit(value, 'true or false');
        return value;
      });
    case 'decimal':
      return decimalCodec(spec, misfit);
    case 'date':
      return checked((value) => {
        if (typeof value !== 'string' || !isCalendarDate(value)) throw misfit(value, "a calendar date 'YYYY-MM-DD'");
        return value;
      });
    case 'timestamp':
      return timestampCodec(spec.timePrecision, misfit);
    case 'enum': {
      const values = new Set<unknown>(spec.enumValues);
      return checked((value) => {
        if (!values.has(value)) throw misfit(value, `one of ${[...values].map((v) => JSON.stringify(v)).join(', ')}`);
        return value;
      });
    }
    case 'bytes':
      return {
        identity: false,
        toRow(value) {
          if (!(value instanceof Uint8Array)) throw misfit(value, 'a Uint8Array');
          return Uint8Array.from(value);
        },
        fromRow: (value) => Uint8Array.from(value as Uint8Array),
        equals(a, b) {
          const left = a as Uint8Array;
          const right = b as Uint8Array;
          return left.length === right.length && left.every((byte, at) => byte === right[at]);
        },
      };
    case 'json':
      throw new TypeError('json is not a scalar');
  }
}

/** A type whose value in the class and in the row are the same. */
function checked(toRow: (value: unknown) => Value, equals: Codec['equals'] = Object.is): Codec {
  return { identity: true, toRow, fromRow: (value) => value, equals };
}

function decimalCodec(spec: ScalarSpec, misfit: Misfit): Codec {
  return checked(
    (value) => {
      if (typeof value !== 'string' || !DECIMAL.test(value)) throw misfit(value, "a decimal as a string, like '12.50'");
      if (fitsAsWritten(value, spec)) return value;
      const [whole = '', fraction = ''] = canonicalDecimal(value).replace('-', '').split('.');
      if (spec.scale !== undefined && fraction.length > spec.scale) {
        throw misfit(value, `at most ${spec.scale} digits after the point`);
      }
      const room = spec.precision === undefined ? undefined : spec.precision - (spec.scale ?? 0);
      if (room !== undefined && whole !== '0' && whole.length > room) {
        throw misfit(value, `at most ${room} digits before the point`);
      }
      return value.startsWith('+') ? value.slice(1) : value;
    },
    (a, b) => a === b || canonicalDecimal(a as string) === canonicalDecimal(b as string),
  );
}

/** Whether no digit is too many even if zeros at both ends counted, which spares most values the canonical spelling. */
function fitsAsWritten(value: string, { precision, scale }: ScalarSpec): boolean {
  if (value.startsWith('+')) return false;
  const point = value.indexOf('.');
  const whole = point === -1 ? value.length : point;
  const fraction = point === -1 ? 0 : value.length - point - 1;
  return (scale === undefined || fraction <= scale) && (precision === undefined || whole <= precision - (scale ?? 0));
}

/** The one spelling of a decimal: no plus, no leading or trailing zeros, no negative zero. */
function canonicalDecimal(value: string): string {
  const negative = value.startsWith('-');
  const [whole = '', fraction = ''] = value.replace(/^[+-]/, '').split('.');
  const digits = whole.replace(/^0+(?=\d)/, '');
  const rest = fraction.replace(/0+$/, '');
  const text = rest === '' ? digits : `${digits}.${rest}`;
  return negative && text !== '0' ? `-${text}` : text;
}

function isCalendarDate(value: string): boolean {
  if (!DATE.test(value)) return false;
  const [year = 0, month = 0, day = 0] = value.split('-').map(Number);
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function timestampCodec(precision: TimePrecision, misfit: Misfit): Codec {
  if (precision !== 'ms') {
    return checked((value) => {
      if (typeof value !== 'bigint')
        throw misfit(value, `a bigint of ${precision} since 1970 (precision '${precision}')`);
      return value;
    });
  }
  return {
    identity: false,
    toRow(value) {
      const time = value instanceof Date ? value.getTime() : Number.NaN;
      if (Number.isNaN(time)) throw misfit(value, 'a valid Date');
      return time;
    },
    fromRow: (value) => new Date(value as number),
    equals: Object.is,
  };
}
