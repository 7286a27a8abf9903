/** Batches on MariaDB: rows by JSON_TABLE, joined in this order so that each row of the batch is looked up by its key. */
import type { BatchColumn, WriteDialect } from '../portable/write-dialect.js';
import { EXACT, mariadbValue } from './mariadb-value.js';

/** Types whose text is short: the server keeps such a batch in memory. */
const short = new Set(['integer', 'bigint', 'float', 'decimal', 'boolean', 'date', 'timestamp', 'uuid']);

function textType(column: BatchColumn): string {
  const isShort = column === 'mask' || (!column.array && short.has(column.type));
  return `${isShort ? 'varchar(80)' : 'longtext'} character set ${EXACT.charset} collate ${EXACT.collation}`;
}

export function jsonTable(parameter: string, columns: readonly BatchColumn[]): string {
  const listed = columns.map((column, i) => `sw_${i} ${textType(column)} path '$[${i}]'`);
  return `json_table(${parameter}, '$[*]' columns (${['sw_n for ordinality', ...listed].join(', ')})) as u`;
}

export const mariadbWrites: WriteDialect = {
  source: (columns) => jsonTable('$1', columns),
  column: (i, field) => (field === 'mask' ? `u.sw_${i}` : mariadbValue(`u.sw_${i}`, field)),
  find: (table, source, on) => `select straight_join u.sw_n from ${source} join ${table} as t on ${on} for update`,
  update: (table, source, on, assignments) =>
    `update ${source} straight_join ${table} as t on ${on} set ${assignments.map(({ column, value }) => `t.${column} = ${value}`).join(', ')}`,
  delete: (table, source, matches) =>
    `delete t from ${source} straight_join ${table} as t on ${matches.map(({ column, value }) => `t.${column} = ${value}`).join(' and ')}`,
  // The server's max_allowed_packet is 16 MB, and a character takes up to four bytes.
  maxCharacters: 3 * 1024 * 1024,
};
