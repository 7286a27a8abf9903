/**
 * What is committed in a memory domain: rows by identity, an index per unique constraint, counters of sequences.
 * A table is found by store and source, so that a second `open()` on the same store finds what the first one wrote.
 */
import { type EntityModel, type Field, rowKey, type Value } from '@storeweave/core';
import type { LockTable } from './locks.js';
import { cell, type Stored } from './values.js';

export interface UniqueRule {
  readonly name: string;
  readonly fields: readonly Field[];
}

/** Identities by unique value, per rule. Entries may be stale; whoever looks checks the row. */
export type UniqueIndex = Map<string, Map<string, Set<string>>>;

export class Table {
  rows = new Map<string, Stored>();
  readonly unique: UniqueIndex = new Map();
  readonly sequences = new Map<string, bigint>();
  constructor(readonly name: string) {}
}

/** What a transaction needs of its domain. */
export interface Committed {
  readonly locks: LockTable;
  readonly fences: { check(name: string, unitOfWork: string | undefined): void };
  table(entity: EntityModel): Table;
  /** Makes changes of one table the committed state. */
  install(name: string, entity: EntityModel, changes: ReadonlyMap<string, Stored | null>): void;
  takeSnapshot(): Map<string, ReadonlyMap<string, Stored>>;
  dropSnapshot(): void;
}

export function tableName(entity: EntityModel): string {
  return `${entity.store}/${entity.namespace === undefined ? '' : `${entity.namespace}.`}${entity.source}`;
}

export function identityOf(entity: EntityModel, row: Stored): string {
  return rowKey(entity.ids.map((field) => cell(row, field)));
}

const rules = new WeakMap<EntityModel, readonly UniqueRule[]>();

/** Unique constraints other than the identity. */
export function uniqueRules(entity: EntityModel): readonly UniqueRule[] {
  const known = rules.get(entity);
  if (known !== undefined) return known;
  const found = new Map<string, UniqueRule>();
  for (const field of entity.fields)
    if (field.unique) found.set(field.column, { name: `${entity.source}_${field.column}_key`, fields: [field] });
  for (const index of entity.indexes)
    if (index.unique && index.where === undefined)
      found.set(index.fields.map((field) => field.column).join(), { name: index.name, fields: index.fields });
  const list = [...found.values()];
  rules.set(entity, list);
  return list;
}

/** The unique value of a row, or undefined where a part of it is absent (absent values never collide). */
export function uniqueKey(rule: UniqueRule, row: Stored): string | undefined {
  const values: Value[] = [];
  for (const field of rule.fields) {
    const value = cell(row, field);
    if (value === null) return undefined;
    values.push(value);
  }
  return rowKey(values);
}

export function enterUnique(index: UniqueIndex, rule: UniqueRule, key: string, identity: string): void {
  let byKey = index.get(rule.name);
  if (byKey === undefined) {
    byKey = new Map();
    index.set(rule.name, byKey);
  }
  const holders = byKey.get(key);
  if (holders === undefined) byKey.set(key, new Set([identity]));
  else holders.add(identity);
}
