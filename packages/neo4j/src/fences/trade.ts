/**
 * Unique values that change hands within one unit of work. Until the decision they stay with what gives them up, which is
 * fenced and so keeps everybody else away; what takes them is fenced without them and gets them when it is installed.
 */
import type { EntityModel, Field, WriteBatch } from '@storeweave/core';
import { type GraphNames, quote, type Shape } from '../names.js';
import { isFencedFor, UNIT } from './marks.js';

/** Fields of a unique constraint. */
export type UniqueFields = readonly Field[];

/** The constraints that a change can run into: one that holds another is implied by it. */
export function uniquesOf(entity: EntityModel, names: GraphNames): readonly UniqueFields[] {
  const rules = names.uniqueRules(entity).map(({ fields }) => fields);
  const implies = (other: UniqueFields, fields: UniqueFields) =>
    other.length < fields.length && other.every((each) => fields.includes(each));
  return rules.filter(
    (fields) => fields.some((field) => !entity.ids.includes(field)) && !rules.some((other) => implies(other, fields)),
  );
}

/** The constraints of which both sides may be among these batches. */
export function tradedIn(
  batches: readonly WriteBatch[],
  names: GraphNames,
): ReadonlyMap<EntityModel, readonly UniqueFields[]> {
  const traded = new Map<EntityModel, readonly UniqueFields[]>();
  for (const entity of new Set(batches.map((batch) => batch.entity))) {
    const own = batches.filter((batch) => batch.entity === entity);
    const rules = uniquesOf(entity, names).filter((rule) => {
      const changed = sum(
        own.map((batch) => (batch.op === 'update' && touches(batch.fields, rule) ? batch.keys.length : 0)),
      );
      const added = sum(own.map((batch) => (batch.op === 'insert' ? batch.rows.length : 0)));
      const removed = sum(own.map((batch) => (batch.op === 'delete' ? batch.keys.length : 0)));
      return added + changed > 0 && removed + changed > 0 && added + changed + removed > 1;
    });
    if (rules.length > 0) traded.set(entity, rules);
  }
  return traded;
}

export function touches(fields: readonly Field[], rule: UniqueFields): boolean {
  return rule.some((field) => fields.includes(field));
}

/** Looks, for each rule, for what has the values: `giver0`, `giver1` …, null where nothing does. */
export function giversCypher(rules: readonly UniqueFields[], shape: Shape, value: (field: Field) => string): string[] {
  return rules.map((rule, i) => {
    const giver = `giver${i}`;
    const label = quote(shape.source);
    const pattern = shape.ends === undefined ? `(${giver}:${label})` : `()-[${giver}:${label}]->()`;
    const same = rule.map((field) => `${giver}.${quote(field.column)} = ${value(field)}`);
    return `OPTIONAL MATCH ${pattern} WHERE ${same.join(' AND ')}`;
  });
}

/** True where what has the values of a rule belongs to the same unit of work and may give them up. */
export function isGiver(rule: number, unit: string): string {
  const giver = `giver${rule}`;
  return `coalesce(${giver}.${UNIT} = ${unit} AND ${isFencedFor(giver, ['update', 'delete'])}, false)`;
}

/** The value of a field, or null where somebody is to give it up first. */
export function untilGiven(rules: readonly UniqueFields[], field: Field, value: string, unit: string): string {
  const givers = rules.flatMap((rule, i) => (rule.includes(field) ? [isGiver(i, unit)] : []));
  return givers.length === 0 ? value : `CASE WHEN NOT (${givers.join(' OR ')}) THEN ${value} END`;
}

/** How many values are still to be given. */
export function countGivers(rules: readonly UniqueFields[], unit: string): string {
  return rules.length === 0 ? '0' : rules.map((_, i) => `count(CASE WHEN ${isGiver(i, unit)} THEN 1 END)`).join(' + ');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
