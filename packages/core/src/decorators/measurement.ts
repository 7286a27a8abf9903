/** Properties of a measurement. A point is known by its time and its tags together. */
import type { FieldType, Field as StoredField, TimePrecision } from '../model/field.js';
import { declareField } from './declare-field.js';
import type { Defaulted, PropertyOptions, ValueOf } from './property.js';
import type { NullableProperty, PlainProperty } from './shape.js';

/** Types that name a series. */
export type TagType = 'string' | 'text' | 'uuid' | 'integer' | 'bigint' | 'boolean' | 'enum' | 'date';

/** Options of `@Tag`. */
export type TagOptions = Pick<PropertyOptions, 'length' | 'column' | 'values' | 'convert' | 'default'>;

/** Options of `@Field`. */
export type MeasureOptions = Omit<PropertyOptions, 'unique' | 'index'>;

/** Options of `@Timestamp`. */
export interface TimestampOptions {
  /** 'ms' (a Date, the default), or 'us' or 'ns' (a bigint since 1970). */
  readonly precision?: TimePrecision;
  /** Name in the store. */
  readonly column?: string;
}

type Check<T extends FieldType, O, Said extends string> = O extends { readonly nullable: true }
  ? NullableProperty<ValueOf<T, O>, Said>
  : O extends { readonly default: infer D }
    ? Defaulted<D, ValueOf<T, O>, Said>
    : PlainProperty<ValueOf<T, O>, Said>;

/** Names the series that a point belongs to; part of the identity, indexed, never null. Default type: 'string'. */
export function Tag<const T extends TagType = 'string', const O extends TagOptions = object>(
  type?: T,
  options?: O,
): Check<T, O, `@Tag('${T}')`> {
  return declareField('Tag', type ?? 'string', options, { role: 'tag' }) as never;
}

/** A stored leaf of an entity, as the model describes it. The name is shared with the decorator. */
export type Field = StoredField;

/** A measured value. Default type: 'float'. */
export function Field<const T extends FieldType = 'float', const O extends MeasureOptions = object>(
  type?: T,
  options?: O,
): Check<T, O, `@Field('${T}')`> {
  return declareField('Field', type ?? 'float', options, { role: 'measure' }) as never;
}

/** Time of the point. */
export function Timestamp<const O extends TimestampOptions = object>(
  options?: O,
): PlainProperty<ValueOf<'timestamp', O>, '@Timestamp()'> {
  return declareField('Timestamp', 'timestamp', options, { role: 'timestamp' }) as never;
}
