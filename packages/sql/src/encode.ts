/**
 * Neutral values as canonical text. Text with a cast in the statement is exact for every type, which the driver's own
 * parameters are not (they shift times by the process's zone, and flatten arrays).
 */
import { type EntityModel, type Field, InvalidValueError, JSON_NULL, type Row, type Value } from '@storeweave/core';
import { arrayLiteral, isPlainJson, quoteElement } from './array-literal.js';
import { textFormOf } from './text-form.js';
import { microsToTimestamp, msToTimestamp } from './timestamp-text.js';

type Encode = (value: Value) => string;

/** Text forms of one field's values. None of them takes null. */
export interface FieldEncoder {
  /** A value of the field: of an array field the literal of its array. Checked. */
  readonly value: Encode;
  /** One element: of an array field an element, else the same as `value`. Checked. */
  readonly element: Encode;
  /** `element`, quoted for an array literal where its text needs it. Not checked. */
  readonly quotedElement: Encode;
  /** `value`, quoted for an array literal where its text needs it. Not checked. */
  readonly quotedValue: Encode;
  /** True where the value is its own text. */
  readonly isText: boolean;
  readonly fail: (problem: string, cause?: unknown) => InvalidValueError;
}

/** `\u0000` or half of a surrogate pair in JSON text, not counting escaped backslashes. */
const badJson = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** JSON text of a value: `JSON_NULL` is JSON's null. Undefined where the value has no JSON form. */
export function jsonText(value: Value): string | undefined {
  return value === JSON_NULL ? 'null' : JSON.stringify(value);
}

function scalarEncoder(field: Field, fail: FieldEncoder['fail']): Encode {
  switch (field.type) {
    case 'float':
      return (value) => (Object.is(value, -0) ? '-0' : String(value));
    case 'boolean':
      return (value) => (value === true ? 't' : 'f');
    case 'timestamp':
      if (field.timePrecision === 'ns') return String;
      return field.timePrecision === 'us'
        ? (value) => microsToTimestamp(value as bigint)
        : (value) => {
            try {
              return msToTimestamp(value as number);
            } catch (cause) {
              throw fail(`${String(value)} is not a number of milliseconds within the years that Date has`, cause);
            }
          };
    case 'json':
      return (value) => {
        let text: string | undefined;
        try {
          text = jsonText(value);
        } catch (cause) {
          throw fail('it has no JSON form', cause);
        }
        if (text === undefined) throw fail('it has no JSON form');
        if (text.includes('\\u') && badJson.test(text)) {
          throw fail('it has a NUL character or half of a surrogate pair, which jsonb cannot keep');
        }
        return text;
      };
    case 'bytes':
      return (value) => {
        const bytes = value as Uint8Array;
        return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
      };
    case 'integer':
    case 'bigint':
    case 'enum':
      return String;
    default:
      return (value) => (typeof value === 'string' ? value : String(value));
  }
}

/** Types whose text never needs quotes in an array literal. */
const bareTypes: ReadonlySet<Field['type']> = new Set(['integer', 'bigint', 'float', 'boolean', 'timestamp']);

/** Types whose neutral value is a string that is sent as it is. */
const textTypes: ReadonlySet<Field['type']> = new Set(['string', 'text', 'uuid', 'decimal', 'date']);

/** True where PostgreSQL can keep the text: no NUL, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  // Node has had it since version 20; TypeScript's `es2023` library does not know.
  return (text as string & { isWellFormed(): boolean }).isWellFormed() && !text.includes('\0');
}

const unstorable =
  'it has a NUL character or half of a surrogate pair, which PostgreSQL cannot keep; remove it, or use the type bytes';

const encoders = new WeakMap<Field, FieldEncoder>();

/** The encoder of a field, made once. */
export function encoderOf(entity: EntityModel, field: Field): FieldEncoder {
  const known = encoders.get(field);
  if (known !== undefined) return known;
  const fail = (problem: string, cause?: unknown) =>
    new InvalidValueError(`The value for ${entity.name}.${field.name} (${field.type}) cannot be stored: ${problem}.`, {
      entity: entity.name,
      property: field.name,
      cause,
    });
  const scalar = textFormOf(field)?.encode ?? scalarEncoder(field, fail);
  const quoted: Encode = bareTypes.has(field.type)
    ? scalar
    : field.type === 'json'
      ? // JSON text has no control characters and no halves of surrogate pairs, so JSON escapes it as an array needs it.
        (value) => JSON.stringify(scalar(value))
      : (value) => quoteElement(scalar(value));
  const checked =
    (encode: Encode): Encode =>
    (value) => {
      const text = encode(value);
      if (!isStorable(text)) throw fail(unstorable);
      return text;
    };
  const whole: Encode = field.array
    ? (value) => {
        if (!Array.isArray(value)) throw fail('it is not an array');
        return arrayLiteral(value, quoted);
      }
    : scalar;
  const encoder: FieldEncoder = {
    value: checked(whole),
    element: checked(scalar),
    quotedElement: quoted,
    quotedValue: field.array ? (value) => quoteElement(whole(value)) : quoted,
    isText: !field.array && textTypes.has(field.type),
    fail,
  };
  encoders.set(field, encoder);
  return encoder;
}

/** Literal of one column of a batch, `text[]` for array fields. Checked once as a whole, which is much cheaper than by value. */
export function columnLiteral(encoder: FieldEncoder, rows: readonly Row[], index: number): string {
  const out = (encoder.isText ? textLiteral(rows, index) : undefined) ?? builtLiteral(encoder.quotedValue, rows, index);
  if (!isStorable(out)) {
    for (const row of rows) {
      const value = row[index];
      if (value !== null && value !== undefined) encoder.value(value);
    }
  }
  return out;
}

function builtLiteral(encode: Encode, rows: readonly Row[], index: number): string {
  const parts = new Array<string>(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const value = (rows[i] as Row)[index];
    parts[i] = value === null || value === undefined ? 'NULL' : encode(value);
  }
  return `{${parts.join(',')}}`;
}

/** The whole column by one native call; undefined where a value has a character that JSON writes in another way. */
function textLiteral(rows: readonly Row[], index: number): string | undefined {
  const values = new Array<string | null>(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const value = (rows[i] as Row)[index] as string | null | undefined;
    if (typeof value === 'string' && !isPlainJson(value)) return undefined;
    values[i] = value ?? null;
  }
  return `{${JSON.stringify(values).slice(1, -1)}}`;
}
