/** Aggregation over windows of time, computed the plain way: group the points, fold each group, fill the gaps. */
import {
  addValues,
  compareValues,
  type Field,
  fillGaps,
  InvalidQueryError,
  rowKey,
  type SeriesFunction,
  type Value,
  type WindowRow,
  type WindowSpec,
  windowGrid,
} from '@storeweave/core';
import { predicate, type View } from './condition.js';
import { cell, copy, type Stored } from './values.js';

interface Group {
  readonly values: readonly Value[];
  readonly points: Map<number, Stored[]>;
}

export function window(spec: WindowSpec, view: View): WindowRow[] {
  const { timestamp } = spec.entity;
  if (timestamp === undefined)
    throw new InvalidQueryError(`${spec.entity.name} has no timestamp, so it has no windows.`, {
      entity: spec.entity.name,
    });
  const points = select(spec, timestamp, view);
  const first = points[0];
  const single = spec.from ?? (first === undefined ? 0 : cell(first, timestamp));
  const size =
    spec.every === undefined
      ? { startOf: () => toMs(single, timestamp), next: () => Number.POSITIVE_INFINITY }
      : windowGrid(spec.every);
  const groups = new Map<string, Group>();
  for (const row of points) {
    const values = spec.groupBy.map((field) => cell(row, field));
    const key = rowKey(values);
    let group = groups.get(key);
    if (group === undefined) {
      group = { values, points: new Map() };
      groups.set(key, group);
    }
    const start = size.startOf(toMs(cell(row, timestamp), timestamp));
    const members = group.points.get(start);
    if (members === undefined) group.points.set(start, [row]);
    else members.push(row);
  }
  if (groups.size === 0 && spec.groupBy.length === 0 && spec.fill !== 'none')
    groups.set('', { values: [], points: new Map() });
  const rows = [...groups.values()].flatMap((group) => rowsOf(spec, timestamp, group, size));
  // Stable: groups keep the order in which they first appear within one window.
  rows.sort((a, b) => (spec.order === 'asc' ? 1 : -1) * compareValues(timestamp, a.start, b.start));
  return spec.limit === undefined ? rows : rows.slice(0, spec.limit);
}

function select(spec: WindowSpec, timestamp: Field, view: View): Stored[] {
  const matches = spec.where === undefined ? () => true : predicate(spec.where, view);
  const { from, to } = spec;
  const found: Stored[] = [];
  for (const row of view.rows(spec.entity)) {
    const time = cell(row, timestamp);
    if (from !== undefined && compareValues(timestamp, time, from) < 0) continue;
    if (to !== undefined && compareValues(timestamp, time, to) >= 0) continue;
    if (matches(row)) found.push(row);
  }
  return found.sort((a, b) => compareValues(timestamp, cell(a, timestamp), cell(b, timestamp)));
}

function rowsOf(
  spec: WindowSpec,
  timestamp: Field,
  group: Group,
  size: { startOf(ms: number): number; next(start: number): number },
): WindowRow[] {
  const starts =
    spec.fill === 'none' ? [...group.points.keys()].sort((a, b) => a - b) : allStarts(spec, timestamp, size);
  const table = starts.map((start) => {
    const members = group.points.get(start) ?? [];
    return spec.columns.map((column) => fold(column.function, column.field, members));
  });
  fillGaps(spec.fill, starts, table);
  return starts.map((start, i) => ({
    start: fromMs(start, timestamp),
    group: group.values.map(copy),
    values: (table[i] ?? []).map(copy),
  }));
}

function allStarts(
  spec: WindowSpec,
  timestamp: Field,
  size: { startOf(ms: number): number; next(start: number): number },
): number[] {
  if (spec.from === undefined || spec.to === undefined)
    throw new InvalidQueryError(`Filling gaps of ${spec.entity.name} needs both ends of the range: give from and to.`, {
      entity: spec.entity.name,
    });
  const starts: number[] = [];
  const end = toMs(spec.to, timestamp);
  for (let start = size.startOf(toMs(spec.from, timestamp)); start < end; start = size.next(start)) starts.push(start);
  return starts;
}

function fold(fn: SeriesFunction, field: Field, members: readonly Stored[]): Value {
  const values = members.map((row) => cell(row, field)).filter((value) => value !== null);
  if (values.length === 0) return null;
  if (typeof fn === 'object') return percentile(values.map(Number), fn.percentile);
  switch (fn) {
    case 'count':
      return values.length;
    case 'sum':
      return values.reduce<Value>((sum, value) => addValues(field, sum, value), null);
    case 'mean':
      return values.reduce((sum: number, value) => sum + Number(value), 0) / values.length;
    case 'min':
      return values.reduce<Value>((best, value) => (compareValues(field, value, best) < 0 ? value : best), values[0]);
    case 'max':
      return values.reduce<Value>((best, value) => (compareValues(field, value, best) > 0 ? value : best), values[0]);
    case 'first':
      return values[0];
    case 'last':
      return values[values.length - 1];
  }
}

/** Continuous percentile, 0 to 100: a value between two points is interpolated. */
function percentile(values: number[], percent: number): number {
  values.sort((a, b) => a - b);
  const position = ((values.length - 1) * percent) / 100;
  const below = values[Math.floor(position)] ?? 0;
  const above = values[Math.ceil(position)] ?? below;
  return below + (above - below) * (position - Math.floor(position));
}

function toMs(time: Value, timestamp: Field): number {
  if (timestamp.timePrecision === 'ms') return Number(time);
  const unit = timestamp.timePrecision === 'us' ? 1_000n : 1_000_000n;
  const value = BigInt(time as bigint);
  return Number(value >= 0n ? value / unit : (value - unit + 1n) / unit);
}

function fromMs(ms: number, timestamp: Field): Value {
  if (timestamp.timePrecision === 'ms') return ms;
  return BigInt(ms) * (timestamp.timePrecision === 'us' ? 1_000n : 1_000_000n);
}
