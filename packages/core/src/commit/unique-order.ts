/**
 * A unique value that one row gives up and another takes, in the same commit: inserts, updates, deletions in this order
 * would meet it twice. What gives it up is therefore written early; where two updates trade values, it is null in between.
 * Nothing of this costs a commit in which no such value changes hands.
 */
import type { EntityModel, IndexModel } from '../model/entity-model.js';
import type { Row, Value } from '../model/field.js';
import type { ChangeSet, DeleteChange, UpdateChange } from './change.js';

export interface FreedValues {
  /** Sets unique values to null that are taken before their row gets its own new one. */
  readonly cleared: readonly UpdateChange[];
  /** To be written before the inserts. */
  readonly updates: readonly UpdateChange[];
  readonly deletes: readonly DeleteChange[];
  /** Everything else. */
  readonly rest: ChangeSet;
}

export function freeUniqueValues(changes: ChangeSet): FreedValues {
  const cleared: UpdateChange[] = [];
  const updates = new Set<UpdateChange>();
  const deletes = new Set<DeleteChange>();
  for (const entity of entitiesThatFree(changes)) {
    for (const index of entity.indexes) {
      if (!index.unique || index.fields.every((field) => field.id)) continue;
      const byInsert = new Set<string>();
      const byUpdate = new Set<string>();
      for (const { entity: own, row } of changes.inserts) if (own === entity) note(byInsert, index, row);
      for (const { entity: own, values, before } of changes.updates) {
        if (own === entity && touches(index, values)) note(byUpdate, index, after(before, values));
      }
      if (byInsert.size + byUpdate.size === 0) continue;
      for (const change of changes.updates) {
        if (change.entity !== entity || !touches(index, change.values)) continue;
        const freed = uniqueValue(index, change.before ?? []);
        if (freed === undefined) continue;
        if (byUpdate.has(freed) || (byInsert.has(freed) && change.parents.length > 0)) {
          const clear = clearing(change, index);
          if (clear !== undefined) cleared.push(clear);
        } else if (byInsert.has(freed)) updates.add(change);
      }
      for (const change of changes.deletes) {
        if (change.entity !== entity) continue;
        const freed = uniqueValue(index, change.row ?? []);
        if (freed !== undefined && (byInsert.has(freed) || byUpdate.has(freed))) deletes.add(change);
      }
    }
  }
  if (deletes.size > 0) addReferring(changes, deletes);
  return {
    cleared,
    updates: [...updates],
    deletes: [...deletes],
    rest: {
      ...changes,
      updates: updates.size === 0 ? changes.updates : changes.updates.filter((change) => !updates.has(change)),
      deletes: deletes.size === 0 ? changes.deletes : changes.deletes.filter((change) => !deletes.has(change)),
    },
  };
}

/** Entities of which a row goes or changes; all others keep what they have. */
function entitiesThatFree({ updates, deletes }: ChangeSet): Set<EntityModel> {
  const entities = new Set<EntityModel>();
  for (const { entity } of updates) entities.add(entity);
  for (const { entity } of deletes) entities.add(entity);
  return entities;
}

/** Deletions of what may refer to an early one have to be early, too. */
function addReferring(changes: ChangeSet, deletes: Set<DeleteChange>): void {
  const entities = new Set([...deletes].map((change) => change.entity));
  for (let size = -1; size !== entities.size; ) {
    size = entities.size;
    for (const { entity } of changes.deletes) {
      if (entity.relations.some(({ join, target }) => join.via === 'owner' && entities.has(target)))
        entities.add(entity);
    }
  }
  const first = new Set([...deletes].map((change) => change.entity));
  for (const change of changes.deletes) {
    if (entities.has(change.entity) && !first.has(change.entity)) deletes.add(change);
  }
}

function touches(index: IndexModel, values: Row): boolean {
  return index.fields.some((field) => values[field.index] !== undefined);
}

function after(before: Row | undefined, values: Row): Row {
  return values.map((value, at) => (value === undefined ? before?.[at] : value));
}

function note(into: Set<string>, index: IndexModel, row: Row): void {
  const value = uniqueValue(index, row);
  if (value !== undefined) into.add(value);
}

/** Text of the values of an index; undefined where one is absent, since then nothing is unique. */
function uniqueValue(index: IndexModel, row: Row): string | undefined {
  let text = '';
  for (const field of index.fields) {
    const value: Value = row[field.index];
    if (value === undefined || value === null) return undefined;
    const part = value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
    text += `${part.length}:${part}`;
  }
  return text;
}

function clearing(change: UpdateChange, index: IndexModel): UpdateChange | undefined {
  const field = index.fields.find((candidate) => candidate.nullable && !candidate.id);
  if (field === undefined) return undefined;
  const values: Row = new Array(change.entity.fields.length).fill(undefined);
  values[field.index] = null;
  return { op: 'update', entity: change.entity, values, key: change.key, parents: [] };
}
