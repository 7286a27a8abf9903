/**
 * What an ordinary write does where it meets the fence of a unit of work that is not decided: it leaves nothing and says
 * whose fence it was. A value that a placeholder or reservation holds is refused by the server's own constraint, so
 * there the owner is looked for after the refusal.
 */
import { type Access, type BulkWrite, FencedError, UniqueViolationError, type WriteBatch } from '@storeweave/core';
import type { Neo4jDomain } from '../domain.js';
import type { GraphNames } from '../names.js';
import { holdersOfValues } from './holders.js';
import { heldBy } from './marks.js';

/** How often a write that stands alone is tried again where a value was held and is free by now. */
const TURNS = 3;

/** Throws `FencedError` where `work` met a fence; a transaction that it was a part of is over then. */
export async function heedingFences<R>(
  write: WriteBatch | BulkWrite,
  names: GraphNames,
  domain: Neo4jDomain,
  access: Access,
  work: () => Promise<R>,
): Promise<R> {
  if (!names.isFenced) return work();
  for (let turn = 1; ; turn++) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof FencedError) await domain.end(access, error);
      if (!(error instanceof UniqueViolationError)) throw error;
      const { owners, isFree } = await holdersOfValues([write], names, domain, access);
      if (owners.length > 0) {
        const refusal = heldBy(write.entity, owners);
        await domain.end(access, refusal);
        throw refusal;
      }
      if (!isFree || access.transaction !== undefined || turn >= TURNS) throw error;
    }
  }
}
