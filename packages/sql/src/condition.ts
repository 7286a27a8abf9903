/**
 * Conditions as SQL. Three-valued logic is left to the server, but for `not`, `ne` and `notIn`, which are exact
 * complements: `(…) is not true` holds also where the inner condition is unknown.
 */
import { type Condition, InvalidQueryError, type Operand, type Value } from '@storeweave/core';
import type { Comparison } from './dialect.js';
import { jsonText } from './encode.js';
import { relatedCondition } from './related.js';
import type { TableScope } from './scope.js';

const comparisons = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

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
      return byDocument(condition, table, () => equals(condition.on, condition.value, table));
    case 'ne': {
      const { on, value } = condition;
      if (isJson(on)) return `(${equals(on, value, table)}) is not true`;
      const { dialect } = table.scope;
      const [left, right] = [table.operand(on), table.value(on.field, value)];
      return on.field.nullable ? dialect.isDistinct(left, right) : `${left} <> ${right}`;
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
      return table.scope.dialect.like(condition.op, textOf(condition.on, table), condition.pattern, table.scope);
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
  const document = `${alias}.${scope.dialect.quote(layout.documentColumn)}`;
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
  if (text === undefined) throw table.scope.dialect.encoder(table.entity, on.field).fail('it has no JSON form');
  return text;
}

function comparand(on: Operand, value: Value, table: TableScope): string {
  if (hasPath(on)) return table.scope.dialect.json.value(jsonOf(on, value, table), table.scope);
  return table.value(on.field, value);
}

function equals(on: Operand, value: Value, table: TableScope): string {
  const [left, right] = [table.operand(on), comparand(on, value, table)];
  return isJson(on) ? table.scope.dialect.json.equals(left, right) : `${left} = ${right}`;
}

function ordered(on: Operand, value: Value, operator: Comparison, table: TableScope): string {
  const { dialect } = table.scope;
  const left = table.operand(on);
  const right = comparand(on, value, table);
  if (isJson(on)) return dialect.json.compares(left, operator, right, value);
  return `${dialect.sortable(left, on.field)} ${operator} ${dialect.sortable(right, on.field)}`;
}

function oneOf(on: Operand, values: readonly Value[], table: TableScope): string {
  const { dialect } = table.scope;
  if (!isJson(on)) return dialect.isOneOf(on.field, values, table);
  const texts = values.map((value) => jsonOf(on, value, table));
  return dialect.json.isOneOf(table.operand(on), texts, table.scope);
}

/** The operand as text, for patterns. */
function textOf(on: Operand, table: TableScope): string {
  const { json, asText } = table.scope.dialect;
  if (hasPath(on)) return json.string(table.operand(on));
  const { type, array } = on.field;
  const isText = !array && (type === 'string' || type === 'text');
  return isText ? table.operand(on) : asText(table.operand(on));
}

function contains(on: Operand, value: Value, table: TableScope): string {
  const { scope } = table;
  const { dialect } = scope;
  if (isJson(on)) {
    const has = dialect.json.contains(table.operand(on), jsonOf(on, value, table), scope);
    if (!hasPath(on) || typeof value !== 'string') return has;
    // At a path a string may be meant as a part of a string, too.
    return `(${has} or ${dialect.hasPart(textOf(on, table), value, scope)})`;
  }
  if (on.field.array) return dialect.hasElements(on.field, Array.isArray(value) ? value : [value], table);
  if (typeof value !== 'string') {
    throw new InvalidQueryError(
      `"contains" on ${table.entity.name}.${on.field.name} (${on.field.type}) needs a string, an array field or a json field.`,
      { entity: table.entity.name, property: on.field.name },
    );
  }
  return dialect.hasPart(textOf(on, table), value, scope);
}

function keys({ fields, rows }: Extract<Condition, { op: 'keys' }>, table: TableScope): string {
  const [only, ...others] = fields;
  if (only === undefined) return 'false';
  if (others.length === 0) {
    return table.scope.dialect.isOneOf(
      only,
      rows.map((row) => row[0]),
      table,
    );
  }
  if (rows.length === 1) {
    return `(${fields.map((field, i) => `${table.field(field)} = ${table.value(field, rows[0]?.[i])}`).join(' and ')})`;
  }
  return table.scope.dialect.hasKeys(fields, rows, table);
}
