/**
 * MariaDB's dialect. Strings are compared by code point, instants are DATETIME in UTC, lists are JSON; a list of values
 * is so many parameters, or one JSON parameter where they are many. Parameters are written `$1` here and become `?` when
 * they are sent (`mariadb-protocol.ts`), because their order in a statement is not that in which it was compiled.
 */
import { type Field, InvalidQueryError, type Operand, type Value } from '@storeweave/core';
import type { AggregateDialect, Dialect, TableTerms } from '../dialect.js';
import { portableDecoder } from '../portable/decode.js';
import { portableEncoders } from '../portable/encode.js';
import { rawNative, rawNumber } from '../portable/raw.js';
import { timestampToMs } from '../timestamp-text.js';
import { jsonSortKeys, mariadbJson } from './mariadb-json.js';
import { FREE_DECIMAL, mariadbType, mariadbValue } from './mariadb-value.js';
import { jsonTable, mariadbWrites } from './mariadb-writes.js';

/** Beyond this many values a list is one parameter. */
const MAX_LISTED = 500;

const encoder = portableEncoders({ decimals: FREE_DECIMAL });
const quote = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

const aggregates: AggregateDialect = {
  sum: (expression) => `sum(${expression})`,
  avg: (expression) => `avg(cast(${expression} as double))`,
  extreme: (name, expression) => `${name}(${expression})`,
  sortable: (expression) => expression,
  compares: (result, operator, value) => `${result} ${operator} ${value}`,
};

const casts: Readonly<Record<string, string>> = {
  bigint: 'signed',
  numeric: `decimal(${FREE_DECIMAL.whole + FREE_DECIMAL.fraction},${FREE_DECIMAL.fraction})`,
  'double precision': 'double',
};

/** Types of columns in answers to the user's own SQL, by the number that the protocol gives them. */
const numbers = new Set([1, 2, 3, 4, 5, 8, 9, 13]);
const times = new Set([7, 12]);
/** Not of the protocol: a text type whose character set is that of bytes. */
export const MARIADB_BYTES = 1000;

export const mariadbDialect: Dialect = {
  quote,
  literal: (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
  placeholder: () => '?',
  parameter: (n, type) => (casts[type] === undefined ? `$${n}` : `cast($${n} as ${casts[type]})`),
  fieldParameter: (n, field) => mariadbValue(`$${n}`, field),
  columnType: (field) => mariadbType(field, field.id || field.unique),
  encoder,
  decoder: portableDecoder,
  selected: (expression, field) => (field.type === 'bytes' && !field.array ? `hex(${expression})` : expression),
  sortable: (expression) => expression,
  isDistinct: (left, right) => `not (${left} <=> ${right})`,
  isOneOf: (field, values, table) => {
    if (values.length === 0) return 'false';
    if (values.length === 1) return `${table.field(field)} = ${table.value(field, values[0])}`;
    if (values.length <= MAX_LISTED)
      return `${table.field(field)} in (${values.map((value) => table.value(field, value)).join(', ')})`;
    return `${table.field(field)} in (${listed(
      [field],
      values.map((value) => [value]),
      table,
    )})`;
  },
  hasKeys: (fields, rows, table) =>
    `(${fields.map((field) => table.field(field)).join(', ')}) in (${listed(fields, rows, table)})`,
  like: (op, text, pattern, scope) => {
    if (/(?:^|[^\\])(?:\\\\)*\\$/.test(pattern)) {
      throw new InvalidQueryError(
        'The pattern is not valid: backslash escapes the character after it and cannot be the last.',
      );
    }
    const given = scope.parameter(pattern, 'text');
    return op === 'like' ? `${text} like ${given} escape '\\\\'` : `lower(${text}) like lower(${given}) escape '\\\\'`;
  },
  hasPart: (text, part, scope) => `locate(${scope.parameter(part, 'text')}, ${text}) > 0`,
  asText: (expression) => `cast(${expression} as char)`,
  hasElements: (field, elements, table) => `json_contains(${table.field(field)}, ${table.value(field, elements)}) = 1`,
  json: mariadbJson,
  orderTerm: ({ on, direction, nulls }, expression) => {
    const keys = hasPath(on) ? jsonSortKeys(expression) : [expression];
    const terms = keys.map((key) => `${key} ${direction}`);
    if (on.field.nullable || hasPath(on)) terms.unshift(`${expression} is null ${nulls === 'last' ? 'asc' : 'desc'}`);
    return terms.join(', ');
  },
  outputOrder: (_, sorted, direction) => `${sorted} is null, ${sorted} ${direction}`,
  limit: (scope, limit, offset) => {
    if (limit === undefined && offset === undefined) return '';
    const count = limit === undefined ? '18446744073709551615' : scope.parameter(String(limit), 'text');
    return ` limit ${count}${offset === undefined ? '' : ` offset ${scope.parameter(String(offset), 'text')}`}`;
  },
  lock: (kind) => (kind === 'update' ? ' for update' : ' lock in share mode'),
  increment: (field, by, table) => `coalesce(${table.field(field)}, 0) + ${table.value(field, by)}`,
  deleteFrom: (table, alias, where) => `delete ${alias} from ${table} as ${alias} where ${where}`,
  aggregates,
  cursors: false,
  writes: mariadbWrites,
  // InnoDB moves its counter past a key that is given.
  advanceSequences: () => [],
  inspect: async (ask) => {
    const [version, clock, flush] = await ask(
      'select version(), round(unix_timestamp(now(3)) * 1000), @@innodb_flush_log_at_trx_commit',
    );
    const missing =
      flush === '1'
        ? []
        : ['durability over a power failure: innodb_flush_log_at_trx_commit is not 1; set it, or accept the risk'];
    return { product: 'MariaDB', version: String(version).split('-')[0] ?? '', clockMs: Number(clock), missing };
  },
  decoderOfType: (type) => {
    if (numbers.has(type)) return rawNumber;
    if (times.has(type)) return (text) => new Date(timestampToMs(`${text}+00`));
    return type === MARIADB_BYTES ? (text) => new Uint8Array(Buffer.from(text, 'hex')) : undefined;
  },
  rawValue: rawNative,
};

function hasPath(on: Operand): boolean {
  return on.path !== undefined && on.path.length > 0;
}

/** `select … from json_table(…)` of rows with these fields. */
function listed(fields: readonly Field[], rows: readonly (readonly Value[])[], table: TableTerms): string {
  const texts = rows.map((row) =>
    fields.map((field, i) => {
      const value = row[i];
      return value === null || value === undefined ? null : encoder(table.entity, field).value(value);
    }),
  );
  const parameter = table.scope.parameter(JSON.stringify(texts), 'text');
  const columns = fields.map((field, i) => mariadbValue(`u.sw_${i}`, field));
  return `select ${columns.join(', ')} from ${jsonTable(parameter, fields)}`;
}
