/**
 * Neutral values as InfluxDB keeps them, and back. Tags are texts; fields are floats, 64-bit integers, booleans and
 * strings. What has no form of its own there is kept as text (decimals, dates, UUIDs) or as an integer (timestamps, in
 * their own precision), so that nothing is lost. What cannot be kept is refused before anything is sent.
 */
import type { Field, Value } from '@storeweave/core';

/** Tells why a value cannot be kept: the end of a sentence that begins with the value. */
export class Unkeepable extends Error {}

/** A value of a field's type as text, and back. */
export interface TextForm {
  to(value: Value): string;
  from(text: string): Value;
}

/** How a field of a point is kept. */
export interface FieldForm {
  /** `string` values are quoted in line protocol and ambiguous with absence in answers. */
  readonly kind: 'float' | 'integer' | 'boolean' | 'string';
  /** As line protocol has it, quotes and suffix included. */
  toLine(value: Value): string;
  /** From a cell of an answer that is there. */
  from(text: string): Value;
}

const INT64_MAX = 2n ** 63n - 1n;
const LONE_SURROGATE = /[\ud800-\udfff]/u;
/** The server's limit on one string, in bytes. */
const MAX_STRING = 1_048_576;
/** Begins a text that is kept in an encoded form. */
const MARK = '%~';
/** Line protocol cannot hold these in tags: nothing, control characters, and backslashes before what is escaped by one or at the end: the server takes them for escapes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNHOLDABLE = /^%~|[\u0000-\u001f\u007f]|\\(?:[, ="\\]|$)/;
/** The server's answers lose carriage returns in strings, and its `limit` breaks on empty ones. */
const UNANSWERABLE = /^$|^%~|\r/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ENCODED = /[%\\\u0000-\u001f\u007f]/g;

const plain: TextForm = { to: (value) => value as string, from: (text) => text };
const integers: TextForm = { to: String, from: Number };
const bigints: TextForm = { to: String, from: (text) => BigInt(text) };
const booleans: TextForm = { to: String, from: (text) => text === 'true' };

/** Text of a tag's value, as the server is to see it; line protocol's own escaping comes after. */
export function tagForm(field: Field): TextForm {
  const inner = tagText(field);
  return { to: (value) => guarded(inner.to(value)), from: (text) => inner.from(unguarded(text)) };
}

function tagText(field: Field): TextForm {
  switch (field.type) {
    case 'integer':
      return integers;
    case 'bigint':
      return bigints;
    case 'boolean':
      return booleans;
    case 'enum':
      return enumText(field);
    default:
      return plain;
  }
}

function guarded(text: string): string {
  if (LONE_SURROGATE.test(text)) throw new Unkeepable('has half of a surrogate pair, which is no Unicode text');
  if (text !== '' && !UNHOLDABLE.test(text)) return text;
  return encoded(text, ENCODED);
}

function encoded(text: string, what: RegExp): string {
  return MARK + text.replaceAll(what, (at) => `%${at.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function unguarded(text: string): string {
  if (!text.startsWith(MARK)) return text;
  return text
    .slice(MARK.length)
    .replaceAll(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Numbers by themselves, strings by themselves; of a mixture, as JSON. */
function enumText(field: Field): TextForm {
  const values = field.enumValues ?? [];
  const isPlain = values.every((value) => typeof value === 'string');
  const to = (value: Value) => (isPlain ? String(value) : JSON.stringify(value));
  const known = new Map(values.map((value) => [to(value), value]));
  return { to, from: (text) => known.get(text) ?? text };
}

/** How a measured value is kept. */
export function fieldForm(field: Field): FieldForm {
  switch (field.type) {
    case 'float':
      return { kind: 'float', toLine: float, from: Number };
    case 'integer':
      return { kind: 'integer', toLine: (value) => `${value}i`, from: Number };
    case 'bigint':
      return { kind: 'integer', toLine: (value) => `${value}i`, from: (text) => BigInt(text) };
    case 'timestamp':
      return { kind: 'integer', toLine: int64, from: field.timePrecision === 'ms' ? Number : (text) => BigInt(text) };
    case 'boolean':
      return { kind: 'boolean', toLine: String, from: (text) => text === 'true' };
    case 'enum': {
      const { to, from } = enumText(field);
      return { kind: 'string', toLine: (value) => quoted(to(value)), from: (text) => from(unguarded(text)) };
    }
    default:
      return { kind: 'string', toLine: (value) => quoted(value as string), from: unguarded };
  }
}

function float(value: Value): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  throw new Unkeepable('is no finite number, and InfluxDB keeps no other');
}

function int64(value: Value): string {
  const big = BigInt(value as bigint | number);
  if (big <= INT64_MAX && big >= -INT64_MAX - 1n) return `${big}i`;
  throw new Unkeepable('does not fit into 64 bits');
}

function quoted(text: string): string {
  if (LONE_SURROGATE.test(text)) throw new Unkeepable('has half of a surrogate pair, which is no Unicode text');
  const kept = UNANSWERABLE.test(text) ? encoded(text, /[%\r]/g) : text;
  if (kept.length > MAX_STRING / 3 && Buffer.byteLength(kept) > MAX_STRING) {
    throw new Unkeepable(`is longer than the ${MAX_STRING} bytes that InfluxDB takes`);
  }
  return `"${kept.replaceAll(/["\\]/g, '\\$&')}"`;
}
