/**
 * Change sets become batches: one for each (store, entity, operation), inserts with parents first, then updates, then
 * deletions with children first. Updates of different fields of one entity share a batch. The number of batches depends
 * on the classes involved and never on the number of rows.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import type { Store } from '../store/store.js';
import type { Change, ChangeSet, InsertChange, UpdateChange } from './change.js';
import { orderDeletes } from './delete-order.js';
import { orderInserts } from './dependency-order.js';
import { PlannedDelete, PlannedInsert, PlannedUpdate, type PlannedWrite } from './planned-write.js';

export function planWrites(changes: ChangeSet, storeOf: (entity: EntityModel) => Store): PlannedWrite[] {
  const writes: PlannedWrite[] = [];
  const order = orderInserts(changes.inserts);
  for (const batch of order.batches) {
    for (const part of split(batch, insertKind)) {
      writes.push(new PlannedInsert(storeOf(part[0].entity), part[0].entity, part, order.deferred));
    }
  }
  const closing = [...order.deferred].map(([change, parents]): UpdateChange => {
    // The key may be one that the insert makes: it is read from the row when the batch is put together.
    return { op: 'update', entity: change.entity, values: emptyRow(change.entity), key: lazyKey(change), parents };
  });
  for (const part of [...split(closing, entityOf), ...split(changes.updates, updateKind)]) {
    writes.push(new PlannedUpdate(storeOf(part[0].entity), part[0].entity, part));
  }
  const deletes = orderDeletes(changes.deletes);
  for (const { changes: holding, fields } of deletes.released) {
    const updates = holding.map((change): UpdateChange => {
      const values = emptyRow(change.entity);
      for (const field of fields) values[field.index] = null;
      return { op: 'update', entity: change.entity, values, key: change.key, parents: [] };
    });
    for (const part of split(updates, entityOf)) {
      writes.push(new PlannedUpdate(storeOf(part[0].entity), part[0].entity, part));
    }
  }
  for (const batch of deletes.batches) {
    for (const part of split(batch, (change) => String(change.expected === undefined))) {
      writes.push(new PlannedDelete(storeOf(part[0].entity), part[0].entity, part));
    }
  }
  return writes;
}

/** Rows with and without an id of their own differ in fields; links that may exist differ in what a conflict means. */
function insertKind({ entity, row, ifAbsent }: InsertChange): string {
  let kind = ifAbsent === true ? 'link' : '';
  for (const id of entity.ids) if (id.generated === 'sequence' && row[id.index] === undefined) kind += id.name;
  return kind;
}

function updateKind(change: UpdateChange): string {
  return change.expected === undefined ? `${change.entity.name} unversioned` : change.entity.name;
}

function entityOf(change: Change): string {
  return change.entity.name;
}

function emptyRow(entity: EntityModel): Row {
  return new Array(entity.fields.length).fill(undefined);
}

function lazyKey(change: InsertChange): Row {
  const { ids } = change.entity;
  const key: Row = new Array(ids.length);
  for (const [at, id] of ids.entries()) {
    Object.defineProperty(key, at, { enumerable: true, get: () => change.row[id.index] });
  }
  return key;
}

type NonEmpty<T> = readonly [T, ...T[]];

function split<T>(items: readonly T[], kind: (item: T) => string): NonEmpty<T>[] {
  const parts = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const name = kind(item);
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [item]);
    else part.push(item);
  }
  return [...parts.values()];
}
