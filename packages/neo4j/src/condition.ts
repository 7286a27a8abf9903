/**
 * Conditions as Cypher. A comparison with an absent value is null there, which a WHERE takes for false, so comparisons
 * stay as plain as indexes need them; only where one is negated is null made false first, and a negation is the exact
 * complement. Values and patterns go in as parameters, names quoted.
 */
import { type Condition, InvalidQueryError, type Operand, type RelationModel, type Value } from '@storeweave/core';
import { visible } from './fences/marks.js';
import { type JsonTest, jsonContains, jsonTest } from './json-condition.js';
import { leafEnd, leavesOf, pointer } from './json-leaves.js';
import { type Like, likeOf } from './like.js';
import { quote } from './names.js';
import { Matched, type Scope } from './scope.js';
import { encode, encodeElement } from './values.js';

const COMPARE = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/** A condition on what is matched. */
export function compileCondition(condition: Condition, matched: Matched, scope: Scope): string {
  switch (condition.op) {
    case 'and':
    case 'or': {
      const parts = condition.conditions.map((part) => compileCondition(part, matched, scope));
      if (parts.length === 0) return condition.op === 'and' ? 'true' : 'false';
      return parts.length === 1 ? (parts[0] as string) : `(${parts.join(condition.op === 'and' ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return negated(compileCondition(condition.condition, matched, scope));
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return comparison(condition.op, condition.on, condition.value, matched, scope);
    case 'ne':
      return negated(comparison('eq', condition.on, condition.value, matched, scope));
    case 'in':
      return membership(condition.on, condition.values, matched, scope);
    case 'notIn':
      return negated(membership(condition.on, condition.values, matched, scope));
    case 'between':
      return `(${comparison('gte', condition.on, condition.low, matched, scope)} AND ${comparison('lte', condition.on, condition.high, matched, scope)})`;
    case 'like':
    case 'ilike':
      return like(condition.on, likeOf(condition.pattern, condition.op === 'ilike'), matched, scope);
    case 'contains':
      return contains(condition.on, condition.value, matched, scope);
    case 'exists':
      return exists(condition.on, condition.present, matched, scope);
    case 'keys': {
      const { fields, rows } = condition;
      const values = rows.map((row) => fields.map((field, i) => encode(field, row[i])));
      return `[${fields.map((field) => matched.field(field)).join(', ')}] IN ${scope.parameter(values)}`;
    }
    case 'related':
      return related(condition.relation, condition.where, matched, scope);
  }
}

function negated(condition: string): string {
  return `NOT coalesce(${condition}, false)`;
}

function comparison(op: keyof typeof COMPARE, on: Operand, value: Value, matched: Matched, scope: Scope): string {
  if (isPath(on)) {
    if (op === 'eq') return `${scope.parameter(pointer(on.path) + leafEnd(value))} IN ${leaves(on, matched)}`;
    const test: JsonTest = { on: leaves(on, matched), at: pointer(on.path) };
    if (typeof value === 'number' || typeof value === 'bigint')
      return jsonTest(
        { ...test, type: 'number' },
        (own) => `${own} ${COMPARE[op]} ${scope.parameter(Number(value))}`,
        scope,
      );
    if (typeof value === 'string' || typeof value === 'boolean')
      return jsonTest(
        { ...test, type: typeof value === 'string' ? 'string' : 'boolean' },
        (own) => `${own} ${COMPARE[op]} ${scope.parameter(String(value))}`,
        scope,
      );
    // Objects, arrays and null are equal or not, and have no order.
    return op === 'gte' || op === 'lte' ? comparison('eq', on, value, matched, scope) : 'false';
  }
  const own = matched.operand(on);
  return `${own} ${COMPARE[op]} ${scope.parameter(encode(on.field, value))}`;
}

function membership(on: Operand, values: readonly Value[], matched: Matched, scope: Scope): string {
  if (isPath(on)) {
    const at = pointer(on.path);
    const wanted = scope.parameter(values.map((value) => at + leafEnd(value)));
    const each = scope.alias('l');
    return `any(${each} IN ${leaves(on, matched)} WHERE ${each} IN ${wanted})`;
  }
  return `${matched.operand(on)} IN ${scope.parameter(values.map((value) => encode(on.field, value)))}`;
}

function like(on: Operand, { operator, text }: Like, matched: Matched, scope: Scope): string {
  const test = (own: string) => `${own} ${operator} ${scope.parameter(text)}`;
  return isPath(on)
    ? jsonTest({ on: leaves(on, matched), at: pointer(on.path), type: 'string' }, test, scope)
    : test(matched.operand(on));
}

function contains(on: Operand, value: Value, matched: Matched, scope: Scope): string {
  const { field } = on;
  if (field.type === 'json' && !field.array) {
    const list = leaves(on, matched);
    const at = pointer(on.path ?? []);
    const inside = jsonContains(list, scope.parameter(at), value, true, scope);
    if (typeof value !== 'string' || !isPath(on)) return inside;
    const substring = jsonTest(
      { on: list, at, type: 'string' },
      (own) => `${own} CONTAINS ${scope.parameter(value)}`,
      scope,
    );
    return `(${inside} OR ${substring})`;
  }
  if (field.array) {
    const wanted = scope.parameter((value as Value[]).map((element) => encodeElement(field, element)));
    const own = matched.field(field);
    const each = scope.alias('e');
    return `(${own} IS NOT NULL AND all(${each} IN ${wanted} WHERE ${each} IN ${own}))`;
  }
  return `${matched.field(field)} CONTAINS ${scope.parameter(encode(field, String(value)))}`;
}

function exists(on: Operand, present: boolean, matched: Matched, scope: Scope): string {
  if (!isPath(on)) return `${matched.operand(on)} IS ${present ? 'NOT NULL' : 'NULL'}`;
  const at = pointer(on.path);
  const each = scope.alias('l');
  const found = `any(${each} IN ${leaves(on, matched)} WHERE ${each} STARTS WITH ${scope.parameter(`${at}=`)} AND ${each} <> ${scope.parameter(at + leafEnd(null))})`;
  return present ? found : negated(found);
}

/** Some related entity of this graph satisfies a condition. */
function related(relation: RelationModel, where: Condition, matched: Matched, scope: Scope): string {
  const { join, target } = relation;
  if (join.via === 'link') {
    const link = scope.names.shape(join.link).ends;
    if (link === undefined) throw new InvalidQueryError(`${join.link.name} is no relationship of the graph.`);
    const other = scope.match(target);
    const condition = compileCondition(where, other, scope);
    const way = new Matched(scope.names.shape(join.link), scope.alias('r'), '', '');
    const type = `[${way.self}:${quote(way.shape.source)}]`;
    const isFromOwner = join.ownerFields.every((field, i) => field === link.from.fields[i]);
    const step = join.direction === 'both' ? `-${type}-` : isFromOwner ? `-${type}->` : `<-${type}-`;
    // What leads to a placeholder is one itself.
    const conditions = [...visible(way, scope), condition];
    return `EXISTS { MATCH (${matched.self})${step}${other.pattern} WHERE ${conditions.join(' AND ')} }`;
  }
  const other = scope.match(target);
  const on = join.fields.map((field, i) => `${other.field(join.targetFields[i] ?? field)} = ${matched.field(field)}`);
  const condition = compileCondition(where, other, scope);
  return `EXISTS { MATCH ${other.pattern} WHERE ${[...on, ...visible(other, scope), condition].join(' AND ')} }`;
}

function isPath(on: Operand): on is Operand & { readonly path: readonly string[] } {
  return on.path !== undefined && on.path.length > 0;
}

function leaves(on: Operand, matched: Matched): string {
  return `${matched.self}.${quote(leavesOf(on.field.column))}`;
}
