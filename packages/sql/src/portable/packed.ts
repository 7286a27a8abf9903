/** The rows of a batch as JSON texts: lists of lists of text forms, each as long as a statement takes. */
import { type EntityModel, InvalidValueError, type Row } from '@storeweave/core';
import type { Dialect } from '../dialect.js';
import type { BatchColumn } from './write-dialect.js';

/** Rows of one statement at most. Beyond some thousands nothing gets faster, and memory grows. */
export const ROWS_PER_STATEMENT = 10_000;

export interface Piece {
  readonly rows: readonly Row[];
  readonly text: string;
}

/** Throws `InvalidValueError` for a value that the database cannot keep, or a row longer than a statement. */
export function* pieces(
  entity: EntityModel,
  columns: readonly BatchColumn[],
  rows: readonly Row[],
  dialect: Dialect,
  maxCharacters: number,
): Generator<Piece> {
  const ranges: [from: number, to: number][] = [];
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT)
    ranges.push([from, Math.min(rows.length, from + ROWS_PER_STATEMENT)]);
  for (let range = ranges.shift(); range !== undefined; range = ranges.shift()) {
    const [from, to] = range;
    const part = from === 0 && to === rows.length ? rows : rows.slice(from, to);
    const text = packed(entity, columns, part, dialect);
    if (text.length <= maxCharacters) yield { rows: part, text };
    else if (to - from > 1) {
      const middle = (from + to) >>> 1;
      ranges.unshift([from, middle], [middle, to]);
    } else {
      throw new InvalidValueError(
        `A row of ${entity.name} has ${text.length} characters, and a statement takes ${maxCharacters}.`,
        { entity: entity.name, store: entity.store },
      );
    }
  }
}

function packed(entity: EntityModel, columns: readonly BatchColumn[], rows: readonly Row[], dialect: Dialect): string {
  const encoders = columns.map((column) => (column === 'mask' ? undefined : dialect.encoder(entity, column)));
  const out = new Array<(string | null)[]>(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as Row;
    const texts = new Array<string | null>(columns.length);
    for (let j = 0; j < columns.length; j++) {
      const value = row[j];
      const encoder = encoders[j];
      if (encoder === undefined) texts[j] = value === true ? '1' : '0';
      else texts[j] = value === null || value === undefined ? null : encoder.value(value);
    }
    out[i] = texts;
  }
  return JSON.stringify(out);
}
