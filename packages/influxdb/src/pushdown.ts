/**
 * Windows that the server computes, where its answer is the same to the last digit: over fields that every point has
 * (a value that was taken away is still there for the server), between lengths of time and not of a calendar, with a
 * filter that the server decides. It folds one series after the other, each in order of time: so counts, extremes and sums
 * of small integers are put together from those of the series, and sums of floats, means, first and last values are
 * taken where a group is one series. Everything else is folded here (`fold.ts`), from the points.
 */
import type { Field, SeriesFunction, Value, WindowSpec } from '@storeweave/core';
import type { Range, Selection } from './condition.js';
import type { Connection } from './connection.js';
import type { Call } from './errors.js';
import { fluxString } from './flux.js';
import type { Layout } from './names.js';
import { pointsFlux } from './points.js';
import { tagForm } from './values.js';

type Merge = 'add' | 'min' | 'max' | 'only';

/** One aggregation of the server; a mean of integers needs two of them. */
interface Pushed {
  readonly column: number;
  readonly key: string;
  readonly flux: 'count' | 'sum' | 'mean' | 'min' | 'max' | 'first' | 'last';
  readonly merge: Merge;
}

/** A window of a group with what was computed for its columns. */
export interface PushedCell {
  readonly group: readonly Value[];
  /** An instant inside of the window, in nanoseconds. */
  readonly at: bigint;
  readonly values: Value[];
}

const MONDAY = -3 * 86_400_000;

/** What the server is to compute; undefined where it cannot be, or not to the digit. */
export function pushedOf(spec: WindowSpec, layout: Layout, selection: Selection): readonly Pushed[] | undefined {
  const { every } = spec;
  if (selection.residual !== undefined || (every === undefined ? spec.from === undefined : !('ms' in every)))
    return undefined;
  const pinned = new Set(selection.equals?.map(([column]) => column));
  const isSingle = layout.tags.every((field) => spec.groupBy.includes(field) || pinned.has(field.column));
  const pushed: Pushed[] = [];
  for (const [column, { function: fn, field }] of spec.columns.entries()) {
    const parts = partsOf(fn, field, layout, isSingle);
    if (parts === undefined) return undefined;
    pushed.push(...parts.map((part) => ({ ...part, column })));
  }
  return pushed;
}

function partsOf(
  fn: SeriesFunction,
  field: Field,
  layout: Layout,
  isSingle: boolean,
): readonly Omit<Pushed, 'column'>[] | undefined {
  if (typeof fn === 'object') return undefined;
  const key = field === layout.time ? layout.anchor : field.column;
  if (field !== layout.time && (field.role !== 'measure' || field.nullable)) return undefined;
  if (fn === 'count') return [{ key, flux: 'count', merge: 'add' }];
  // 64-bit integers overflow on the server, and a tag's text is no number.
  if (field.type !== 'float' && field.type !== 'integer') return undefined;
  const { type } = field;
  switch (fn) {
    case 'min':
    case 'max':
      return [{ key, flux: fn, merge: fn }];
    case 'sum':
      return type === 'integer' || isSingle ? [{ key, flux: 'sum', merge: 'add' }] : undefined;
    case 'mean':
      if (type === 'integer')
        return [
          { key, flux: 'sum', merge: 'add' },
          { key, flux: 'count', merge: 'add' },
        ];
      return isSingle ? [{ key, flux: 'mean', merge: 'only' }] : undefined;
    default:
      return isSingle ? [{ key, flux: fn, merge: 'only' }] : undefined;
  }
}

/** Computes what `pushedOf` says. Undefined where integers grew too large to be exact. */
export async function pushWindows(
  spec: WindowSpec,
  pushed: readonly Pushed[],
  layout: Layout,
  selection: Selection,
  connection: Connection,
  startOf: (nanos: bigint) => number,
  call: Call,
): Promise<readonly PushedCell[] | undefined> {
  const queries = pushed.map(
    (part, i) => `${windowFlux(spec, part, layout, selection.range, selection)} |> yield(name: "${i}")`,
  );
  const cells = new Map<string, PushedCell & { readonly parts: Value[] }>();
  const groups = spec.groupBy.map((field) => ({ column: field.column, form: tagForm(field) }));
  let places: readonly (number | undefined)[] = [];
  let [time, value]: (number | undefined)[] = [];
  let isExact = true;
  await connection.query(
    queries.join('\n'),
    {
      header: (columns) => {
        places = groups.map(({ column }) => columns.get(column));
        time = columns.get(spec.every === undefined ? '_start' : '_time');
        value = columns.get('_value');
      },
      row: (row) => {
        const at = nanosOf(row[time ?? -1] ?? '');
        const texts = places.map((place) => (place === undefined ? '' : (row[place] ?? '')));
        const name = JSON.stringify([startOf(at), ...texts]);
        let cell = cells.get(name);
        if (cell === undefined) {
          const group = texts.map((text, i) => groups[i]?.form.from(text) ?? null);
          cell = { group, at, values: [], parts: [] };
          cells.set(name, cell);
        }
        const part = Number(row[1]);
        const found = Number(row[value ?? -1]);
        const merged = merge(pushed[part]?.merge ?? 'only', cell.parts[part] as number | undefined, found);
        if (Number.isInteger(merged) && !Number.isSafeInteger(merged) && pushed[part]?.flux === 'sum') isExact = false;
        cell.parts[part] = merged;
      },
    },
    call,
  );
  if (!isExact) return undefined;
  for (const { values, parts } of cells.values()) {
    for (const [i, { column }] of pushed.entries()) {
      const part = parts[i] ?? null;
      // The second part of a column is the count that its sum is divided by.
      values[column] = values[column] === undefined ? part : Number(values[column]) / Number(part);
    }
  }
  return [...cells.values()];
}

function windowFlux(spec: WindowSpec, part: Pushed, layout: Layout, range: Range, selection: Selection): string {
  const points = pointsFlux(layout, selection, range, [part.key]);
  const { every } = spec;
  const kept = [every === undefined ? '_start' : '_time', '_value', ...spec.groupBy.map((field) => field.column)];
  const columns = kept.map(fluxString).join(', ');
  if (every === undefined || !('ms' in every))
    return `${points}\n  |> ${part.flux}()\n  |> keep(columns: [${columns}])`;
  // Whole weeks begin on Monday, and the epoch was no Monday.
  const offset = every.ms % 604_800_000 === 0 ? ((MONDAY % every.ms) + every.ms) % every.ms : 0;
  const window = `every: ${every.ms}ms, offset: ${offset}ms, fn: ${part.flux}, createEmpty: false, timeSrc: "_start"`;
  return `${points}\n  |> aggregateWindow(${window})\n  |> keep(columns: [${columns}])`;
}

function merge(how: Merge, before: number | undefined, value: number): number {
  if (before === undefined || how === 'only') return value;
  if (how === 'add') return before + value;
  return how === 'min' ? Math.min(before, value) : Math.max(before, value);
}

/** Windows begin at whole milliseconds, but where the range begins inside of one, that is its start. */
function nanosOf(text: string): bigint {
  const dot = text.indexOf('.');
  const seconds = BigInt(Date.parse(dot < 0 ? text : `${text.slice(0, dot)}Z`)) * 1_000_000n;
  return dot < 0 ? seconds : seconds + BigInt(text.slice(dot + 1, -1).padEnd(9, '0'));
}
