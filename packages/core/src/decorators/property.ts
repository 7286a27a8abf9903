/** `@Property` and `@Id`: the stored values of an entity, with their types checked against the class's own. */
import type { FieldType, TimePrecision } from '../model/field.js';
import { declareField } from './declare-field.js';
import type { DefaultedProperty, NameOf, NullableProperty, PlainProperty, Refused, UntypedProperty } from './shape.js';

/** Type of the class's value for each type of property. */
export interface TypeMap {
  string: string;
  text: string;
  integer: number;
  bigint: bigint;
  float: number;
  decimal: string;
  boolean: boolean;
  date: string;
  timestamp: Date;
  uuid: string;
  json: unknown;
  bytes: Uint8Array;
  enum: string | number;
}

/** Options of `@Property`. */
export interface PropertyOptions {
  /** The property may be null; default: false. */
  readonly nullable?: boolean;
  /** Value at creation where the application gives none, or a function that makes it. The store has the value, too. */
  readonly default?: unknown;
  /** No two entities have the same value; default: false. */
  readonly unique?: boolean;
  /** Kept in an index; default: false. For several properties or a condition use `@Index` on the class. */
  readonly index?: boolean;
  /** An array of the type; default: false. */
  readonly array?: boolean;
  /** Greatest number of characters of a 'string'. */
  readonly length?: number;
  /** Digits in all of a 'decimal'; of a 'timestamp' 'ms' (a Date, the default), 'us' or 'ns' (a bigint since 1970). */
  readonly precision?: number | TimePrecision;
  /** Digits after the point of a 'decimal'. */
  readonly scale?: number;
  /** Name in the store; the property's in snake case by default. */
  readonly column?: string;
  /** Values of an 'enum'. */
  readonly values?: readonly (string | number)[];
  /** Conversion between the class's value and one of the declared type. State the types of both parameters. */
  readonly convert?: Converter;
}

/**
 * Converts between the class's value and a value of the declared type; never called with null or undefined. The type of
 * the property is what `fromStore` gives: `{ toStore: (url: URL) => url.href, fromStore: (text: string) => new URL(text) }`.
 */
export interface Converter {
  readonly toStore: (value: never) => unknown;
  readonly fromStore: (value: never) => unknown;
}

/** Type of the class's value. */
export type ValueOf<T extends FieldType, O> = O extends {
  readonly convert: { readonly fromStore: (value: never) => infer V };
}
  ? V
  : O extends { readonly array: true }
    ? readonly One<T, O>[] | One<T, O>[]
    : One<T, O>;

/** Type of one value, without regard to arrays and converters. */
export type One<T extends FieldType, O> = O extends { readonly values: readonly (infer V)[] }
  ? V
  : O extends { readonly precision: 'us' | 'ns' }
    ? bigint
    : TypeMap[T];

/** A property with a default, which must be of the property's type, or a function that makes one. */
export type Defaulted<D, V, Said extends string> = D extends V | (() => V)
  ? DefaultedProperty<V, Said>
  : Refused<`${Said}: the default must be of type ${NameOf<V>}, or a function that gives one`>;

/** What `@Property(type, options)` asks of the property it stands on. */
export type PropertyCheck<T extends FieldType, O> = O extends { readonly nullable: true }
  ? NullableProperty<ValueOf<T, O>, `@Property('${T}')`>
  : O extends { readonly default: infer D }
    ? Defaulted<D, ValueOf<T, O>, `@Property('${T}')`>
    : PlainProperty<ValueOf<T, O>, `@Property('${T}')`>;

/**
 * A stored property.
 *
 * ```ts
 * @Property('string', { unique: true, length: 200 }) email!: string;
 * @Property('enum', { values: ['user', 'admin'], default: 'user' }) role!: 'user' | 'admin';
 * ```
 *
 * The type may be left out only in legacy mode with `emitDecoratorMetadata`.
 */
export function Property<const T extends FieldType = never, const O extends PropertyOptions = object>(
  type?: T,
  options?: O,
): [T] extends [never] ? UntypedProperty : PropertyCheck<T, O> {
  return declareField('Property', type, options) as never;
}

/** Options of `@Id`. */
export interface IdOptions
  extends Pick<PropertyOptions, 'length' | 'column' | 'precision' | 'scale' | 'values' | 'convert'> {
  /**
   * Who makes the value: `'uuid'` the application, a UUIDv7 at creation (default for type 'uuid'); `'sequence'` the
   * store at insert; `false` nobody, the application gives it (default for all other types).
   */
  readonly generated?: 'uuid' | 'sequence' | false;
}

/** What `@Id` asks of the property: a generated one is optional at creation. */
export type IdCheck<T extends FieldType, O> =
  IsGenerated<T, O> extends true
    ? DefaultedProperty<ValueOf<T, O>, `@Id('${T}')`>
    : PlainProperty<ValueOf<T, O>, `@Id('${T}')`>;

type IsGenerated<T, O> = O extends { readonly generated: infer G }
  ? G extends string
    ? true
    : false
  : T extends 'uuid'
    ? true
    : false;

/**
 * The identity of an entity, or one part of it where several properties have `@Id`.
 *
 * ```ts
 * @Id() id!: string;                                           // UUIDv7, made by the application
 * @Id('integer', { generated: 'sequence' }) id!: number;       // made by the store
 * @Id('string', { length: 3 }) iata!: string;                  // natural
 * ```
 */
export function Id<const T extends FieldType = 'uuid', const O extends IdOptions = object>(
  type?: T,
  options?: O,
): IdCheck<T, O> {
  const { generated, ...rest }: IdOptions = options ?? {};
  return declareField('Id', type ?? 'uuid', rest, { id: { generated: generated ?? 'auto' } }) as never;
}
