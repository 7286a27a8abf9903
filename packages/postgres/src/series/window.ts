/** Aggregation over windows of time as one statement: fold the points, then fill the gaps between them if asked to. */
import {
  type Condition,
  type Field,
  InvalidQueryError,
  type Value,
  type WindowRow,
  type WindowSpec,
} from '@storeweave/core';
import {
  compileCondition,
  type Decode,
  decodeColumns,
  decoderOf,
  type Layouts,
  Scope,
  type SqlSession,
  type TableScope,
} from '@storeweave/sql';
import { type Bins, binsOf } from './bins.js';
import { type FoldedColumn, fold } from './fold.js';
import { filled } from './gaps.js';
import { timestampOf } from './series-design.js';

/** A query with the columns `w`, `g0…` (groups) and `c0…` (values), without order or limit. */
export interface CompiledWindow {
  readonly sql: string;
  readonly scope: Scope;
  readonly decoders: readonly (Decode | undefined)[];
}

export function compileWindow(spec: WindowSpec, layouts: Layouts): CompiledWindow {
  const { entity, groupBy, from, to, every, fill } = spec;
  const scope = new Scope(layouts);
  const table = scope.table(entity);
  const time = timestampOf(entity);
  const bins = every === undefined ? undefined : binsOf(every, entity, scope);
  const columns = spec.columns.map((column) => fold(column, table));
  const ends = {
    from: from === undefined ? undefined : table.value(time, from),
    to: to === undefined ? undefined : table.value(time, to),
  };
  const points = pointsQuery(spec, table, time, columns, bins, ends);
  const sql =
    fill === 'none'
      ? points
      : filled({ points, fill, columns: checkedColumns(spec, columns), groups: groupBy, ...gridOf(spec, bins, ends) });
  const decoders = [decoderOf(time), ...groupBy.map(decoderOf), ...columns.map(({ decode }) => decode)];
  return { sql, scope, decoders };
}

export async function window(spec: WindowSpec, layouts: Layouts, session: SqlSession): Promise<WindowRow[]> {
  const { scope, sql, decoders } = compileWindow(spec, layouts);
  const { groupBy } = spec;
  const names = ['w', ...groupBy.map((_, i) => `g${i}`), ...spec.columns.map((_, i) => `c${i}`)];
  const order = [`w ${spec.order}`, ...groupBy.map((_, i) => `g${i}`)];
  let text = `select ${names.join(', ')} from (${sql}) r order by ${order.join(', ')}`;
  if (spec.limit !== undefined) text += ` limit ${scope.parameter(String(spec.limit), 'bigint')}`;
  const { rows } = await session.query({ text, values: scope.values });
  return decodeColumns(rows, decoders).map(([start, ...rest]) => ({
    start: start as Value,
    group: rest.slice(0, groupBy.length),
    values: rest.slice(groupBy.length),
  }));
}

interface Ends {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

function pointsQuery(
  spec: WindowSpec,
  table: TableScope,
  time: Field,
  columns: readonly FoldedColumn[],
  bins: Bins | undefined,
  ends: Ends,
): string {
  const at = table.field(time);
  // Without windows everything is one, which begins where the range does, or else with the first point of all.
  const start = bins?.start(at) ?? ends.from ?? `min(min(${at})) over ()`;
  const listed = [
    `${start} as w`,
    ...spec.groupBy.map((field, i) => `${table.field(field)} as g${i}`),
    ...columns.map(({ sql }, i) => `${sql} as c${i}`),
  ];
  const conditions: string[] = [];
  if (ends.from !== undefined) conditions.push(`${at} >= ${ends.from}`);
  if (ends.to !== undefined) conditions.push(`${at} < ${ends.to}`);
  if (spec.where !== undefined) conditions.push(compileCondition(spec.where as Condition, table));
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  const keys = [...(bins === undefined ? [] : ['1']), ...spec.groupBy.map((_, i) => String(i + 2))];
  const group = keys.length === 0 ? '' : ` group by ${keys.join(', ')}`;
  return `select ${listed.join(', ')} from ${table.layout.table} ${table.alias}${where}${group} having count(*) > 0`;
}

function gridOf({ entity }: WindowSpec, bins: Bins | undefined, { from, to }: Ends): { readonly grid: string } {
  if (from === undefined || to === undefined) {
    throw new InvalidQueryError(`Filling gaps of ${entity.name} needs both ends of the range: give from and to.`, {
      entity: entity.name,
    });
  }
  return { grid: bins?.grid(from, to) ?? `select ${from} as w where ${from} < ${to}` };
}

function checkedColumns(spec: WindowSpec, columns: readonly FoldedColumn[]): readonly FoldedColumn[] {
  if (spec.fill !== 'linear') return columns;
  for (const [i, { line }] of columns.entries()) {
    const field = spec.columns[i]?.field;
    if (line !== undefined) continue;
    throw new InvalidQueryError(
      `A line needs numbers, and "${spec.columns[i]?.alias}" of ${spec.entity.name}.${field?.name} is of type ${field?.type}. Fill with 'previous' or 'null'.`,
      {
        entity: spec.entity.name,
        property: field?.name,
      },
    );
  }
  return columns;
}
