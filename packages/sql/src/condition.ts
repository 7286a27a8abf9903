/**
 * Conditions as SQL. Three-valued logic is left to the server, but for `not`, `ne` and `notIn`, which are exact
 * complements: `(…) is not true` holds also where the inner condition is unknown.
 */
import { type Condition, type Field, InvalidQueryError, type Operand, type Value } from '@storeweave/core';
import { arrayLiteral, quoteElement } from './array-literal.js';
import { encoderOf, jsonText } from './encode.js';
import { quoteName } from './identifier.js';
import { relatedCondition } from './related.js';
import type { TableScope } from './scope.js';

const comparisons = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/** SQL of the condition, to be put behind `where` or between `and`s. */
export function compileCondition(condition: Condition, table: TableScope): string {
  switch (condition.op) {
    case 'and':
      return joined(condition.conditions, ' and ', 'true', table);
    case 'or':
      return joined(condition.conditions, ' or ', 'false', table);
    case 'not':
      return `(${compileCondition(condition.condition, table)}) is not true`;
    case 'eq':
      return byDocument(
        condition,
        table,
        () => `${table.operand(condition.on)} = ${comparand(condition.on, condition.value, table)}`,
      );
    case 'ne': {
      const operator = isJson(condition.on) || condition.on.field.nullable ? 'is distinct from' : '<>';
      return `${table.operand(condition.on)} ${operator} ${comparand(condition.on, condition.value, table)}`;
    }
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return ordered(condition.on, condition.value, comparisons[condition.op], table);
    case 'between':
      return `(${ordered(condition.on, condition.low, '>=', table)} and ${ordered(condition.on, condition.high, '<=', table)})`;
    case 'in':
      return oneOf(condition.on, condition.values, table);
    case 'notIn':
      return `(${oneOf(condition.on, condition.values, table)}) is not true`;
    case 'like':
    case 'ilike':
      return `${textOf(condition.on, table)} ${condition.op} ${table.scope.parameter(condition.pattern, 'text')}`;
    case 'contains':
      return byDocument(condition, table, () => contains(condition.on, condition.value, table));
    case 'exists':
      return `${table.operand(condition.on)} is ${condition.present ? 'not null' : 'null'}`;
    case 'keys':
      return keys(condition, table);
    case 'related':
      return relatedCondition(condition.relation, condition.where, table, compileCondition);
  }
}

function joined(conditions: readonly Condition[], word: string, empty: string, table: TableScope): string {
  if (conditions.length === 0) return empty;
  if (conditions.length === 1) return compileCondition(conditions[0] as Condition, table);
  return `(${conditions.map((each) => compileCondition(each, table)).join(word)})`;
}

/** Asks the whole document where an index over it can answer, and the field itself where that says too little. */
function byDocument(
  { op, on, value }: { readonly op: string; readonly on: Operand; readonly value: Value },
  table: TableScope,
  byField: () => string,
): string {
  const { layout, alias, scope } = table;
  const containment = layout.containing?.(op === 'contains' ? 'contains' : 'eq', on, value);
  if (containment === undefined || layout.documentColumn === undefined) return byField();
  const document = `${alias}.${quoteName(layout.documentColumn)}`;
  const found = containment.anyOf.map((json) => `${document} @> ${scope.parameter(json, 'jsonb')}`).join(' or ');
  return containment.exact ? `(${found})` : `((${found}) and ${byField()})`;
}

function hasPath(on: Operand): boolean {
  return on.path !== undefined && on.path.length > 0;
}

/** True where the operand's values are `jsonb`. */
function isJson(on: Operand): boolean {
  return hasPath(on) || (on.field.type === 'json' && !on.field.array);
}

function jsonOf(on: Operand, value: Value, table: TableScope): string {
  const text = jsonText(value);
  if (text === undefined) throw encoderOf(table.entity, on.field).fail('it has no JSON form');
  return text;
}

function comparand(on: Operand, value: Value, table: TableScope): string {
  if (hasPath(on)) return table.scope.parameter(jsonOf(on, value, table), 'jsonb');
  return table.value(on.field, value);
}

/** JSON values are ordered only among their own type; across types the comparison is false, not PostgreSQL's own order. */
function ordered(on: Operand, value: Value, operator: string, table: TableScope): string {
  const left = table.operand(on);
  const right = comparand(on, value, table);
  const comparison = `${left} ${operator} ${right}`;
  return isJson(on) ? `(jsonb_typeof(${left}) = jsonb_typeof(${right}) and ${comparison})` : comparison;
}

function oneOf(on: Operand, values: readonly Value[], table: TableScope): string {
  if (hasPath(on)) {
    const literal = arrayLiteral(values, (value) => quoteElement(jsonOf(on, value, table)));
    return `${table.operand(on)} = any(${table.scope.parameter(literal, 'jsonb[]')})`;
  }
  if (on.field.array) {
    // `= any` would take the arrays apart.
    if (values.length === 0) return 'false';
    return `(${values.map((value) => `${table.operand(on)} = ${table.value(on.field, value)}`).join(' or ')})`;
  }
  return `${table.operand(on)} = ${oneOrAny(on.field, values, table)}`;
}

/** A single value is compared as such: the server reads it a third faster than an array of one. */
function oneOrAny(field: Field, values: readonly Value[], table: TableScope): string {
  return values.length === 1 ? table.value(field, values[0]) : `any(${table.list(field, values)})`;
}

/** The operand as text, for patterns. */
function textOf(on: Operand, table: TableScope): string {
  if (hasPath(on)) {
    const value = table.operand(on);
    return `(case when jsonb_typeof(${value}) = 'string' then ${value} #>> '{}' end)`;
  }
  const { type, array } = on.field;
  const isText = !array && (type === 'string' || type === 'text');
  return isText ? table.operand(on) : `${table.operand(on)}::text`;
}

function contains(on: Operand, value: Value, table: TableScope): string {
  if (isJson(on)) {
    const has = `${table.operand(on)} @> ${table.scope.parameter(jsonOf(on, value, table), 'jsonb')}`;
    if (!hasPath(on) || typeof value !== 'string') return has;
    // At a path a string may be meant as a part of a string, too.
    return `(${has} or strpos(${textOf(on, table)}, ${table.scope.parameter(value, 'text')}) > 0)`;
  }
  if (on.field.array) return `${table.operand(on)} @> ${table.value(on.field, Array.isArray(value) ? value : [value])}`;
  if (typeof value !== 'string') {
    throw new InvalidQueryError(
      `"contains" on ${table.entity.name}.${on.field.name} (${on.field.type}) needs a string, an array field or a json field.`,
      { entity: table.entity.name, property: on.field.name },
    );
  }
  return `strpos(${textOf(on, table)}, ${table.scope.parameter(value, 'text')}) > 0`;
}

function keys({ fields, rows }: Extract<Condition, { op: 'keys' }>, table: TableScope): string {
  const [only, ...others] = fields;
  if (only === undefined) return 'false';
  const column = (i: number): Value[] => rows.map((row) => row[i]);
  if (others.length === 0) return `${table.field(only)} = ${oneOrAny(only, column(0), table)}`;
  if (rows.length === 1) {
    return `(${fields.map((field, i) => `${table.field(field)} = ${table.value(field, rows[0]?.[i])}`).join(' and ')})`;
  }
  const lists = fields.map((field, i) => table.list(field, column(i)));
  return `(${fields.map((field) => table.field(field)).join(', ')}) in (select * from unnest(${lists.join(', ')}))`;
}
