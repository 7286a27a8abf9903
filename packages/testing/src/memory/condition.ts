/** Conditions over stored rows: the core decides them, and asks here for the rows of related entities. */
import {
  type Condition,
  type EntityModel,
  type Field,
  type Operand,
  type Predicate,
  predicateOf,
  type RelationModel,
  operandValue as readOperand,
  rowKey,
  type Value,
} from '@storeweave/core';
import { cell, type Stored } from './values.js';

/** The rows of an entity as the running call sees them. */
export interface View {
  rows(entity: EntityModel): Iterable<Stored>;
}

/** The operand's value; absent where the path leads nowhere or to JSON's null. */
export function operandValue(row: Stored, on: Operand): Value {
  return readOperand(row, on, { value: cell });
}

export function predicate(condition: Condition, view: View): Predicate<Stored> {
  return predicateOf(condition, { value: cell, related: (relation, where) => related(relation, where, view) });
}

function related(relation: RelationModel, where: Condition, view: View): Predicate<Stored> {
  const matches = predicate(where, view);
  const keysOf = (fields: readonly Field[], row: Stored) => fields.map((field) => cell(row, field));
  const { join } = relation;
  const found = new Set<string>();
  if (join.via !== 'link') {
    for (const row of view.rows(relation.target)) if (matches(row)) found.add(rowKey(keysOf(join.targetFields, row)));
    return (row) => {
      const key = keysOf(join.fields, row);
      return key.every((value) => value !== null) && found.has(rowKey(key));
    };
  }
  const targets = new Set<string>();
  for (const row of view.rows(relation.target)) if (matches(row)) targets.add(rowKey(keysOf(relation.target.ids, row)));
  for (const row of view.rows(join.link)) {
    const owner = rowKey(keysOf(join.ownerFields, row));
    const target = rowKey(keysOf(join.targetFields, row));
    if (targets.has(target)) found.add(owner);
    if (join.direction === 'both' && targets.has(owner)) found.add(target);
  }
  return (row) => found.has(rowKey(keysOf(relation.owner.ids, row)));
}
