/**
 * Writes that pass the unit of work by: new rows in one batch, and changes of all rows that match a filter in one
 * statement. No hooks run and nothing cascades; entities that are loaded already keep the values they have.
 */
import { CapabilityError, InvalidQueryError, OptimisticLockError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import { type Field, isMadeByStore, type Row, type Value } from '../model/field.js';
import { and, isFalse, keysIn, orAbsent } from '../query/logic.js';
import { pagesByKey } from '../query/pages.js';
import { entitiesIn, settle } from '../query/semi-join.js';
import type { CallOptions, WorkContext } from '../session/ports.js';
import type { Condition } from '../store/condition.js';
import { rowKey } from '../store/value-key.js';
import { addValues } from '../store/value-order.js';
import type { BulkUpdate, DeleteBatch, InsertBatch, UpdateBatch } from '../store/write.js';
import { now, one } from './managed.js';
import { storedFields } from './new-rows.js';
import { requireCapability } from './query-plan.js';

/** Rows per batch where a bulk write has to be made of single ones. */
const CHUNK = 5_000;

/** How often such a write goes after rows that others change at the same time. */
const TURNS = 20;

/** Writes new rows, those together in one batch that lack the same values of the store's making. */
export async function writeNew(
  work: WorkContext,
  entity: EntityModel,
  rows: readonly Row[],
  call: CallOptions,
  onConflict?: InsertBatch['onConflict'],
): Promise<number> {
  if (rows.length === 0) return 0;
  const groups = byLack(entity, rows);
  // A point that is there is overwritten anyway.
  const overwrites = entity.kind === 'measurement' && onConflict?.do === 'update' && onConflict.keys === undefined;
  const isPlain = onConflict === undefined || overwrites;
  const insert = async (context: WorkContext): Promise<number> => {
    let count = 0;
    for (const group of groups) {
      const { given, made } = storedFields(entity, group);
      const batch: InsertBatch = {
        op: 'insert',
        entity,
        fields: given,
        rows: group.map((row) => given.map((field) => row[field.index])),
        ...(made.length === 0 ? {} : { returning: made }),
        ...(isPlain ? {} : { onConflict }),
      };
      const writes = isPlain ? 'kept' : true;
      const access = await context.access(entity, [entity], { ...call, writes });
      if (writes === 'kept' && context.keep?.(entity, batch) === false) {
        count += group.length;
        continue;
      }
      const result = await context.store(entity).write(batch, access);
      count += result.count;
      result.returned?.forEach((values, at) => {
        const row = group[at];
        if (row === undefined) return;
        for (const [position, field] of made.entries()) row[field.index] = values[position];
      });
    }
    return count;
  };
  return groups.length > 1 ? work.atomically(entity, call, insert) : insert(work);
}

function byLack(entity: EntityModel, rows: readonly Row[]): Row[][] {
  const fields = entity.fields.filter((field) => field.id || isMadeByStore(field));
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    let lack = '';
    for (const { index } of fields) if (row[index] === undefined) lack += `${index} `;
    const group = groups.get(lack);
    if (group === undefined) groups.set(lack, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

/** What an update by filter sets and adds. */
export interface Change {
  readonly set: readonly { readonly field: Field; readonly value: Value }[];
  readonly increment: readonly { readonly field: Field; readonly by: Value }[];
}

/** Changes all rows that match, with version and time of change. Returns their number. */
export async function updateWhere(
  work: WorkContext,
  entity: EntityModel,
  where: Condition,
  change: Change,
  call: CallOptions,
): Promise<number> {
  const { version, updatedAt } = entity;
  const touched = new Set([...change.set, ...change.increment].map(({ field }) => field));
  if (touched.size === 0)
    throw new InvalidQueryError(`${entity.name}: the update sets nothing. Name at least one property.`, {
      entity: entity.name,
    });
  const whole: Change = {
    set:
      updatedAt === undefined || touched.has(updatedAt)
        ? change.set
        : [...change.set, { field: updatedAt, value: now(updatedAt) }],
    increment: version === undefined ? change.increment : [...change.increment, { field: version, by: one(version) }],
  };
  const settled = await settle(work, entity, where, call);
  if (isFalse(settled)) return 0;
  const store = work.store(entity);
  if (store.bulk === undefined || !store.capabilities.bulkWrites || work.changesByRow?.(entity) === true)
    return updateOneByOne(work, entity, settled, whole, call);
  const access = await work.access(entity, [entity, ...entitiesIn(settled)], { ...call, writes: true });
  const write: BulkUpdate = { op: 'updateWhere', entity, where: settled, ...whole };
  return store.bulk(write, access);
}

/** Deletes all rows that match. Returns their number. */
export async function deleteWhere(
  work: WorkContext,
  entity: EntityModel,
  where: Condition,
  call: CallOptions,
): Promise<number> {
  const settled = await settle(work, entity, where, call);
  if (isFalse(settled)) return 0;
  const store = work.store(entity);
  const reads = [entity, ...entitiesIn(settled)];
  if (store.bulk !== undefined && store.capabilities.bulkWrites && work.changesByRow?.(entity) !== true) {
    return store.bulk(
      { op: 'deleteWhere', entity, where: settled },
      await work.access(entity, reads, { ...call, writes: true }),
    );
  }
  return deleteOneByOne(work, entity, settled, call);
}

/** With the versions that were read: a row that has changed since need not match any more. */
async function deleteOneByOne(
  work: WorkContext,
  entity: EntityModel,
  where: Condition,
  call: CallOptions,
): Promise<number> {
  const { ids, version } = entity;
  const read = version === undefined ? ids : [...ids, version];
  return eachChunk(work, entity, where, read, call, async (rows, context) => {
    const access = await context.access(entity, [], { ...call, writes: 'kept' });
    const store = context.store(entity);
    let left = rows;
    let count = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      const keys = left.map((row) => row.slice(0, ids.length));
      const versions = version === undefined ? {} : { versions: left.map((row) => row[ids.length]) };
      const batch: DeleteBatch = { op: 'delete', entity, keys, ...versions };
      const { missed = [], ...result } = await store.write(batch, access);
      count += result.count;
      const gone = new Set(missed);
      const kept = left.filter((_, at) => !gone.has(at));
      if (kept.length > 0) {
        context.keep?.(entity, {
          ...batch,
          keys: kept.map((row) => row.slice(0, ids.length)),
          ...(version === undefined ? {} : { versions: kept.map((row) => row[ids.length]) }),
        });
      }
      // What is gone is no concern any more; what was changed is deleted if it still matches.
      if (missed.length === 0 || version === undefined) return count;
      const again = keys.filter((_, at) => gone.has(at));
      left = await store.read({ entity, fields: read, where: and(where, keysIn(ids, again)) }, access);
      if (left.length === 0) return count;
    }
    throw tooBusy(entity, left.length, 'a delete');
  });
}

async function updateOneByOne(
  work: WorkContext,
  entity: EntityModel,
  where: Condition,
  change: Change,
  call: CallOptions,
): Promise<number> {
  const { version } = entity;
  if (work.changesByRow?.(entity) === true && version === undefined && change.increment.length > 0) {
    throw new CapabilityError(
      `${entity.name} in store "${entity.store}" is incremented in a unit of work over several databases, which needs to know that nobody else changed the row in between. Give the class a @Version, or increment in a unit of work of its own.`,
      { entity: entity.name, store: entity.store },
    );
  }
  const added = change.increment.map(({ field }) => field);
  const fields = [...change.set.map(({ field }) => field), ...added];
  const read = [...entity.ids, ...added];
  return eachChunk(work, entity, where, read, call, async (rows, context) => {
    const access = await context.access(entity, [], { ...call, writes: 'kept' });
    const store = context.store(entity);
    const keyOf = (row: Row) => row.slice(0, entity.ids.length);
    let left = rows;
    let count = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      const batch: UpdateBatch = {
        op: 'update',
        entity,
        fields,
        keys: left.map(keyOf),
        rows: left.map((row) => [
          ...change.set.map(({ value }) => value),
          ...change.increment.map(({ field, by }, at) => addValues(field, row[entity.ids.length + at], by)),
        ]),
        ...(version === undefined
          ? {}
          : { versions: left.map((row) => row[entity.ids.length + added.indexOf(version)]) }),
      };
      const { missed = [], ...result } = await store.write(batch, access);
      context.keep?.(entity, without(batch, missed));
      count += result.count;
      // Someone else was quicker: what they left is changed in turn, if it still matches.
      const again = missed.flatMap((at) => (left[at] === undefined ? [] : [keyOf(left[at])]));
      if (again.length === 0) return count;
      left = await store.read({ entity, fields: read, where: and(where, keysIn(entity.ids, again)) }, access);
      if (left.length === 0) return count;
    }
    throw tooBusy(entity, left.length, 'an update');
  });
}

function tooBusy(entity: EntityModel, rows: number, what: string): OptimisticLockError {
  return new OptimisticLockError(
    `${rows} rows of ${entity.name} in store "${entity.store}" were changed by someone else each time ${what} by filter came to them. Run it again.`,
    { entity: entity.name, store: entity.store },
  );
}

function without(batch: UpdateBatch, missed: readonly number[]): UpdateBatch {
  if (missed.length === 0) return batch;
  const left = <T>(items: readonly T[]): T[] => items.filter((_, at) => !missed.includes(at));
  const versions = batch.versions === undefined ? {} : { versions: left(batch.versions) };
  return { ...batch, keys: left(batch.keys), rows: left(batch.rows), ...versions };
}

/** Runs over all rows that match, as one transaction where the store has them. */
async function eachChunk(
  work: WorkContext,
  entity: EntityModel,
  where: Condition,
  fields: readonly Field[],
  call: CallOptions,
  write: (rows: readonly Row[], context: WorkContext) => Promise<number>,
): Promise<number> {
  return work.atomically(entity, call, async (context) => {
    const access = await context.access(entity, [entity, ...entitiesIn(where)], call);
    let count = 0;
    const store = context.store(entity);
    // What is about to be changed is kept from others, so that entities without a version lose nothing either.
    const isLocked = store.capabilities.rowLocks && access.transaction !== undefined;
    const spec = { entity, fields, where: orAbsent(and(where)), ...(isLocked ? { lock: 'update' as const } : {}) };
    for await (const rows of pagesByKey(store, spec, access, CHUNK)) {
      count += await write(
        rows.map((row) => row.slice(0, fields.length)),
        context,
      );
    }
    return count;
  });
}

/** `upsert` needs a store that decides conflicts by itself: two processes may do it at once. */
export async function upsertRows(
  work: WorkContext,
  entity: EntityModel,
  rows: readonly Row[],
  conflict: NonNullable<InsertBatch['onConflict']>,
  call: CallOptions,
): Promise<number> {
  const store = work.store(entity);
  requireCapability(
    store.capabilities.upsert,
    store,
    entity,
    'upsert',
    'Find the entity, then change or create it in a transaction.',
  );
  if (work.changesByRow?.(entity) === true) return upsertByRow(work, entity, rows, conflict, call);
  return writeNew(work, entity, rows, call, conflict);
}

/** What is there is found first, so that each row is an insert or an update that a commit over several databases can have. */
async function upsertByRow(
  work: WorkContext,
  entity: EntityModel,
  rows: readonly Row[],
  conflict: NonNullable<InsertBatch['onConflict']>,
  call: CallOptions,
): Promise<number> {
  const { version, ids } = entity;
  const { keys = ids, update = [] } = conflict;
  const access = await work.access(entity, [entity], { ...call, writes: 'kept' });
  const store = work.store(entity);
  const keyed = rows.map((row) => keys.map((key) => row[key.index]));
  const known = keyed.filter((key) => key.every((value) => value !== undefined && value !== null));
  const fields = [...keys, ...ids, ...(version === undefined ? [] : [version])];
  const found = await store.read({ entity, fields, where: keysIn(keys, known) }, access);
  const stored = new Map(found.map((row) => [rowKey(row.slice(0, keys.length)), row.slice(keys.length)]));
  const fresh = rows.filter((_, at) => !stored.has(rowKey(keyed[at] ?? [])));
  let count = await writeNew(work, entity, fresh, call);
  const changed = rows.flatMap((row, at) => {
    const [...before] = stored.get(rowKey(keyed[at] ?? [])) ?? [];
    return before.length === 0 || update.length === 0
      ? []
      : [{ row, key: before.slice(0, ids.length), version: before[ids.length] }];
  });
  if (changed.length === 0) return count;
  const batch: UpdateBatch = {
    op: 'update',
    entity,
    fields: update,
    keys: changed.map(({ key }) => key),
    rows: changed.map((each) =>
      update.map((field) => (field === version ? addValues(field, each.version, one(field)) : each.row[field.index])),
    ),
    ...(version === undefined ? {} : { versions: changed.map((each) => each.version) }),
  };
  const { missed = [], ...result } = await store.write(batch, access);
  if (missed.length > 0) {
    throw new OptimisticLockError(
      `${missed.length} rows of ${entity.name} in store "${entity.store}" were changed by someone else during an upsert. Run it again.`,
      { entity: entity.name, store: entity.store },
    );
  }
  work.keep?.(entity, batch);
  count += result.count;
  return count;
}
