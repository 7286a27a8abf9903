/** Read requests as Cypher: one pattern, its condition, an order in which absent values go where they are asked to. */
import type { Condition, Order, ReadSpec } from '@storeweave/core';
import { compileCondition } from './condition.js';
import { visible } from './fences/marks.js';
import { jsonOrder } from './json-condition.js';
import { leavesOf, pointer } from './json-leaves.js';
import { type GraphNames, quote } from './names.js';
import { type Cypher, type Matched, Scope } from './scope.js';
import { encode } from './values.js';

/** Answers one list `row` per entity, aligned with the fields; with `ids`, only of those with these internal ids. */
export function selectCypher(spec: ReadSpec, names: GraphNames, ids?: readonly string[]): Cypher {
  const scope = new Scope(names);
  const matched = scope.match(spec.entity);
  const text = [
    ids === undefined ? matchCypher(spec.where, matched, scope) : knownCypher(ids, spec.where, matched, scope),
  ];
  const order = orderCypher(spec.order ?? [], matched, scope);
  const { perGroup } = spec;
  if (perGroup !== undefined) {
    const all = matched.names.join(', ');
    if (order !== '') text.push(`WITH ${all}${order}`);
    const from = scope.parameter(BigInt(spec.offset ?? 0));
    const to = spec.limit === undefined ? '' : scope.parameter(BigInt((spec.offset ?? 0) + spec.limit));
    text.push(
      `WITH [${perGroup.map((field) => matched.field(field)).join(', ')}] AS g, collect([${all}]) AS members`,
      `UNWIND members[${from}..${to}] AS member`,
      `WITH ${matched.names.map((name, i) => `member[${i}] AS ${name}`).join(', ')}`,
    );
  }
  text.push(`RETURN [${spec.fields.map((field) => matched.field(field)).join(', ')}] AS row${order}`);
  if (perGroup === undefined) {
    if (spec.offset !== undefined && spec.offset > 0) text.push(`SKIP ${scope.parameter(BigInt(spec.offset))}`);
    if (spec.limit !== undefined) text.push(`LIMIT ${scope.parameter(BigInt(spec.limit))}`);
  }
  return scope.statement(text.join('\n'));
}

export function countCypher(entity: ReadSpec['entity'], where: Condition | undefined, names: GraphNames): Cypher {
  const scope = new Scope(names);
  return scope.statement(`${matchCypher(where, scope.match(entity), scope)}\nRETURN count(*)`);
}

/** The internal ids of what matches, in the order asked for. */
export function identifyCypher(spec: ReadSpec, names: GraphNames): Cypher {
  const scope = new Scope(names);
  const matched = scope.match(spec.entity);
  const text = [
    matchCypher(spec.where, matched, scope),
    `WITH ${matched.self}${matched.names
      .slice(1)
      .map((name) => `, ${name}`)
      .join('')}${orderCypher(spec.order ?? [], matched, scope)}`,
  ];
  if (spec.offset !== undefined && spec.offset > 0) text.push(`SKIP ${scope.parameter(BigInt(spec.offset))}`);
  if (spec.limit !== undefined) text.push(`LIMIT ${scope.parameter(BigInt(spec.limit))}`);
  text.push(`WITH ${matched.self} ORDER BY elementId(${matched.self})`, ...lockCypher(matched.self));
  text.push(`RETURN collect(elementId(${matched.self}))`);
  return scope.statement(text.join('\n'));
}

/** Writing a property takes the lock that keeps other writers out until the end of the transaction. */
export function lockCypher(alias: string): string[] {
  const lock = `${alias}.${quote(LOCK)}`;
  return [`SET ${lock} = true`, `REMOVE ${lock}`];
}

/** Written and removed in one statement, so nobody ever sees it. */
const LOCK = 'storeweave:lock';

/** `MATCH … WHERE …`; many keys of several parts are looked up one by one in the index, not compared with each row. */
export function matchCypher(where: Condition | undefined, matched: Matched, scope: Scope): string {
  const seen = visible(matched, scope);
  if (where === undefined) return `MATCH ${matched.pattern}${seen.length === 0 ? '' : ` WHERE ${seen.join(' AND ')}`}`;
  const parts = where.op === 'and' ? [...where.conditions] : [where];
  const at = parts.findIndex((part) => part.op === 'keys');
  const keys = parts[at];
  if (keys?.op !== 'keys')
    return `MATCH ${matched.pattern} WHERE ${[compileCondition(where, matched, scope), ...seen].join(' AND ')}`;
  parts.splice(at, 1);
  const key = scope.alias('k');
  const rows = scope.parameter(keys.rows.map((row) => keys.fields.map((field, i) => encode(field, row[i]))));
  const conditions = [
    ...keys.fields.map((field, i) => `${matched.field(field)} = ${key}[${i}]`),
    ...parts.map((part) => compileCondition(part, matched, scope)),
    ...seen,
  ];
  return `UNWIND ${rows} AS ${key} WITH DISTINCT ${key}\nMATCH ${matched.pattern} WHERE ${conditions.join(' AND ')}`;
}

function knownCypher(ids: readonly string[], where: Condition | undefined, matched: Matched, scope: Scope): string {
  const id = scope.alias('id');
  const conditions = [
    ...(where === undefined ? [] : [compileCondition(where, matched, scope)]),
    ...visible(matched, scope),
  ];
  return `UNWIND ${scope.parameter(ids)} AS ${id}\nMATCH ${matched.pattern} WHERE ${[`elementId(${matched.self}) = ${id}`, ...conditions].join(' AND ')}`;
}

/** Neo4j puts absent values last going up and first going down; anything else is asked for by another key before. */
function orderCypher(order: readonly Order[], matched: Matched, scope: Scope): string {
  const keys = order.flatMap(({ on, direction, nulls }) => {
    const own =
      on.path === undefined || on.path.length === 0
        ? matched.operand(on)
        : jsonOrder(`${matched.self}.${quote(leavesOf(on.field.column))}`, pointer(on.path), scope);
    const key = direction === 'asc' ? own : `${own} DESC`;
    if ((direction === 'asc') === (nulls === 'last')) return [key];
    return [nulls === 'last' ? `${own} IS NULL` : `${own} IS NULL DESC`, key];
  });
  return keys.length === 0 ? '' : ` ORDER BY ${keys.join(', ')}`;
}
