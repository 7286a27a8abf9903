/** The rows of a batch as one JSON text: a list of lists of text forms. */
import { type EntityModel, InvalidValueError, type Row } from '@storeweave/core';
import type { Dialect } from '../dialect.js';
import type { BatchColumn } from './write-dialect.js';

/** Throws `InvalidValueError` for values that the database cannot keep, or more of them than a statement can have. */
export function packed(
  entity: EntityModel,
  columns: readonly BatchColumn[],
  rows: readonly Row[],
  dialect: Dialect,
  maxCharacters: number,
): string {
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
  const text = JSON.stringify(out);
  if (text.length <= maxCharacters) return text;
  throw new InvalidValueError(
    `${rows.length} rows of ${entity.name} have ${text.length} characters, and a statement takes ${maxCharacters}. Write fewer at a time.`,
    { entity: entity.name, store: entity.store },
  );
}
