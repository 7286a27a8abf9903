/**
 * What SQLite has no functions for, in JavaScript: exact decimals, and JSON compared by value. They are given to the
 * connection when it is opened, so statements that use them run on connections of Storeweave only; the tables
 * themselves hold plain values that every program can read.
 */
import { canonicalDecimal } from '../portable/encode.js';
import { compareJson, containsJson, type Json, jsonAt } from '../portable/json-values.js';

type Scalar = string | number | null;

/** Sums and extremes: what a group has so far, folded with the next value that is not null. */
export interface Aggregate {
  readonly name: string;
  readonly fold: (soFar: string | null, next: string) => string;
}

export const functions: Readonly<Record<string, (...args: never[]) => Scalar>> = {
  sw_decimal_key: (text: Scalar) => (text === null ? null : decimalKey(String(text))),
  sw_add: (a: Scalar, b: Scalar, bits: Scalar) => inRange(BigInt(a ?? 0) + BigInt(b ?? 0), Number(bits)),
  sw_decimal_add: (a: Scalar, b: Scalar, scale: Scalar) =>
    canonicalDecimal(addDecimals(String(a ?? 0), String(b)), scale === null ? undefined : Number(scale)),
  sw_lower: (text: Scalar) => (text === null ? null : String(text).toLowerCase()),
  sw_json: (text: Scalar) => (text === null ? null : canonical(parse(text))),
  sw_json_at: (text: Scalar, path: Scalar) => {
    const value = text === null ? undefined : jsonAt(parse(text), JSON.parse(String(path)) as string[]);
    return value === undefined || value === null ? null : canonical(value);
  },
  sw_json_contains: (text: Scalar, part: Scalar) =>
    text === null || part === null ? null : Number(containsJson(parse(text), parse(part))),
  sw_json_compare: (a: Scalar, b: Scalar) => {
    if (a === null || b === null) return null;
    return compareJson(parse(a), parse(b)) ?? null;
  },
  sw_json_string: (text: Scalar) => {
    const value = text === null ? null : parse(text);
    return typeof value === 'string' ? value : null;
  },
  sw_json_number: (text: Scalar) => {
    const value = text === null ? null : parse(text);
    return typeof value === 'number' ? value : null;
  },
  sw_json_key: (text: Scalar) => (text === null ? null : jsonKey(parse(text))),
  sw_has_elements: (text: Scalar, wanted: Scalar) => {
    if (text === null || wanted === null) return null;
    const present = new Set((parse(text) as Json[]).map(canonical));
    return Number((parse(wanted) as Json[]).every((each) => present.has(canonical(each))));
  },
};

const least =
  (sign: number, compare: (a: string, b: string) => number): Aggregate['fold'] =>
  (soFar, next) =>
    soFar === null || sign * compare(next, soFar) < 0 ? next : soFar;
const byDecimal = (a: string, b: string) => (decimalKey(a) < decimalKey(b) ? -1 : 1);
const byJson = (a: string, b: string) => (jsonKey(parse(a)) < jsonKey(parse(b)) ? -1 : 1);

export const aggregateFunctions: readonly Aggregate[] = [
  { name: 'sw_sum', fold: (soFar, next) => canonicalDecimal(soFar === null ? next : addDecimals(soFar, next)) },
  { name: 'sw_min_decimal', fold: least(1, byDecimal) },
  { name: 'sw_max_decimal', fold: least(-1, byDecimal) },
  { name: 'sw_min_json', fold: least(1, byJson) },
  { name: 'sw_max_json', fold: least(-1, byJson) },
];

function parse(text: Scalar): Json {
  return JSON.parse(String(text)) as Json;
}

/** JSON text with keys in order, so that equal values are equal texts. */
function canonical(value: Json): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Text whose order is that of the numbers: sign, number of whole digits, digits; negative numbers mirrored. */
function decimalKey(text: string): string {
  const plain = canonicalDecimal(text);
  const negative = plain.startsWith('-');
  const [whole = '', fraction = ''] = plain.replace('-', '').split('.');
  const digits = `${String(whole === '0' ? 0 : whole.length).padStart(7, '0')}${whole === '0' ? '' : whole}.${fraction}`;
  if (!negative) return plain === '0' ? '1' : `2${digits}`;
  // A longer fraction is less: what ends first must sort last.
  return `0${digits.replace(/\d/g, (digit) => String(9 - Number(digit)))}~`;
}

/** Numbers as text in their order: the bits of the double. */
function numberKey(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const ordered = value < 0 ? ~bits & 0xffff_ffff_ffff_ffffn : bits | 0x8000_0000_0000_0000n;
  return ordered.toString(16).padStart(16, '0');
}

const ranks: Readonly<Record<string, string>> = { string: '1', number: '2', boolean: '3' };

/** In PostgreSQL's order: null, strings, numbers, booleans, arrays, objects. */
function jsonKey(value: Json): string {
  if (value === null) return '0';
  if (typeof value === 'string') return `1${value}`;
  if (typeof value === 'number') return `2${numberKey(value === 0 ? 0 : value)}`;
  if (typeof value === 'boolean') return `3${value ? 1 : 0}`;
  return `${ranks[typeof value] ?? (Array.isArray(value) ? '4' : '5')}${canonical(value)}`;
}

function addDecimals(a: string, b: string): string {
  const scale = Math.max(fractionOf(a).length, fractionOf(b).length);
  const total = scaled(a, scale) + scaled(b, scale);
  const digits = String(total < 0n ? -total : total).padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return total < 0n ? `-${text}` : text;
}

function fractionOf(text: string): string {
  return text.split('.')[1] ?? '';
}

function scaled(text: string, scale: number): bigint {
  const [whole = '0'] = text.split('.');
  return BigInt(whole + fractionOf(text).padEnd(scale, '0'));
}

function inRange(value: bigint, bits: number): string {
  if (BigInt.asIntN(bits, value) === value) return String(value);
  throw new RangeError(`storeweave: out of range: ${value} does not fit into ${bits} bits`);
}
