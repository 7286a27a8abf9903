/**
 * Writes that pass the unit of work by, with their records. What a statement would change is read first and kept from
 * others, by the transaction that then changes exactly these rows and writes what became of them: the rows are on record,
 * and not that "something" was changed. Where an entity is not audited, nothing of this is paid for.
 */
import type { AuditPolicy } from '../audit/policy.js';
import type { RowChange } from '../audit/row-change.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Row } from '../model/field.js';
import { idsOf } from '../query/identity.js';
import { keyText } from '../query/key.js';
import { and, isFalse, keysIn, orAbsent } from '../query/logic.js';
import { pagesByKey } from '../query/pages.js';
import { entitiesIn, settle } from '../query/semi-join.js';
import type { AuditedUnit, CallOptions, WorkContext } from '../session/ports.js';
import type { Condition } from '../store/condition.js';
import type { PatchOperation } from '../store/documents.js';
import type { InsertBatch } from '../store/write.js';
import { newRows } from './new-rows.js';
import { upsertRecorded } from './recorded-upsert.js';
import { type Change, deleteWhere, updateWhere, upsertRows, writeNew } from './write.js';

/** Rows that are read, changed and recorded at a time. */
const CHUNK = 10_000;

/** As `updateWhere`, on record. */
export function updateAll(
  work: WorkContext,
  entity: EntityModel,
  where: Condition,
  change: Change,
  call: CallOptions,
): Promise<number> {
  return recorded(
    work,
    entity,
    call,
    () => updateWhere(work, entity, where, change, call),
    (unit) => changeMatching(unit, entity, where, call, (these) => updateWhere(unit.work, entity, these, change, call)),
  );
}

/** As `deleteWhere`, on record. */
export function deleteAll(
  work: WorkContext,
  entity: EntityModel,
  where: Condition,
  call: CallOptions,
): Promise<number> {
  return recorded(
    work,
    entity,
    call,
    () => deleteWhere(work, entity, where, call),
    (unit) => changeMatching(unit, entity, where, call, (these) => deleteWhere(unit.work, entity, these, call)),
  );
}

/** Applies a patch to documents that match, on record. */
export function patchAll(
  work: WorkContext,
  entity: EntityModel,
  where: Condition,
  operations: readonly PatchOperation[],
  call: CallOptions,
): Promise<number> {
  const patch = async (context: WorkContext, these: Condition) => {
    const access = await context.access(entity, [entity, ...entitiesIn(these)], { ...call, writes: true });
    return (
      (await context.store(entity).documents?.patch({ entity, target: { where: these }, operations }, access)) ?? 0
    );
  };
  return recorded(
    work,
    entity,
    call,
    async () => {
      const settled = await settle(work, entity, where, call);
      return isFalse(settled) ? 0 : patch(work, settled);
    },
    (unit) => changeMatching(unit, entity, where, call, (these) => patch(unit.work, these)),
  );
}

/** Inserts and gives the rows as they are now stored, on record. */
export async function insertAll(
  work: WorkContext,
  entity: EntityModel,
  list: readonly unknown[],
  call: CallOptions,
): Promise<Row[]> {
  const rows = newRows(entity, list);
  await writeAll(work, entity, rows, call);
  return rows;
}

/** As `writeNew`, on record. Values that the store makes get into the rows. */
export function writeAll(
  work: WorkContext,
  entity: EntityModel,
  rows: readonly Row[],
  call: CallOptions,
): Promise<number> {
  const plain = () => writeNew(work, entity, rows, call);
  return recorded(work, entity, call, plain, async (unit) => {
    // Copies, since the unit of work may be done again and the store then makes other values.
    const written = rows.map((row) => row.slice());
    const count = await writeNew(unit.work, entity, written, call);
    const changes = written.map((after): RowChange => ({ after }));
    await record(unit, entity, changes, call);
    for (const [at, row] of rows.entries()) Object.assign(row, written[at]);
    return count;
  });
}

/** As `upsertRows`, on record. */
export function upsertAll(
  work: WorkContext,
  entity: EntityModel,
  rows: readonly Row[],
  conflict: NonNullable<InsertBatch['onConflict']>,
  call: CallOptions,
): Promise<number> {
  return recorded(
    work,
    entity,
    call,
    () => upsertRows(work, entity, rows, conflict, call),
    async (unit) => {
      const { count, changes } = await upsertRecorded(unit.work, entity, rows, conflict, call);
      await record(unit, entity, changes, call);
      return count;
    },
  );
}

/** Whether changes of an entity are on record. */
export function policyOf(work: WorkContext, entity: EntityModel): AuditPolicy | undefined {
  return work.audit?.policies.get(entity);
}

function recorded<R>(
  work: WorkContext,
  entity: EntityModel,
  call: CallOptions,
  plain: () => Promise<R>,
  run: (unit: AuditedUnit) => Promise<R>,
): Promise<R> {
  const { audit } = work;
  return audit?.policies.has(entity) === true ? audit.inUnit(call, run) : plain();
}

/** Changes rows that match, some at a time, and records what became of each. Returns their number. */
async function changeMatching(
  unit: AuditedUnit,
  entity: EntityModel,
  where: Condition,
  call: CallOptions,
  change: (these: Condition) => Promise<number>,
): Promise<number> {
  const { work } = unit;
  const settled = await settle(work, entity, where, call);
  if (isFalse(settled)) return 0;
  const store = work.store(entity);
  const access = await work.access(entity, [entity, ...entitiesIn(settled)], call);
  const isLocked = store.capabilities.rowLocks && access.transaction !== undefined;
  const spec = {
    entity,
    fields: entity.fields,
    where: orAbsent(settled),
    ...(isLocked ? { lock: 'update' as const } : {}),
  };
  let pages: AsyncIterable<Row[]> | Iterable<Row[]> = pagesByKey(store, spec, access, CHUNK);
  // A filter over relations may match other rows once some are changed, so all are found before.
  if (entitiesIn(settled).length > 0) pages = await collect(pages);
  let count = 0;
  for await (const page of pages) {
    const before = page.map((row) => row.slice(0, entity.fields.length));
    const keys = keysIn(
      entity.ids,
      before.map((row) => idsOf(entity, row)),
    );
    // Locked rows match until the end; others may have been changed by someone else since they were read.
    count += await change(isLocked ? keys : and(settled, keys));
    const left = await store.read({ entity, fields: entity.fields, where: keys }, access);
    const after = new Map(left.map((row) => [keyText(idsOf(entity, row)), row]));
    const changes = before.map((row): RowChange => ({ before: row, after: after.get(keyText(idsOf(entity, row))) }));
    await record(unit, entity, changes, call);
  }
  return count;
}

async function collect(pages: AsyncIterable<Row[]>): Promise<Row[][]> {
  const all: Row[][] = [];
  for await (const page of pages) all.push(page);
  return all;
}

async function record(
  unit: AuditedUnit,
  entity: EntityModel,
  changes: readonly RowChange[],
  call: CallOptions,
): Promise<void> {
  const { work, records } = unit;
  if (work.audit === undefined) return;
  await writeNew(work, work.audit.log, records(entity, changes), call);
}
