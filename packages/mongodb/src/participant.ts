/** The store beside another coordinator: fences on documents, by what the files `fence-*.ts` do. */
import type {
  Access,
  CommitParticipant,
  EntityModel,
  FenceOutcome,
  FenceOwner,
  UnitPart,
  WriteBatch,
} from '@storeweave/core';
import type { Document } from 'mongodb';
import type { MongodbDomain } from './domain.js';
import { mapError } from './errors.js';
import { applyManyFences } from './fence-apply-many.js';
import { applyFences, clearAllFences, clearFences } from './fence-clear.js';
import { FENCE, HELD } from './fence-form.js';
import { putFences } from './fence-put.js';
import { shapeOf } from './names.js';

export class MongodbParticipant implements CommitParticipant {
  constructor(
    private readonly domain: MongodbDomain,
    private readonly entities: () => readonly EntityModel[],
  ) {}

  async fence(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<FenceOutcome> {
    const [outcome] = await this.fenceMany([{ owner, batches }], access);
    if (outcome?.status === 'fulfilled') return outcome.value;
    throw outcome?.reason;
  }

  async fenceMany(units: readonly UnitPart[], access: Access): Promise<readonly PromiseSettledResult<FenceOutcome>[]> {
    const outcomes = await this.domain.use(alone(access), undefined, (call) => putFences(units, call));
    return outcomes.map((each, at) =>
      each.status === 'fulfilled'
        ? each
        : { status: 'rejected', reason: mapError(each.reason, only(units[at]?.batches ?? [])) },
    );
  }

  apply(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void> {
    return applyFences(this.domain, owner, filled(batches), alone(access));
  }

  applyMany(units: readonly UnitPart[], access: Access): Promise<void> {
    const some = units.map(({ owner, batches }) => ({ owner, batches: filled(batches) }));
    return applyManyFences(this.domain, some, alone(access));
  }

  unfence(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void> {
    return this.domain.use(alone(access), only(batches), (call) => clearFences(owner, filled(batches), call));
  }

  unfenceAll(owner: FenceOwner, access: Access): Promise<void> {
    return this.domain.use(alone(access), undefined, (call) => clearAllFences(owner, this.entities(), call));
  }

  async owners(limit: number, access: Access): Promise<readonly FenceOwner[]> {
    const [first, ...others] = new Set(this.entities().map((entity) => shapeOf(entity).collection));
    if (first === undefined || limit <= 0) return [];
    const pipeline: Document[] = [{ $match: HELD }, { $project: { _id: 0, [FENCE]: 1 } }];
    const found = await this.domain.use(alone(access), undefined, ({ db, options }) =>
      db
        .collection(first)
        .aggregate(
          [
            ...pipeline,
            ...others.map((coll) => ({ $unionWith: { coll, pipeline } })),
            { $group: { _id: `$${FENCE}.uow`, coordinator: { $first: `$${FENCE}.coordinator` } } },
            { $limit: limit },
          ],
          options,
        )
        .toArray(),
    );
    return found.map(({ _id, coordinator }) => ({ unitOfWork: String(_id), coordinator: String(coordinator) }));
  }
}

/** Fences outlive transactions, and are never part of one. */
function alone({ transaction: _, ...access }: Access): Access {
  return access;
}

function filled(batches: readonly WriteBatch[]): readonly WriteBatch[] {
  return batches.filter((batch) => (batch.op === 'insert' ? batch.rows : batch.keys).length > 0);
}

/** The entity that errors are about, where there is one. */
function only(batches: readonly WriteBatch[]): EntityModel | undefined {
  const [entity, ...others] = new Set(batches.map((batch) => batch.entity));
  return others.length === 0 ? entity : undefined;
}
