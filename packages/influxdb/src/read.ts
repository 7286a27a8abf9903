/**
 * Reads: what the server can select is selected there, the rest is filtered, sorted and cut here. With a limit and an
 * order by time only the first points of each series are fetched: two points of one series never have one time, so the
 * first of all are among them.
 */
import {
  type Condition,
  compareValues,
  type EntityModel,
  type Field,
  type Order,
  type ReadSpec,
  type Row,
  type Rows,
  rowKey,
  type Value,
} from '@storeweave/core';
import { isEmpty, type Selection, selectionOf } from './condition.js';
import type { Connection } from './connection.js';
import type { Call } from './errors.js';
import type { Layout } from './names.js';
import { fetchPoints, pointsFlux } from './points.js';

/** Rows of a read, aligned with its fields. */
export async function read(spec: ReadSpec, layout: Layout, connection: Connection, call: Call): Promise<Rows> {
  const selection = selectionOf(spec.where, layout);
  const found = await select(spec, layout, selection, connection, call);
  return found.map((row) => project(spec.fields, row));
}

/** Number of points. */
export async function count(
  entity: EntityModel,
  where: Condition | undefined,
  layout: Layout,
  connection: Connection,
  call: Call,
): Promise<number> {
  const selection = selectionOf(where, layout);
  if (isEmpty(selection.range)) return 0;
  let total = 0;
  if (selection.residual !== undefined) {
    const matches = selection.residual;
    await fetchPoints(connection, { layout, selection, fields: [...entity.ids, ...selection.needs] }, call, (row) => {
      if (matches(row)) total++;
    });
    return total;
  }
  const points = pointsFlux(layout, selection, selection.range, [layout.anchor]);
  const flux = `${points}\n  |> count()\n  |> keep(columns: ["_value"])`;
  let at = 0;
  await connection.query(
    flux,
    {
      header: (columns) => {
        at = columns.get('_value') ?? 0;
      },
      row: (cells) => {
        total += Number(cells[at]);
      },
    },
    call,
  );
  return total;
}

/** Rows aligned with the entity's fields, in order. */
async function select(
  spec: ReadSpec,
  layout: Layout,
  selection: Selection,
  connection: Connection,
  call: Call,
): Promise<Row[]> {
  const { order = [], limit, offset = 0, perGroup } = spec;
  if (limit === 0 || isEmpty(selection.range)) return [];
  const fields = new Set([...spec.fields, ...selection.needs, ...order.map(({ on }) => on.field), ...(perGroup ?? [])]);
  const request = { layout, selection, fields };
  const first = order[0];
  const byTime = first?.on.field === layout.time;
  const perSeries = perGroup === undefined ? true : perGroup.every((field) => field.role === 'tag');
  // A filter that is decided here may pass over points, so how many of a series are needed is found by trying.
  const tries =
    limit !== undefined && byTime && perSeries && (perGroup === undefined || selection.residual === undefined);
  if (!tries) return cut(spec, sorted(order, await matching(connection, request, call)));
  for (let size = limit + offset; ; size *= 8) {
    const isAscending = first.direction === 'asc';
    const limited = { ...request, perSeries: { count: size, from: isAscending ? 'first' : 'last' } } as const;
    const frontier = new Frontier(layout, size, isAscending);
    const rows = await matching(connection, limited, call, (row) => frontier.add(row));
    const found = cut(spec, sorted(order, rows));
    if (selection.residual === undefined || frontier.covers(found.length === limit ? found.at(-1) : undefined))
      return found;
  }
}

async function matching(
  connection: Connection,
  request: Parameters<typeof fetchPoints>[1],
  call: Call,
  onRow?: (row: Row) => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  const { residual } = request.selection;
  await fetchPoints(connection, request, call, (row) => {
    onRow?.(row);
    if (residual === undefined || residual(row)) rows.push(row);
  });
  return rows;
}

/** How far in time every series was read. */
class Frontier {
  readonly #series = new Map<string, { count: number; last: Value }>();
  readonly #layout: Layout;
  readonly #size: number;
  readonly #isAscending: boolean;

  constructor(layout: Layout, size: number, isAscending: boolean) {
    this.#layout = layout;
    this.#size = size;
    this.#isAscending = isAscending;
  }

  add(row: Row): void {
    const name = rowKey(this.#layout.tags.map((field) => row[field.index]));
    const time = row[this.#layout.time.index];
    const known = this.#series.get(name);
    if (known === undefined) this.#series.set(name, { count: 1, last: time });
    else {
      known.count++;
      if (this.#isLater(time, known.last)) known.last = time;
    }
  }

  /** True where no point that was not read could come before this one; undefined: the end. */
  covers(row: Row | undefined): boolean {
    for (const { count, last } of this.#series.values()) {
      if (count < this.#size) continue;
      if (row === undefined || this.#isLater(row[this.#layout.time.index], last)) return false;
    }
    return true;
  }

  #isLater(a: Value, b: Value): boolean {
    const order = compareValues(this.#layout.time, a, b);
    return this.#isAscending ? order > 0 : order < 0;
  }
}

export function project(fields: readonly Field[], row: Row): Row {
  return fields.map((field) => row[field.index] ?? null);
}

export function sorted(order: readonly Order[], rows: Row[]): Row[] {
  return order.length === 0 ? rows : rows.sort((a, b) => compareRows(order, a, b));
}

function compareRows(order: readonly Order[], a: Row, b: Row): number {
  for (const { on, direction, nulls } of order) {
    const left = a[on.field.index] ?? null;
    const right = b[on.field.index] ?? null;
    if (left === null || right === null) {
      if (left === right) continue;
      return (left === null) === (nulls === 'first') ? -1 : 1;
    }
    const result = compareValues(on.field, left, right);
    if (result !== 0) return direction === 'asc' ? result : -result;
  }
  return 0;
}

/** Applies limit and offset, in all or per group. */
function cut({ limit, offset = 0, perGroup }: ReadSpec, rows: Row[]): Row[] {
  const end = limit === undefined ? Number.POSITIVE_INFINITY : offset + limit;
  if (perGroup === undefined) return offset === 0 && end >= rows.length ? rows : rows.slice(offset, end);
  const seen = new Map<string, number>();
  return rows.filter((row) => {
    const group = rowKey(project(perGroup, row));
    const position = seen.get(group) ?? 0;
    seen.set(group, position + 1);
    return position >= offset && position < end;
  });
}
