/**
 * Where an entity's fields are within a table. Relational, node, relationship and measurement tables have a column per
 * field; document tables have key columns and one JSONB. Conditions, orders, reads and writes are compiled against
 * this, so that every SQL store shares one compiler.
 */
import type { EntityModel, Field, Operand, Value } from '@storeweave/core';
import type { Dialect } from './dialect.js';
import { pgDialect } from './pg-dialect.js';

export interface TableLayout {
  readonly entity: EntityModel;
  /** Quoted, with its schema. */
  readonly table: string;
  /** Expression of the field in its own SQL type, for comparisons, order and reading; `alias` is the table's in the statement. */
  expression(field: Field, alias: string): string;
  /** SQL type of the field: `integer`, `timestamptz(3)`, `text[]`. */
  type(field: Field): string;
  /** True where the field has a column of its own (false: it is inside the document column). */
  hasColumn(field: Field): boolean;
  /** Where the table has rows of other entities, too: those of this one have this value (SQL) in this column (quoted). */
  readonly part?: { readonly column: string; readonly value: string };
  /** The JSONB column that holds the fields without a column. */
  readonly documentColumn?: string;
  /** How an index over the whole document can answer that the operand equals, or contains, the value; if it can. */
  containing?(op: 'eq' | 'contains', on: Operand, value: Value): Containment | undefined;
}

/** Documents of which a row's document contains one exactly where the condition holds, or (not `exact`) holds at most. */
export interface Containment {
  /** JSON texts. */
  readonly anyOf: readonly string[];
  readonly exact: boolean;
}

/** Finds the layout of an entity of the same store. */
export type Layouts = (entity: EntityModel) => TableLayout;

/** What reads of an entity select from: its table, or its part of one. */
export function rowsOf(layout: TableLayout): string {
  const { table, part } = layout;
  return part === undefined ? table : `(select * from ${table} where ${part.column} = ${part.value})`;
}

/** Condition that a row of the table is one of the entity, to follow another; empty where all are. */
export function andOfPart({ part }: TableLayout, alias: string): string {
  return part === undefined ? '' : ` and ${alias}.${part.column} = ${part.value}`;
}

/** A table with one column per field. */
export function columnLayout(
  entity: EntityModel,
  options: {
    readonly schema?: string;
    readonly table?: string;
    readonly type?: (field: Field) => string | undefined;
    /** Default: PostgreSQL's. */
    readonly dialect?: Dialect;
  } = {},
): TableLayout {
  const { quote, columnType } = options.dialect ?? pgDialect;
  const names = new Map(entity.fields.map((field) => [field, quote(field.column)]));
  const types = new Map(entity.fields.map((field) => [field, options.type?.(field) ?? columnType(field)]));
  const schema = entity.namespace ?? options.schema;
  const name = quote(options.table ?? entity.source);
  return {
    entity,
    table: schema === undefined ? name : `${quote(schema)}.${name}`,
    expression: (field, alias) => `${alias}.${names.get(field) ?? quote(field.column)}`,
    type: (field) => types.get(field) ?? columnType(field),
    hasColumn: () => true,
  };
}
