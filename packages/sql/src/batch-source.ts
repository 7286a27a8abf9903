/**
 * The rows of a batch as a table of the statement: one `unnest` over one array parameter per column. Fields of array
 * type travel as text and are cast row by row, because `unnest` would take nested arrays apart.
 */
import type { EntityModel, Field, Row } from '@storeweave/core';
import { castType } from './column-type.js';
import { columnLiteral, encoderOf, type FieldEncoder } from './encode.js';
import type { TableLayout } from './layout.js';

interface Column {
  readonly encoder: FieldEncoder;
  /** Which list of rows it comes from, and its place in them. */
  readonly rows: number;
  readonly index: number;
}

export class BatchSource {
  readonly #columns: (Column | { readonly mask: number; readonly index: number })[] = [];
  readonly #types: string[] = [];

  constructor(
    private readonly entity: EntityModel,
    private readonly layout: TableLayout,
  ) {}

  /** Adds a column; returns the expression of its value in the statement. `rows` is the position among the lists given to `values`. */
  add(field: Field, rows: number, index: number): string {
    const type = castType(this.layout.type(field));
    const n = this.#push(field.array ? 'text[]' : `${type}[]`, { encoder: encoderOf(this.entity, field), rows, index });
    return field.array ? `u.c${n}::${type}` : `u.c${n}`;
  }

  /** Adds a column that is true where the value is given. */
  addMask(rows: number, index: number): string {
    return `u.c${this.#push('boolean[]', { mask: rows, index })}`;
  }

  #push(type: string, column: Column | { readonly mask: number; readonly index: number }): number {
    this.#columns.push(column);
    this.#types.push(type);
    return this.#columns.length;
  }

  /** `unnest($1::text[], …) with ordinality as u(c1, …, n)`. */
  sql(ordinality: boolean): string {
    const list = this.#types.map((type, i) => `$${i + 1}::${type}`).join(', ');
    const names = this.#types.map((_, i) => `c${i + 1}`).join(', ');
    return ordinality ? `unnest(${list}) with ordinality as u(${names}, n)` : `unnest(${list}) as u(${names})`;
  }

  /** The parameters for one batch. */
  values(lists: readonly (readonly Row[])[]): string[] {
    return this.#columns.map((column) => {
      if ('encoder' in column) return columnLiteral(column.encoder, lists[column.rows] ?? [], column.index);
      const rows = lists[column.mask] ?? [];
      return `{${rows.map((row) => (row[column.index] === undefined ? 'f' : 't')).join(',')}}`;
    });
  }
}
