/** PostgreSQL's dialect: parameters with casts, lists as arrays, documents as `jsonb`. */
import type { Field, Operand, Order, Value } from '@storeweave/core';
import { arrayLiteral, quoteElement } from './array-literal.js';
import { castType, columnType } from './column-type.js';
import { decoderOf } from './decode.js';
import type { AggregateDialect, Dialect, JsonDialect, TableTerms } from './dialect.js';
import { encoderOf } from './encode.js';
import { quoteName } from './identifier.js';
import { inspectServer } from './inspect.js';
import { decoderOfType, rawText } from './native-types.js';
import { advanceStatements } from './sequences.js';

const json: JsonDialect = {
  at: (expression, path, scope) => {
    const keys = arrayLiteral(path, (key) => quoteElement(String(key)));
    return `nullif(${expression} #> ${scope.parameter(keys, 'text[]')}, 'null')`;
  },
  value: (text, scope) => scope.parameter(text, 'jsonb'),
  equals: (left, right) => `${left} = ${right}`,
  isOneOf: (left, texts, scope) =>
    `${left} = any(${scope.parameter(
      arrayLiteral(texts, (text) => quoteElement(String(text))),
      'jsonb[]',
    )})`,
  // JSON values are ordered only among their own type; across types the comparison is false, not PostgreSQL's own order.
  compares: (left, operator, right) =>
    `(jsonb_typeof(${left}) = jsonb_typeof(${right}) and ${left} ${operator} ${right})`,
  contains: (left, text, scope) => `${left} @> ${scope.parameter(text, 'jsonb')}`,
  string: (value) => `(case when jsonb_typeof(${value}) = 'string' then ${value} #>> '{}' end)`,
  number: (value) => `(case when jsonb_typeof(${value}) = 'number' then (${value} #>> '{}')::double precision end)`,
  sortable: (value) => value,
};

/** Types that have an order but, in PostgreSQL before 18, no `min` and `max`. */
const withoutExtremes: ReadonlySet<string | undefined> = new Set([undefined, 'uuid', 'boolean', 'json', 'bytes']);

const aggregates: AggregateDialect = {
  sum: (expression) => `sum(${expression})`,
  avg: (expression) => `avg(${expression})`,
  extreme: (name, operand, on) => {
    const type = on.path !== undefined && on.path.length > 0 ? undefined : on.field.type;
    if (!withoutExtremes.has(type)) return `${name}(${operand})`;
    return `(array_agg(${operand} order by ${operand} ${name === 'min' ? 'asc' : 'desc'}) filter (where ${operand} is not null))[1]`;
  },
  sortable: (sum) => sum,
  compares: (result, operator, value) => `${result} ${operator} ${value}`,
};

/** A single value is compared as such: the server reads it a third faster than an array of one. */
function oneOrAny(field: Field, values: readonly Value[], table: TableTerms): string {
  return values.length === 1 ? table.value(field, values[0]) : `any(${table.list(field, values)})`;
}

export const pgDialect: Dialect = {
  quote: quoteName,
  literal: (text) => `'${text.replaceAll("'", "''")}'`,
  placeholder: (n) => `$${n}`,
  parameter: (n, type) => `$${n}::${type}`,
  fieldParameter: (n, _, type) => `$${n}::${castType(type)}`,
  columnType,
  encoder: encoderOf,
  decoder: decoderOf,
  selected: (expression) => expression,
  sortable: (expression) => expression,
  isDistinct: (left, right) => `${left} is distinct from ${right}`,
  isOneOf: (field, values, table) => {
    if (!field.array) return `${table.field(field)} = ${oneOrAny(field, values, table)}`;
    // `= any` would take the arrays apart.
    if (values.length === 0) return 'false';
    return `(${values.map((value) => `${table.field(field)} = ${table.value(field, value)}`).join(' or ')})`;
  },
  hasKeys: (fields, rows, table) => {
    const column = (i: number) => rows.map((row) => row[i]);
    const lists = fields.map((field, i) => table.list(field, column(i)));
    return `(${fields.map((field) => table.field(field)).join(', ')}) in (select * from unnest(${lists.join(', ')}))`;
  },
  like: (op, text, pattern, scope) => `${text} ${op} ${scope.parameter(pattern, 'text')}`,
  hasPart: (text, part, scope) => `strpos(${text}, ${scope.parameter(part, 'text')}) > 0`,
  asText: (expression) => `${expression}::text`,
  hasElements: (field, elements, table) => `${table.field(field)} @> ${table.value(field, elements)}`,
  json,
  orderTerm: (order: Order, expression: string) =>
    // `nulls` is only said where the operand can be null, so that plain indexes serve the others.
    `${expression} ${order.direction}${canBeNull(order.on) ? ` nulls ${order.nulls}` : ''}`,
  outputOrder: (position, _, direction) => `${position} ${direction} nulls last`,
  limit: (scope, limit, offset) =>
    (limit === undefined ? '' : ` limit ${scope.parameter(String(limit), 'bigint')}`) +
    (offset === undefined ? '' : ` offset ${scope.parameter(String(offset), 'bigint')}`),
  lock: (kind, alias) => ` for ${kind} of ${alias}`,
  increment: (field, by, table) => `coalesce(${table.field(field)}, 0) + ${table.value(field, by)}`,
  deleteFrom: (table, alias, where) => `delete from ${table} as ${alias} where ${where}`,
  aggregates,
  cursors: true,
  advanceSequences: advanceStatements,
  inspect: inspectServer,
  decoderOfType,
  rawValue: rawText,
};

function canBeNull(on: Operand): boolean {
  return on.field.nullable || (on.path !== undefined && on.path.length > 0);
}
