/**
 * Several decided units of work installed in one request. What is done alike to documents of all of them (placeholders
 * shown, deletions, guards taken off) is one operation for each collection, which goes by the operation in the fence, so
 * that it takes what each of them fenced for this and nothing else. Those that hand unique values on need a transaction
 * each and go by themselves.
 */
import type { Access, EntityModel, UnitPart, WriteBatch } from '@storeweave/core';
import type { Document } from 'mongodb';
import type { Call, MongodbDomain } from './domain.js';
import { applyFences, CLEAR, handsOn, installing, sendAll } from './fence-clear.js';
import { FENCE_OP, FENCE_UNIT, type FenceOp } from './fence-form.js';
import type { Operation } from './requests.js';

/** Transactions at the same time. */
const SIDE_BY_SIDE = 8;

export async function applyManyFences(
  domain: MongodbDomain,
  units: readonly UnitPart[],
  access: Access,
): Promise<void> {
  const alone = units.filter(({ batches }) => handsOn(batches).size > 0);
  const together = units.filter((unit) => !alone.includes(unit));
  const queue = alone.values();
  const worker = async () => {
    for (const { owner, batches } of queue) await applyFences(domain, owner, batches, access);
  };
  await Promise.all([
    domain.use(access, undefined, (call) => sendAll(operations(together, call), call)),
    ...Array.from({ length: Math.min(SIDE_BY_SIDE, alone.length) }, worker),
  ]);
}

function operations(units: readonly UnitPart[], call: Call): Operation[] {
  const uow = { $in: units.map(({ owner }) => owner.unitOfWork) };
  const alike = new Map<EntityModel, Set<FenceOp>>();
  const changes: Operation[] = [];
  for (const { owner, batches } of units) {
    for (const batch of batches) {
      const op = alikeAs(batch);
      if (op === undefined) {
        changes.push(...installing(owner, batch, call));
        continue;
      }
      alike.set(batch.entity, (alike.get(batch.entity) ?? new Set<FenceOp>()).add(op));
    }
  }
  const all = [...alike].flatMap(([entity, ops]) =>
    [...ops].map((op): Operation => {
      const { namespace } = call.collection(entity);
      // Without their identities: the index of the fences knows them, and nothing else has such a fence.
      const filter: Document = { [FENCE_UNIT]: uow, [FENCE_OP]: op };
      return op === 'delete'
        ? { name: 'deleteMany', namespace, filter }
        : { name: 'updateMany', namespace, filter, update: CLEAR };
    }),
  );
  return [...all, ...changes];
}

/** What is done to all documents of a batch; undefined where each gets values of its own. */
function alikeAs(batch: WriteBatch): FenceOp | undefined {
  if (batch.op !== 'update') return batch.op;
  return batch.fields.length === 0 ? 'guard' : undefined;
}
