/**
 * Points of a selection as rows. The server keeps a table per series and field and knows no rows; `pivot` makes them, and
 * the list of what is present (`names.ts`) tells a value that was taken away, and an empty text, from one that is absent.
 */
import type { Field, Row } from '@storeweave/core';
import { isEmpty, type Range, type Selection } from './condition.js';
import type { Connection } from './connection.js';
import type { Header } from './csv.js';
import type { Call } from './errors.js';
import { fluxAny, fluxEquals, fluxString, fluxTime } from './flux.js';
import type { Layout } from './names.js';
import { fieldForm, tagForm } from './values.js';

export interface PointsRequest {
  readonly layout: Layout;
  readonly selection: Selection;
  /** What of each point is read; the rest of its row is null. */
  readonly fields: Iterable<Field>;
  /** Of each series only the first or last points. */
  readonly perSeries?: { readonly count: number; readonly from: 'first' | 'last' };
}

/** Gets rows, aligned with the entity's fields, of what the server selects: `selection.residual` is not applied. */
export async function fetchPoints(
  connection: Connection,
  request: PointsRequest,
  call: Call,
  onRow: (row: Row) => void,
): Promise<void> {
  const { layout, selection, perSeries } = request;
  if (isEmpty(selection.range)) return;
  const fields = new Set(request.fields);
  const measures = layout.measures.filter((field) => fields.has(field));
  const keys = new Set([layout.anchor, ...measures.map((field) => field.column)]);
  if (layout.presence !== undefined && measures.some((field) => field.nullable)) keys.add(layout.presence);
  // One key has nothing to be put side by side with, and the pivot is half of the work.
  const [only] = keys.size === 1 ? keys : [];
  const flux = [
    pointsFlux(layout, selection, selection.range, [...keys]),
    ...(perSeries === undefined ? [] : [limitFlux(perSeries.count, perSeries.from)]),
    `|> drop(columns: ["_start", "_stop", "_measurement"${only === undefined ? '' : ', "_field"'}])`,
    ...(only === undefined ? ['|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'] : []),
  ].join('\n  ');
  const decode = new RowDecoder(layout, fields, perSeries !== undefined, only);
  await connection.query(
    flux,
    {
      header: (columns) => decode.header(columns),
      row: (cells) => {
        const row = decode.row(cells);
        if (row !== undefined) onRow(row);
      },
    },
    call,
  );
}

/** The series of a selection, as far as these keys; one table per series and key. */
export function pointsFlux(
  layout: Layout,
  selection: Pick<Selection, 'tags'>,
  range: Range,
  keys: readonly string[],
): string {
  const conditions = [
    fluxEquals('_measurement', layout.measurement),
    ...(selection.tags === undefined ? [] : [selection.tags]),
    fluxAny(keys.map((key) => fluxEquals('_field', key))),
  ];
  return [
    `from(bucket: ${fluxString(layout.bucket)})`,
    `|> range(start: ${fluxTime(range.from)}, stop: ${fluxTime(range.to)})`,
    `|> filter(fn: (r) => ${conditions.join(' and ')})`,
  ].join('\n  ');
}

function limitFlux(count: number, from: 'first' | 'last'): string {
  // The server answers these two from its index of blocks.
  if (count === 1) return `|> ${from}()`;
  return from === 'first' ? `|> limit(n: ${count})` : `|> tail(n: ${count})`;
}

type Cell = (cells: readonly string[], row: Row) => void;

class RowDecoder {
  readonly #layout: Layout;
  readonly #fields: ReadonlySet<Field>;
  /** Limits are counted by key, so the last points may lack what the anchor's limit cut off: they are no whole rows. */
  readonly #anchored: boolean;
  readonly #width: number;
  #cells: readonly Cell[] = [];
  #anchor: number | undefined;

  /** The key whose values are in the column `_value`. */
  readonly #only: string | undefined;

  constructor(layout: Layout, fields: ReadonlySet<Field>, anchored: boolean, only: string | undefined) {
    this.#only = only;
    this.#layout = layout;
    this.#fields = fields;
    this.#anchored = anchored;
    this.#width = layout.entity.fields.length;
  }

  header(columns: Header): void {
    const { time, tags, measures, presence, anchor } = this.#layout;
    const cells: Cell[] = [];
    const at = columns.get('_time') ?? -1;
    const parse = timeParser(this.#layout);
    cells.push((values, row) => {
      row[time.index] = parse(values[at] ?? '');
    });
    for (const field of tags) {
      const column = columns.get(field.column);
      const { from } = tagForm(field);
      // One that is written without the tag has, for the server, an empty one.
      const isText = field.type === 'string' || field.type === 'text';
      cells.push((values, row) => {
        const text = column === undefined ? '' : (values[column] ?? '');
        row[field.index] = text === '' && !isText ? null : from(text);
      });
    }
    const place = (key: string) => columns.get(key === this.#only ? '_value' : key);
    const present = presence === undefined ? undefined : place(presence);
    for (const field of measures) {
      const column = place(field.column);
      if (column === undefined || !this.#fields.has(field)) continue;
      cells.push(measureCell(field, column, present));
    }
    this.#anchor = place(anchor);
    this.#cells = cells;
  }

  row(values: readonly string[]): Row | undefined {
    if (this.#anchored && (this.#anchor === undefined || values[this.#anchor] === '')) return undefined;
    const row: Row = new Array(this.#width).fill(null);
    for (const cell of this.#cells) cell(values, row);
    return row;
  }
}

function measureCell(field: Field, column: number, present: number | undefined): Cell {
  const { from, kind } = fieldForm(field);
  const listed = `,${field.column},`;
  return (values, row) => {
    const text = values[column] ?? '';
    if (field.nullable) {
      const list = present === undefined ? '' : (values[present] ?? '');
      // A point that someone else wrote has no list; what it has is there.
      if (list === '' ? text === '' : !list.includes(listed)) return;
    }
    if (text === '' && kind !== 'string') return;
    row[field.index] = from(text);
  };
}

/** Times come as RFC 3339 with as many digits as they need. */
function timeParser({ unit, time }: Layout): (text: string) => number | bigint {
  if (time.timePrecision === 'ms') return Date.parse;
  const digits = unit === 1n ? 9 : 6;
  const perSecond = 1_000_000_000n / unit;
  return (text) => {
    const dot = text.indexOf('.');
    const seconds = BigInt(Date.parse(dot < 0 ? text : `${text.slice(0, dot)}Z`) / 1_000) * perSecond;
    if (dot < 0) return seconds;
    return (
      seconds +
      BigInt(
        text
          .slice(dot + 1, -1)
          .padEnd(digits, '0')
          .slice(0, digits),
      )
    );
  };
}
