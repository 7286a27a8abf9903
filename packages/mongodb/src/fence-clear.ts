/**
 * What becomes of fences: installed or cleared, by whoever gets there first, as often as it is tried. Every operation
 * looks for the owner's fence and does nothing where that is gone, so one that comes late finds nothing to do. Changes
 * that hand unique values on are installed in one transaction; all others need none.
 */
import {
  type Access,
  type EntityModel,
  type FenceOwner,
  type InsertBatch,
  type Row,
  UniqueViolationError,
  type UpdateBatch,
  type WriteBatch,
} from '@storeweave/core';
import type { Document } from 'mongodb';
import { idOf } from './condition.js';
import type { Call, MongodbDomain } from './domain.js';
import { FENCE, FENCE_OP, heldBy } from './fence-form.js';
import { shapeOf } from './names.js';
import { type Operation, sendOrdered, sendUnordered } from './requests.js';
import { changedFields, reservationsOf, touchedKeys } from './reservation.js';
import { uniqueKeysOf } from './unique-keys.js';
import { Changes, documentMaker } from './write.js';

export const CLEAR: Document = { $unset: { [FENCE]: '' } };

export async function applyFences(
  domain: MongodbDomain,
  owner: FenceOwner,
  batches: readonly WriteBatch[],
  access: Access,
): Promise<void> {
  const handing = handsOn(batches);
  if (handing.size === 0) {
    await domain.use(access, undefined, (call) =>
      sendAll(
        batches.flatMap((batch) => installing(owner, batch, call)),
        call,
      ),
    );
    return;
  }
  const inOne = (isVacated: boolean) =>
    domain.atomic(
      access,
      undefined,
      (call) => sendOrdered(steps(owner, batches, handing, isVacated, call), call),
      true,
    );
  try {
    await inOne(false);
  } catch (error) {
    if (!(error instanceof UniqueViolationError)) throw error;
    // Rows of this unit of work take values from each other: all give theirs up first.
    await inOne(true);
  }
}

export async function clearFences(owner: FenceOwner, batches: readonly WriteBatch[], call: Call): Promise<void> {
  const operations = [...handsOn(batches)].map((entity) => withoutReservations(owner, entity, call));
  for (const batch of batches) {
    const { namespace } = call.collection(batch.entity);
    const filter = { ...keysOf(batch), ...heldBy(owner) };
    if (batch.op === 'insert') operations.push({ name: 'deleteMany', namespace, filter });
    else operations.push({ name: 'updateMany', namespace, filter, update: CLEAR });
  }
  await sendAll(operations, call);
}

/** The same without being told where they are; placeholders are known by what they are. */
export async function clearAllFences(owner: FenceOwner, entities: readonly EntityModel[], call: Call): Promise<void> {
  const placeholder = { ...heldBy(owner), [FENCE_OP]: { $in: ['insert', 'reserve'] } };
  const other = { ...heldBy(owner), [FENCE_OP]: { $nin: ['insert', 'reserve'] } };
  const operations = entities.flatMap((entity): Operation[] => {
    const { namespace } = call.collection(entity);
    return [
      { name: 'deleteMany', namespace, filter: placeholder },
      { name: 'updateMany', namespace, filter: other, update: CLEAR },
    ];
  });
  await sendAll(operations, call);
}

export async function sendAll(operations: readonly Operation[], call: Call): Promise<void> {
  const { refused } = await sendUnordered(operations, call);
  for (const error of refused.values()) throw error;
}

/** Entities of which a unique value may pass from one document to another, or to a reservation and from there. */
export function handsOn(batches: readonly WriteBatch[]): Set<EntityModel> {
  const entities = new Set<EntityModel>();
  for (const batch of batches) {
    const { entity } = batch;
    if (uniqueKeysOf(entity).length === 0) continue;
    const isBeside = (op: WriteBatch['op']) => batches.some((each) => each.entity === entity && each.op === op);
    if (batch.op === 'update' && batch.rows.some((row) => touchedKeys(batch, changedFields(batch, row)).length > 0)) {
      entities.add(entity);
    }
    if (batch.op === 'delete' && isBeside('insert')) entities.add(entity);
  }
  return entities;
}

function steps(
  owner: FenceOwner,
  batches: readonly WriteBatch[],
  handing: ReadonlySet<EntityModel>,
  isVacated: boolean,
  call: Call,
): Operation[] {
  const rank = ({ op }: WriteBatch) => ({ delete: 0, update: 1, insert: 2 })[op];
  const ordered = [...batches].sort((a, b) => rank(a) - rank(b));
  const vacating = isVacated
    ? ordered.flatMap((batch) => (batch.op === 'update' && handing.has(batch.entity) ? vacate(owner, batch, call) : []))
    : [];
  return [
    ...[...handing].map((entity) => withoutReservations(owner, entity, call)),
    ...ordered.filter(({ op }) => op === 'delete').flatMap((batch) => installing(owner, batch, call)),
    ...vacating,
    ...ordered
      .filter(({ op }) => op !== 'delete')
      .flatMap((batch) => [
        ...installing(owner, batch, call),
        ...(batch.op === 'insert' && handing.has(batch.entity) ? filling(owner, batch, call) : []),
      ]),
  ];
}

function withoutReservations(owner: FenceOwner, entity: EntityModel, call: Call): Operation {
  return { name: 'deleteMany', namespace: call.collection(entity).namespace, filter: reservationsOf(owner) };
}

export function installing(owner: FenceOwner, batch: WriteBatch, call: Call): Operation[] {
  const { namespace } = call.collection(batch.entity);
  const filter = { ...keysOf(batch), ...heldBy(owner) };
  if (batch.op === 'delete') return [{ name: 'deleteMany', namespace, filter }];
  if (batch.op === 'insert') {
    return [{ name: 'updateMany', namespace, filter: { ...filter, [FENCE_OP]: 'insert' }, update: CLEAR }];
  }
  if (batch.fields.length === 0) return [{ name: 'updateMany', namespace, filter, update: CLEAR }];
  return batch.keys.map(
    (key, at): Operation => ({
      name: 'updateOne',
      namespace,
      filter: { _id: idOf(shapeOf(batch.entity), key) as never, ...heldBy(owner) },
      update: changeOf(batch, batch.rows[at] ?? []),
    }),
  );
}

function changeOf(batch: UpdateBatch, row: Row): Document {
  const changes = new Changes(shapeOf(batch.entity));
  for (const [at, field] of batch.fields.entries()) changes.set(field, row[at]);
  const update = changes.update() ?? {};
  return { ...update, $unset: { ...(update.$unset as Document | undefined), [FENCE]: '' } };
}

/** Takes a document's values out of the unique indexes in which it is about to get others. */
function vacate(owner: FenceOwner, batch: UpdateBatch, call: Call): Operation[] {
  const shape = shapeOf(batch.entity);
  const { namespace } = call.collection(batch.entity);
  return batch.keys.flatMap((key, at): Operation[] => {
    const changed = changedFields(batch, batch.rows[at] ?? []);
    const fields = touchedKeys(batch, changed).flatMap((index) =>
      index.fields.filter((each) => changed.includes(each)),
    );
    if (fields.length === 0) return [];
    const _id = idOf(shape, key);
    const mark = { reserve: owner.unitOfWork, of: _id };
    // Said to be a reservation, it may have values that are none of its class.
    const $set = { [FENCE_OP]: 'reserve', ...Object.fromEntries(fields.map((field) => [shape.path(field), mark])) };
    return [{ name: 'updateOne', namespace, filter: { _id: _id as never, ...heldBy(owner) }, update: { $set } }];
  });
}

/** New documents whose placeholder could hold nothing but the identity, because their values were still another's. */
function filling(owner: FenceOwner, batch: InsertBatch, call: Call): Operation[] {
  const { namespace } = call.collection(batch.entity);
  return batch.rows.map(documentMaker(shapeOf(batch.entity), batch.fields)).map(({ _id, ...values }) => ({
    name: 'replaceOne',
    namespace,
    filter: { _id, ...heldBy(owner), [FENCE_OP]: 'reserve' },
    replacement: values,
  }));
}

/** Filter: the batch's documents. */
function keysOf(batch: WriteBatch): Document {
  const ids = idsOf(batch);
  return { _id: ids.length === 1 ? ids[0] : { $in: ids } };
}

function idsOf(batch: WriteBatch): unknown[] {
  const shape = shapeOf(batch.entity);
  if (batch.op !== 'insert') return batch.keys.map((key) => idOf(shape, key));
  const at = batch.entity.ids.map((id) => batch.fields.indexOf(id));
  return batch.rows.map((row) =>
    idOf(
      shape,
      at.map((position) => row[position]),
    ),
  );
}
