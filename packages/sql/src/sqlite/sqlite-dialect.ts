/**
 * SQLite's dialect. It has four types of values, so the rest is text in a form that sorts (dates, instants), in one
 * spelling (decimals) or compared by a function of ours (JSON, the order of decimals); see `functions.ts`. Lists of
 * values travel as one JSON parameter and are read by `json_each`.
 */
import { type Field, InvalidQueryError, type Operand, type Value } from '@storeweave/core';
import type { AggregateDialect, Dialect, JsonDialect, TableTerms } from '../dialect.js';
import { quoteName } from '../identifier.js';
import { portableDecoder } from '../portable/decode.js';
import { portableEncoders } from '../portable/encode.js';
import { rawNative, rawNumber } from '../portable/raw.js';
import { SQLITE_BYTES, SQLITE_NUMBER } from './sqlite-kinds.js';
import { sqliteValue } from './sqlite-value.js';
import { sqliteWrites } from './sqlite-writes.js';

/** Beyond this many values a list is one parameter; SQLite takes 32,766. */
const MAX_LISTED = 500;

const encoder = portableEncoders();

function isDecimal({ type, array }: Field): boolean {
  return type === 'decimal' && !array;
}

const json: JsonDialect = {
  at: (expression, path, scope) => `sw_json_at(${expression}, ${scope.parameter(JSON.stringify(path), 'text')})`,
  value: (text, scope) => scope.parameter(text, 'text'),
  equals: (left, right) => `sw_json(${left}) = sw_json(${right})`,
  isOneOf: (left, texts, scope) => {
    const list = scope.parameter(JSON.stringify(texts), 'text');
    return `sw_json(${left}) in (select sw_json(value) from json_each(${list}))`;
  },
  compares: (left, operator, right) => `sw_json_compare(${left}, ${right}) ${operator} 0`,
  contains: (left, text, scope) => `sw_json_contains(${left}, ${scope.parameter(text, 'text')})`,
  string: (expression) => `sw_json_string(${expression})`,
  number: (expression) => `sw_json_number(${expression})`,
  sortable: (expression) => `sw_json_key(${expression})`,
};

const aggregates: AggregateDialect = {
  sum: (expression, type) => {
    if (type === 'float') return `sum(${expression})`;
    return type === 'integer' ? `cast(sum(${expression}) as text)` : `sw_sum(cast(${expression} as text))`;
  },
  avg: (expression, type) => `avg(${type === 'decimal' ? `cast(${expression} as real)` : expression})`,
  extreme: (name, expression, on) => {
    if (hasPath(on) || on.field.type === 'json') return `sw_${name}_json(${expression})`;
    return isDecimal(on.field) ? `sw_${name}_decimal(${expression})` : `${name}(${expression})`;
  },
  sortable: (expression, type) => (type === 'float' ? expression : `sw_decimal_key(${expression})`),
  compares: (result, operator, value, isExact) =>
    isExact
      ? `sw_decimal_key(${result}) ${operator} sw_decimal_key(${value})`
      : `${result} ${operator} cast(${value} as real)`,
};

export const sqliteDialect: Dialect = {
  quote: quoteName,
  literal: (text) => `'${text.replaceAll("'", "''")}'`,
  placeholder: (n) => `?${n}`,
  parameter: (n, type) => {
    if (type === 'bigint') return `cast(?${n} as integer)`;
    return type === 'double precision' ? `cast(?${n} as real)` : `?${n}`;
  },
  fieldParameter: (n, field) => sqliteValue(`?${n}`, field),
  columnType,
  encoder,
  decoder: portableDecoder,
  selected: (expression, field) => {
    const { type, array, timePrecision } = field;
    if (array) return expression;
    if (type === 'bytes') return `iif(${expression} is null, null, hex(${expression}))`;
    const isLong = type === 'bigint' || (type === 'timestamp' && timePrecision === 'ns');
    return isLong ? `cast(${expression} as text)` : expression;
  },
  sortable: (expression, field) => (isDecimal(field) ? `sw_decimal_key(${expression})` : expression),
  isDistinct: (left, right) => `${left} is not ${right}`,
  isOneOf: (field, values, table) => {
    if (values.length === 0) return 'false';
    if (values.length === 1) return `${table.field(field)} = ${table.value(field, values[0])}`;
    if (values.length <= MAX_LISTED)
      return `${table.field(field)} in (${values.map((value) => table.value(field, value)).join(', ')})`;
    const texts = values.map((value) => encoder(table.entity, field).value(value));
    const list = table.scope.parameter(JSON.stringify(texts), 'text');
    return `${table.field(field)} in (select ${sqliteValue('value', field)} from json_each(${list}))`;
  },
  hasKeys: (fields, rows, table) => {
    const texts = rows.map((row) => fields.map((field, i) => textOf(field, row[i], table)));
    const list = table.scope.parameter(JSON.stringify(texts), 'text');
    const columns = fields.map((field, i) => sqliteValue(`value ->> ${i}`, field));
    return `(${fields.map((field) => table.field(field)).join(', ')}) in (select ${columns.join(', ')} from json_each(${list}))`;
  },
  like: (op, text, pattern, scope) => {
    if (op === 'like') return `${text} glob ${scope.parameter(globOf(pattern), 'text')}`;
    return `sw_lower(${text}) glob ${scope.parameter(globOf(pattern.toLowerCase()), 'text')}`;
  },
  hasPart: (text, part, scope) => `instr(${text}, ${scope.parameter(part, 'text')}) > 0`,
  asText: (expression) => `cast(${expression} as text)`,
  hasElements: (field, elements, table) => `sw_has_elements(${table.field(field)}, ${table.value(field, elements)})`,
  json,
  orderTerm: ({ on, direction, nulls }, expression) =>
    `${expression} ${direction}${on.field.nullable || hasPath(on) ? ` nulls ${nulls}` : ''}`,
  outputOrder: (_, sorted, direction) => `${sorted} ${direction} nulls last`,
  limit: (scope, limit, offset) => {
    if (limit === undefined && offset === undefined) return '';
    const count = limit === undefined ? '-1' : scope.parameter(String(limit), 'bigint');
    return ` limit ${count}${offset === undefined ? '' : ` offset ${scope.parameter(String(offset), 'bigint')}`}`;
  },
  // Whoever writes has the database to itself.
  lock: () => '',
  increment: (field, by, table) => {
    const present = table.field(field);
    if (field.type === 'float') return `coalesce(${present}, 0) + ${table.value(field, by)}`;
    const text = table.scope.parameter(String(by), 'text');
    if (field.type === 'decimal')
      return `sw_decimal_add(${present}, ${text}, ${field.precision === undefined ? 'null' : (field.scale ?? 0)})`;
    return `cast(sw_add(cast(${present} as text), ${text}, ${field.type === 'bigint' ? 64 : 32}) as integer)`;
  },
  deleteFrom: (table, alias, where) => `delete from ${table} as ${alias} where ${where}`,
  aggregates,
  cursors: false,
  writes: sqliteWrites,
  // A key that is given moves the counter of AUTOINCREMENT by itself.
  advanceSequences: () => [],
  inspect: async (ask) => {
    const [version, clock] = await ask(
      `select sqlite_version(), cast(round((julianday('now') - 2440587.5) * 86400000) as integer)`,
    );
    return { product: 'SQLite', version: String(version), clockMs: Number(clock), missing: [] };
  },
  decoderOfType: (type) => {
    if (type === SQLITE_NUMBER) return rawNumber;
    return type === SQLITE_BYTES ? (text) => new Uint8Array(Buffer.from(text, 'hex')) : undefined;
  },
  rawValue: rawNative,
};

function hasPath(on: Operand): boolean {
  return on.path !== undefined && on.path.length > 0;
}

function textOf(field: Field, value: Value, table: TableTerms): string | null {
  return value === null || value === undefined ? null : encoder(table.entity, field).value(value);
}

/** A pattern of LIKE as one of GLOB, which minds case and can use an index. */
function globOf(pattern: string): string {
  let glob = '';
  for (let i = 0; i < pattern.length; i++) {
    let character = pattern.charAt(i);
    const isEscaped = character === '\\';
    if (isEscaped) {
      character = pattern.charAt(++i);
      if (character === '') {
        throw new InvalidQueryError(
          'The pattern is not valid: backslash escapes the character after it and cannot be the last.',
        );
      }
    }
    if (!isEscaped && character === '%') glob += '*';
    else if (!isEscaped && character === '_') glob += '?';
    else glob += '*?['.includes(character) ? `[${character}]` : character;
  }
  return glob;
}

/** Declared types; their affinity decides how SQLite keeps the values. */
function columnType(field: Field): string {
  if (field.array) return 'text';
  switch (field.type) {
    case 'string':
      return field.length === undefined ? 'varchar' : `varchar(${field.length})`;
    case 'enum':
      return 'varchar';
    case 'integer':
      return 'integer';
    case 'bigint':
      // The key that SQLite counts up must be called integer.
      return field.generated === 'sequence' ? 'integer' : 'bigint';
    case 'float':
      return 'double';
    case 'boolean':
      return 'boolean';
    case 'timestamp':
      return field.timePrecision === 'ns' ? 'bigint' : 'datetime';
    case 'date':
      return 'date';
    case 'bytes':
      return 'blob';
    default:
      // Decimals too: a column called decimal would make doubles of them.
      return field.type === 'uuid' ? 'varchar' : 'text';
  }
}

/** With sql.js, which decodes texts in a way of its own. */
export const sqljsDialect: Dialect = { ...sqliteDialect, encoder: portableEncoders({ losesMark: true }) };
