/**
 * Change sets become batches: one for each (store, entity, operation), inserts with parents first, then updates, then
 * deletions with children first. Updates of different fields of one entity share a batch. The number of batches depends
 * on the classes involved and never on the number of rows.
 */
import type { EntityModel } from '../model/entity-model.js';
import { type Field, isMadeByStore, type Row } from '../model/field.js';
import type { Store } from '../store/store.js';
import type { ChangeSet, DeleteChange, InsertChange, UpdateChange } from './change.js';
import { orderDeletes } from './delete-order.js';
import { orderInserts } from './dependency-order.js';
import { PlannedDelete, PlannedInsert, PlannedUpdate, type PlannedWrite } from './planned-write.js';
import { freeUniqueValues } from './unique-order.js';

export function planWrites(changes: ChangeSet, storeOf: (entity: EntityModel) => Store): PlannedWrite[] {
  const { cleared, updates: early, deletes: gone, rest } = freeUniqueValues(changes);
  const order = orderInserts(rest.inserts);
  const closing = [...order.deferred].map(([change, parents]): UpdateChange => {
    // The key may be one that the insert makes: it is read from the row when the batch is put together.
    return { op: 'update', entity: change.entity, values: emptyRow(change.entity), key: lazyKey(change), parents };
  });
  return [
    ...updateWrites([...cleared, ...early], storeOf),
    ...deleteWrites(gone, storeOf),
    ...order.batches.flatMap((batch) =>
      split(batch, insertKind).map(
        (part) => new PlannedInsert(storeOf(part[0].entity), part[0].entity, part, order.deferred),
      ),
    ),
    ...updateWrites([...closing, ...rest.updates], storeOf),
    ...deleteWrites(rest.deletes, storeOf),
  ];
}

function updateWrites(updates: readonly UpdateChange[], storeOf: (entity: EntityModel) => Store): PlannedWrite[] {
  return split(updates, updateKind).map((part) => new PlannedUpdate(storeOf(part[0].entity), part[0].entity, part));
}

function deleteWrites(deletes: readonly DeleteChange[], storeOf: (entity: EntityModel) => Store): PlannedWrite[] {
  const order = orderDeletes(deletes);
  const released = order.released.flatMap(({ changes: holding, fields }) =>
    holding.map((change): UpdateChange => {
      const values = emptyRow(change.entity);
      for (const field of fields) values[field.index] = null;
      return { op: 'update', entity: change.entity, values, key: change.key, parents: [] };
    }),
  );
  return [
    ...updateWrites(released, storeOf),
    ...order.batches.flatMap((batch) =>
      split(batch, (change) => (change.expected === undefined ? 'unversioned' : 'versioned')).map(
        (part) => new PlannedDelete(storeOf(part[0].entity), part[0].entity, part),
      ),
    ),
  ];
}

/** Rows with and without values that the store makes differ in fields; links that may exist differ in what a conflict means. */
function insertKind({ entity, row, ifAbsent }: InsertChange): string {
  let kind = ifAbsent === true ? 'link' : '';
  for (const field of madeByStore(entity)) if (row[field.index] === undefined) kind += ` ${field.name}`;
  return kind;
}

const made = new WeakMap<EntityModel, readonly Field[]>();

function madeByStore(entity: EntityModel): readonly Field[] {
  let fields = made.get(entity);
  if (fields === undefined) {
    fields = entity.fields.filter(isMadeByStore);
    made.set(entity, fields);
  }
  return fields;
}

function updateKind(change: UpdateChange): string {
  return change.expected === undefined ? `${change.entity.name} unversioned` : change.entity.name;
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
