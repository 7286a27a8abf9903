/**
 * A field is one stored leaf of an entity: a property, a leaf of an embedded object, or a key of a reference.
 * Rows travel between core and stores as arrays of neutral values in the order of a list of fields, so that neither
 * side builds an object per row that the other throws away.
 */

/** The types of a property, as the user writes them. */
export type FieldType =
  | 'string' // varying length, `length` optional
  | 'text'
  | 'integer' // 32 bits
  | 'bigint' // 64 bits
  | 'float' // IEEE double
  | 'decimal' // exact; a string in JavaScript, so that no digit is lost
  | 'boolean'
  | 'date' // calendar date without zone; 'YYYY-MM-DD' in JavaScript
  | 'timestamp' // instant; Date (precision 'ms'), or bigint since the epoch in its precision ('us', 'ns')
  | 'uuid'
  | 'json'
  | 'bytes'
  | 'enum';

/** Precision of a timestamp. */
export type TimePrecision = 'ms' | 'us' | 'ns';

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * A neutral value, the form that rows carry between core and stores:
 * string, text, uuid, decimal, date, enum: string (enum may be number); integer, float: number; bigint: bigint;
 * boolean: boolean; timestamp: number of milliseconds since the epoch ('ms') or bigint ('us', 'ns'); bytes: Uint8Array;
 * json: the parsed value, where JSON null is `JSON_NULL` and SQL null is `null`; arrays: an array of the element's form.
 * Whoever receives a row owns it. `undefined` in a row of an update means: leave this field as it is.
 */
export type Value = unknown;

/** One row: values aligned with a list of fields. */
export type Row = Value[];

/** What a field is to its entity. */
export type FieldRole = 'property' | 'reference' | 'tag' | 'measure' | 'timestamp';

/** Converts between a class's value and the neutral value of a row. */
export interface Codec {
  /** From the class's value (never null or undefined) to the neutral one. Throws `InvalidValueError` for a misfit. */
  toRow(value: unknown): Value;
  /** From the neutral value (never null) to the class's own; a fresh object where the type is mutable. */
  fromRow(value: Value): unknown;
  /** Whether two neutral, non-null values are the same. */
  equals(a: Value, b: Value): boolean;
  /** True where `fromRow` and `toRow` may both be skipped (string, number, bigint, boolean without a converter). */
  readonly identity: boolean;
}

/** Value that a field gets when an entity is created without one. */
export type FieldDefault =
  | { readonly kind: 'value'; readonly value: Value } // neutral value; also the store's own default
  | { readonly kind: 'factory'; readonly make: () => unknown }; // made by the application at creation

/** One stored leaf of an entity. */
export interface Field {
  /** Dotted path in the class: `email`, `home.zip`, `author` (key of a reference), `author.tenant` (of a composite one). */
  readonly name: string;
  readonly path: readonly string[];
  /** Name in the store. */
  readonly column: string;
  /** Position in `EntityModel.fields`. */
  readonly index: number;
  readonly role: FieldRole;
  readonly type: FieldType;
  readonly array: boolean;
  readonly nullable: boolean;
  readonly unique: boolean;
  readonly id: boolean;
  /**
   * `uuid`: UUIDv7 by the application at creation; `sequence`: by the store at insert, an integer or bigint; `store`: by
   * an expression of the store at insert, where the application gives no value (adopted classes only).
   */
  readonly generated?: 'uuid' | 'sequence' | 'store';
  readonly default?: FieldDefault;
  readonly enumValues?: readonly (string | number)[];
  /** Maximum characters of a string. */
  readonly length?: number;
  /** Digits in all and after the point, of a decimal. */
  readonly precision?: number;
  readonly scale?: number;
  /** Of a timestamp; 'ms' unless said otherwise. */
  readonly timePrecision: TimePrecision;
  readonly codec: Codec;
}

/** Stands for JSON's own null in a row, where plain `null` is the absence of a value. */
export const JSON_NULL: unique symbol = Symbol.for('storeweave.jsonNull') as never;

/** True where the store gives a value at insert, if the application gives none. */
export function isMadeByStore(field: Field): boolean {
  return field.generated === 'sequence' || field.generated === 'store';
}
