/**
 * The SQL type of a field, and the form of it that a parameter is cast to. The cast has no length or precision: a cast
 * to `varchar(3)` would cut a value silently, where the assignment to the column refuses it.
 */
import type { Field } from '@storeweave/core';

const scalarTypes: Record<Field['type'], string> = {
  string: 'character varying',
  text: 'text',
  integer: 'integer',
  bigint: 'bigint',
  float: 'double precision',
  decimal: 'numeric',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp with time zone',
  uuid: 'uuid',
  json: 'jsonb',
  bytes: 'bytea',
  enum: 'text',
};

/** Type of one element: `numeric(10,2)`, `timestamp(3) with time zone`. Nanoseconds are kept as a `bigint`. */
export function elementType(field: Field): string {
  switch (field.type) {
    case 'string':
      return field.length === undefined ? 'character varying' : `character varying(${field.length})`;
    case 'decimal':
      return field.precision === undefined ? 'numeric' : `numeric(${field.precision},${field.scale ?? 0})`;
    case 'timestamp':
      if (field.timePrecision === 'ns') return 'bigint';
      return `timestamp(${field.timePrecision === 'us' ? 6 : 3}) with time zone`;
    default:
      return scalarTypes[field.type];
  }
}

/** Type of the column. */
export function columnType(field: Field): string {
  return field.array ? `${elementType(field)}[]` : elementType(field);
}

/** The type that parameters are cast to: without length and precision; quoted names are left as they are. */
export function castType(type: string): string {
  return type.startsWith('"') ? type : type.replace(/\([^)]*\)/g, '');
}
