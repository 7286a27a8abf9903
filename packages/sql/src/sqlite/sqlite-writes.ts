/** Batches on SQLite: rows by `json_each`, conflicts decided by `on conflict`. */
import type { WriteDialect } from '../portable/write-dialect.js';
import { sqliteValue } from './sqlite-value.js';

export const sqliteWrites: WriteDialect = {
  source: (columns) => {
    const listed = columns.map((_, i) => `value ->> ${i} as sw_${i}`);
    return `(select ${['key + 1 as sw_n', ...listed].join(', ')} from json_each(?1)) as u`;
  },
  column: (i, field) => (field === 'mask' ? `cast(u.sw_${i} as integer)` : sqliteValue(`u.sw_${i}`, field)),
  // A cross join keeps its order: each row of the batch is looked up by its key.
  find: (table, source, on) => `select u.sw_n from ${source} cross join ${table} as t on ${on}`,
  update: (table, source, on, assignments) =>
    `update ${table} as t set ${assignments.map(({ column, value }) => `${column} = ${value}`).join(', ')} from ${source} where ${on}`,
  delete: (table, source, matches) =>
    `delete from ${table} where (${matches.map(({ column }) => column).join(', ')}) in (select ${matches.map(({ value }) => value).join(', ')} from ${source})`,
  onConflict: (keys, where, assignments) => {
    const target = `on conflict (${keys.join(', ')})${where === undefined ? '' : ` where ${where}`}`;
    if (assignments.length === 0) return `${target} do nothing`;
    return `${target} do update set ${assignments.map(({ column, value }) => `${column} = ${value}`).join(', ')}`;
  },
  maxCharacters: 256 * 1024 * 1024,
};
