/** Windows of time over the points of a measurement, with their gaps filled where that is asked for. */
import {
  compareValues,
  type Field,
  fillGaps,
  InvalidQueryError,
  type Row,
  rowKey,
  type Value,
  type WindowGrid,
  type WindowRow,
  type WindowSpec,
  windowGrid,
} from '@storeweave/core';
import { both, isEmpty, rangeOf, selectionOf } from './condition.js';
import type { Connection } from './connection.js';
import type { Call } from './errors.js';
import { type Fold, foldOf } from './fold.js';
import type { Layout } from './names.js';
import { pushedOf, pushWindows } from './pushdown.js';
import { byTime, slices } from './slices.js';

/** Points that are held at once. */
const SLICE = 50_000;

/** The windows of one group by their start, in milliseconds. */
interface Group {
  readonly values: readonly Value[];
  readonly windows: Map<number, readonly Fold[]>;
}

export async function window(
  spec: WindowSpec,
  layout: Layout,
  connection: Connection,
  call: Call,
): Promise<WindowRow[]> {
  const { time } = layout;
  const selected = selectionOf(spec.where, layout);
  const selection = { ...selected, range: both(selected.range, rangeOf(layout, spec.from, spec.to)) };
  const fields = new Set<Field>([time, ...layout.tags, ...selection.needs, ...spec.columns.map(({ field }) => field)]);
  const groups = new Map<string, Group>();
  let grid: WindowGrid | undefined =
    spec.every !== undefined
      ? remembering(windowGrid(spec.every))
      : spec.from === undefined
        ? undefined
        : single(spec.from, time);
  const pushed = pushedOf(spec, layout, selection);
  const known = grid;
  const cells =
    pushed === undefined || known === undefined || isEmpty(selection.range)
      ? undefined
      : await pushWindows(spec, pushed, layout, selection, connection, (nanos) => known.startOf(millis(nanos)), call);
  for (const { group, at, values } of cells ?? []) {
    windowsOf(groups, group).set(known?.startOf(millis(at)) ?? 0, values.map(folded));
  }
  if (cells === undefined) {
    const order = byTime(layout);
    for await (const slice of slices(connection, { layout, selection, fields, direction: 'asc', size: SLICE }, call)) {
      for (const row of slice.sort(order)) {
        const at = row[time.index];
        // Without windows everything is one, which begins where the range does, or else with the first point of all.
        grid ??= single(at, time);
        add(spec, groups, row, grid.startOf(toMs(at, time)));
      }
    }
  }
  if (groups.size === 0 && spec.groupBy.length === 0 && spec.fill !== 'none')
    groups.set('', { values: [], windows: new Map() });
  const starts = spec.fill === 'none' ? undefined : allStarts(spec, time, grid);
  const rows = [...groups.values()].flatMap((group) => rowsOf(spec, time, group, starts));
  const direction = spec.order === 'asc' ? 1 : -1;
  rows.sort((a, b) => direction * compareValues(time, a.start, b.start) || compareGroups(spec.groupBy, a, b));
  return spec.limit === undefined ? rows : rows.slice(0, spec.limit);
}

function add(spec: WindowSpec, groups: Map<string, Group>, row: Row, start: number): void {
  const windows = windowsOf(
    groups,
    spec.groupBy.map((field) => row[field.index] ?? null),
  );
  let folds = windows.get(start);
  if (folds === undefined) {
    folds = spec.columns.map((column) => foldOf(column.function, column.field));
    windows.set(start, folds);
  }
  spec.columns.forEach(({ field }, at) => {
    const value = row[field.index] ?? null;
    if (value !== null) folds[at]?.add(value);
  });
}

function windowsOf(groups: Map<string, Group>, values: readonly Value[]): Group['windows'] {
  const name = rowKey(values);
  let group = groups.get(name);
  if (group === undefined) {
    group = { values, windows: new Map() };
    groups.set(name, group);
  }
  return group.windows;
}

/** What was folded elsewhere. */
function folded(value: Value): Fold {
  return { add: () => {}, result: () => value };
}

function rowsOf(spec: WindowSpec, time: Field, group: Group, all: readonly number[] | undefined): WindowRow[] {
  const starts = all ?? [...group.windows.keys()].sort((a, b) => a - b);
  const table = starts.map((start) => {
    const folds = group.windows.get(start);
    return spec.columns.map((_, at) => folds?.[at]?.result() ?? null);
  });
  fillGaps(spec.fill, starts, table);
  return starts.map((start, i) => ({ start: fromMs(start, time), group: [...group.values], values: table[i] ?? [] }));
}

function allStarts(spec: WindowSpec, time: Field, grid: WindowGrid | undefined): number[] {
  if (spec.from === undefined || spec.to === undefined || grid === undefined) {
    throw new InvalidQueryError(`Filling gaps of ${spec.entity.name} needs both ends of the range: give from and to.`, {
      entity: spec.entity.name,
    });
  }
  const starts: number[] = [];
  const end = toMs(spec.to, time);
  for (let start = grid.startOf(toMs(spec.from, time)); start < end; start = grid.next(start)) starts.push(start);
  return starts;
}

function compareGroups(groupBy: readonly Field[], a: WindowRow, b: WindowRow): number {
  for (const [at, field] of groupBy.entries()) {
    const order = compareValues(field, a.group[at], b.group[at]);
    if (order !== 0) return order;
  }
  return 0;
}

function single(at: Value, time: Field): WindowGrid {
  const start = toMs(at, time);
  return { startOf: () => start, next: () => Number.POSITIVE_INFINITY };
}

/** Points come in order of time, and calendars are slow: the window of the point before is likely to be this one's. */
function remembering(grid: WindowGrid): WindowGrid {
  let start = 0;
  let end = 0;
  return {
    startOf(ms) {
      if (ms < start || ms >= end) {
        start = grid.startOf(ms);
        end = grid.next(start);
      }
      return start;
    },
    next: (from) => grid.next(from),
  };
}

function toMs(value: Value, time: Field): number {
  if (time.timePrecision === 'ms') return Number(value);
  return millis((value as bigint) * (time.timePrecision === 'us' ? 1_000n : 1n));
}

function millis(nanos: bigint): number {
  return Number(nanos >= 0n ? nanos / 1_000_000n : (nanos - 999_999n) / 1_000_000n);
}

function fromMs(ms: number, time: Field): Value {
  if (time.timePrecision === 'ms') return ms;
  return BigInt(ms) * (time.timePrecision === 'us' ? 1_000n : 1_000_000n);
}
