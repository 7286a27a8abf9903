/** What an insert does where a key exists already, in the parts that both ways of writing it need. */
import type { Field, InsertBatch, Row } from '@storeweave/core';
import type { Dialect } from '../dialect.js';
import type { Assignment } from './write-dialect.js';

export interface ConflictParts {
  readonly keys: readonly Field[];
  /** Their columns, quoted. */
  readonly columns: readonly string[];
  /** Condition of a partial unique index. */
  readonly where: string | undefined;
  /** Fields that take the new row's value; none where the stored row stays. */
  readonly updated: readonly Field[];
  /** The version grows with every write, whatever the new row says: readers of the old one must notice. */
  readonly version: Assignment | undefined;
  /** The same as assignments from `excluded`. */
  readonly native: readonly Assignment[];
  /** The rows without those whose key an earlier one has. */
  distinct(rows: readonly Row[]): readonly Row[];
}

export function conflictParts(
  { entity, fields }: InsertBatch,
  { do: action, keys = entity.ids, update }: NonNullable<InsertBatch['onConflict']>,
  { quote, encoder }: Dialect,
): ConflictParts {
  const kept = new Set<Field | undefined>([...entity.ids, ...keys, entity.createdAt]);
  const given = update ?? fields.filter((field) => !kept.has(field));
  const updated = action === 'update' ? given.filter((field) => field !== entity.version) : [];
  const index = entity.indexes.find(
    (each) => each.unique && each.fields.length === keys.length && each.fields.every((field) => keys.includes(field)),
  );
  const name = entity.version === undefined ? undefined : quote(entity.version.column);
  const version = name === undefined || updated.length === 0 ? undefined : { column: name, value: `t.${name} + 1` };
  const native = updated.map((field) => ({ column: quote(field.column), value: `excluded.${quote(field.column)}` }));
  return {
    keys,
    columns: keys.map((field) => quote(field.column)),
    where: index?.where,
    updated,
    version,
    native: version === undefined ? native : [...native, { column: version.column, value: `${version.column} + 1` }],
    distinct: (rows) => {
      if (action === 'update') return rows;
      const seen = new Set<string>();
      return rows.filter((row) => {
        const key = JSON.stringify(
          keys.map((field) => {
            const value = row[fields.indexOf(field)];
            return value === null || value === undefined ? null : encoder(entity, field).value(value);
          }),
        );
        return !seen.has(key) && seen.add(key);
      });
    },
  };
}
