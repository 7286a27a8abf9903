/** The functions of a window as SQL over its points. Each is null for a window whose points have no value. */
import { type Field, InvalidQueryError, type SeriesFunction, type WindowSpec } from '@storeweave/core';
import { type Decode, decoderOf, type TableScope } from '@storeweave/sql';
import { timestampOf } from './series-design.js';

export interface FoldedColumn {
  readonly sql: string;
  readonly decode: Decode | undefined;
  /** SQL type in which a line between two values is drawn; absent where values are no numbers. */
  readonly line?: 'double precision' | 'numeric' | 'bigint';
}

const NUMBERS = new Set<Field['type']>(['integer', 'bigint', 'float', 'decimal']);
/** Types that have an order but, in PostgreSQL before 18, no `min` and `max`. */
const WITHOUT_EXTREMES = new Set<Field['type']>(['boolean', 'uuid', 'bytes', 'json']);

export function fold(column: WindowSpec['columns'][number], table: TableScope): FoldedColumn {
  const { field } = column;
  const value = table.field(field);
  const name = typeof column.function === 'object' ? 'percentile' : column.function;
  if (name === 'count') return { sql: `nullif(count(${value}), 0)`, decode: Number, line: 'double precision' };
  if (field.array) throw unfit(column, table, 'a single value, and the field is an array');
  const own = { decode: decoderOf(field), ...lineOf(field) };
  if (name === 'first' || name === 'last') return { sql: edge(name, value, table), ...own };
  if (name === 'min' || name === 'max') return { sql: extreme(name, value, field.type), ...own };
  if (!NUMBERS.has(field.type)) throw unfit(column, table, `numbers, and the field is of type ${field.type}`);
  if (name === 'sum') return { sql: `sum(${value})`, ...own };
  const number = { decode: Number, line: 'double precision' as const };
  if (name === 'mean') return { sql: `avg(${value})::double precision`, ...number };
  const { percentile } = column.function as Exclude<SeriesFunction, string>;
  if (!(percentile >= 0 && percentile <= 100)) {
    throw new InvalidQueryError(`A percentile is a number from 0 to 100; "${column.alias}" asks for ${percentile}.`, {
      entity: table.entity.name,
      property: field.name,
    });
  }
  const share = table.scope.parameter(String(percentile / 100), 'double precision');
  return { sql: `percentile_cont(${share}) within group (order by ${value}::double precision)`, ...number };
}

/** The first or last value in time; among points of one time, by their tags, so that the answer is always the same. */
function edge(which: 'first' | 'last', value: string, table: TableScope): string {
  const time = timestampOf(table.entity);
  const tags = table.entity.ids.filter((id) => id !== time).map((id) => table.field(id));
  const order = [`${table.field(time)} ${which === 'first' ? 'asc' : 'desc'}`, ...tags].join(', ');
  return `(array_agg(${value} order by ${order}) filter (where ${value} is not null))[1]`;
}

function extreme(which: 'min' | 'max', value: string, type: Field['type']): string {
  if (!WITHOUT_EXTREMES.has(type)) return `${which}(${value})`;
  const direction = which === 'min' ? 'asc' : 'desc';
  return `(array_agg(${value} order by ${value} ${direction}) filter (where ${value} is not null))[1]`;
}

function lineOf(field: Field): Pick<FoldedColumn, 'line'> {
  if (field.type === 'float' || field.type === 'integer') return { line: 'double precision' };
  if (field.type === 'decimal') return { line: 'numeric' };
  return field.type === 'bigint' ? { line: 'bigint' } : {};
}

function unfit(column: WindowSpec['columns'][number], table: TableScope, needs: string): InvalidQueryError {
  const name = typeof column.function === 'object' ? 'percentile' : column.function;
  return new InvalidQueryError(
    `"${name}" of ${table.entity.name}.${column.field.name} needs ${needs}. Choose another field or function.`,
    {
      entity: table.entity.name,
      property: column.field.name,
    },
  );
}
