/**
 * SQL types of columns that TypeORM's decorators describe: what they are in Storeweave's words, how values of the class
 * differ from those, and the forms in which statements and the catalogue name them. A property holds what TypeORM gives
 * it: a `bigint` column a string, `bytea` a Buffer, `simple-array` an array.
 */
import type { AdoptedField, Field } from '@storeweave/core';
import { quoteTable } from '@storeweave/sql';
import type { ColumnMetadata } from './adoption.js';

type Convert = NonNullable<AdoptedField['convert']>;

export interface ColumnKind {
  readonly type: Field['type'];
  readonly convert?: Convert;
}

/** Text types that PostgreSQL takes and gives as strings. */
const texts = new Set(
  'citext,xml,inet,cidr,macaddr,macaddr8,bit,bit varying,time without time zone,time with time zone,time,money,ltree,lquery,tsvector,tsquery,int4range,int8range,numrange,tsrange,tstzrange,daterange'.split(
    ',',
  ),
);

const asString: Convert = { toStore: (value: string | number | bigint) => BigInt(value), fromStore: String };
const asNumber: Convert = { toStore: (value: string | number | bigint) => BigInt(value), fromStore: Number };
const decimal: Convert = { toStore: (value: string | number) => String(value), fromStore: (value: string) => value };
const buffer: Convert = { toStore: (value: Uint8Array) => value, fromStore: (value: Uint8Array) => Buffer.from(value) };
const instant: Convert = {
  toStore: (value: Date | string) => (typeof value === 'string' ? new Date(value) : value),
  fromStore: (value: Date) => value,
};
const day: Convert = {
  toStore: (value: Date | string) => (value instanceof Date ? localDay(value) : value.slice(0, 10)),
  fromStore: (value: string) => value,
};
const list: Convert = {
  toStore: (value: readonly unknown[] | string) => (Array.isArray(value) ? value.map(String).join(',') : value),
  fromStore: (value: string) => (value === '' ? [] : value.split(',')),
};
const json: Convert = { toStore: JSON.stringify, fromStore: JSON.parse };

const kinds: Readonly<Record<string, ColumnKind>> = {
  smallint: { type: 'integer' },
  integer: { type: 'integer' },
  numeric: { type: 'decimal', convert: decimal },
  real: { type: 'float' },
  'double precision': { type: 'float' },
  'character varying': { type: 'string' },
  character: { type: 'string' },
  text: { type: 'text' },
  boolean: { type: 'boolean' },
  date: { type: 'date', convert: day },
  'timestamp without time zone': { type: 'timestamp', convert: instant },
  'timestamp with time zone': { type: 'timestamp', convert: instant },
  uuid: { type: 'uuid' },
  json: { type: 'json' },
  jsonb: { type: 'json' },
  bytea: { type: 'bytes', convert: buffer },
  enum: { type: 'enum' },
};

/** Undefined for a type that Storeweave does not know. */
export function kindOf(column: ColumnMetadata): ColumnKind | undefined {
  if (column.type === 'simple-array') return { type: 'text', convert: list };
  if (column.type === 'simple-json') return { type: 'text', convert: json };
  const name = typeName(column);
  if (name === 'bigint') {
    const { options } = column.entityMetadata.dataSource;
    return { type: 'bigint', convert: 'parseInt8' in options && options.parseInt8 === true ? asNumber : asString };
  }
  return kinds[name] ?? (texts.has(name) ? { type: 'text' } : undefined);
}

/** TypeORM's name of the type: `character varying`, `enum`. */
export function typeName(column: ColumnMetadata): string {
  return column.entityMetadata.dataSource.driver.normalizeType(column as never);
}

/** Type that parameters are cast to. A cast to `character` would cut the value to its first. */
export function castName(column: ColumnMetadata, schema: string | undefined): string {
  const name = typeName(column);
  const element =
    name === 'enum'
      ? quoteTable(enumTypeName(column), column.entityMetadata.schema ?? schema)
      : name === 'character'
        ? 'bpchar'
        : name === 'bit'
          ? 'varbit'
          : // Compared and ordered as `jsonb`; the server makes `json` of it.
            name === 'json'
            ? 'jsonb'
            : name;
  return column.isArray ? `${element}[]` : element;
}

/** The type as the catalogue writes it. */
export function catalogueName(column: ColumnMetadata): string {
  const name = typeName(column);
  const { length, precision, scale } = column;
  let type = name;
  const time = /^(time(?:stamp)?)( with.*)$/.exec(name);
  if (time !== null && precision !== null && precision !== undefined) type = `${time[1]}(${precision})${time[2]}`;
  else if (name === 'numeric' && precision !== null && precision !== undefined)
    type = `numeric(${precision},${scale ?? 0})`;
  else if (name === 'character') type = `character(${length === '' ? 1 : length})`;
  else if (name === 'bit') type = `bit(${length === '' ? 1 : length})`;
  else if (length !== '' && (name === 'character varying' || name === 'bit varying')) type = `${name}(${length})`;
  return column.isArray ? `${type}[]` : type;
}

export function enumTypeName(column: ColumnMetadata): string {
  return column.enumName ?? `${column.entityMetadata.tableName}_${column.databaseName.toLowerCase()}_enum`;
}

/** A conversion of every element. */
export function ofArray({ toStore, fromStore }: Convert): Convert {
  const [there, back] = [toStore as (value: unknown) => unknown, fromStore as (value: unknown) => unknown];
  return {
    toStore: (values: readonly unknown[]) => values.map((value) => there(value)),
    fromStore: (values: readonly unknown[]) => values.map((value) => back(value)),
  };
}

/** With the class's own transformers around it, in TypeORM's order: `to` the first one first, `from` the last one first. */
export function transformed(convert: Convert | undefined, { transformer }: ColumnMetadata): Convert | undefined {
  if (transformer === undefined) return convert;
  const all = Array.isArray(transformer) ? transformer : [transformer];
  const [there, back] = [convert?.toStore, convert?.fromStore] as ((value: unknown) => unknown)[];
  return {
    toStore: (value: unknown) => {
      const stored: unknown = all.reduce((each: unknown, { to }) => to(each), value);
      return there === undefined ? stored : there(stored);
    },
    fromStore: (value: unknown) =>
      all.reduceRight((each: unknown, { from }) => from(each), back === undefined ? value : back(value)),
  };
}

function localDay(date: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
