/**
 * Where an entity's fields are within a table. Relational, node, relationship and measurement tables have a column per
 * field; document tables have key columns and one JSONB. Conditions, orders, reads and writes are compiled against
 * this, so that every SQL store shares one compiler.
 */
import type { EntityModel, Field } from '@storeweave/core';

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
  /** The JSONB column that holds the fields without a column. */
  readonly documentColumn?: string;
}
