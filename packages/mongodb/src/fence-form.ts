/**
 * What a fence looks like: `_f { uow, coordinator, op }` in the document that it stands on, and there only as long as the
 * unit of work is under way. A new document carries it from its birth and is a placeholder until then; a reservation is a
 * document of its own that holds a unique value for one that is about to take it. Whoever reads passes over both, and
 * whoever writes keeps off all of them.
 */
import type { FenceOwner } from '@storeweave/core';
import type { Document } from 'mongodb';

/** Name of the system field. */
export const FENCE = '_f';
/** Path of the unit of work in it. */
export const FENCE_UNIT = `${FENCE}.uow`;
/** Path of what is going to be done. */
export const FENCE_OP = `${FENCE}.op`;

export type FenceOp = 'insert' | 'update' | 'delete' | 'guard' | 'reserve';

/** Filter: neither a placeholder nor a reservation. */
export const SHOWN: Document = { [FENCE_OP]: { $nin: ['insert', 'reserve'] } };
/** Filter: nobody's fence is on it. */
export const FREE: Document = { [FENCE]: { $exists: false } };
/** Filter: somebody's fence is on it. The sparse index answers it. */
export const HELD: Document = { [FENCE_UNIT]: { $exists: true } };
/** What a validator lets through beside documents of the class. */
export const RESERVATION: Document = { [FENCE_OP]: 'reserve' };

export const FENCE_INDEX = { name: 'storeweave_fences', key: { [FENCE_UNIT]: 1 }, options: { sparse: true } } as const;

/** How every write of a fence is acknowledged: not before it outlives the server. */
export const DURABLE = { writeConcern: { w: 'majority', j: true } } as const;

export function fenceOf({ unitOfWork, coordinator }: FenceOwner, op: FenceOp): Document {
  return { uow: unitOfWork, coordinator, op };
}

/** Filter: this owner's fence is on it. */
export function heldBy({ unitOfWork }: FenceOwner): Document {
  return { [FENCE_UNIT]: unitOfWork };
}

/** Whose fence is on the document, if any. */
export function ownerIn(document: Document): FenceOwner | undefined {
  const fence: unknown = document[FENCE];
  if (typeof fence !== 'object' || fence === null) return undefined;
  const { uow, coordinator } = fence as Document;
  return { unitOfWork: String(uow), coordinator: String(coordinator) };
}

/** Owners, each once. */
export class Owners {
  readonly #byUnit = new Map<string, FenceOwner>();

  add(owner: FenceOwner | undefined): void {
    if (owner !== undefined) this.#byUnit.set(owner.unitOfWork, owner);
  }

  get all(): readonly FenceOwner[] {
    return [...this.#byUnit.values()];
  }
}
