/**
 * Fences before the decision. What is there gets its marks by a compare-and-set under its lock; what is new is written
 * whole, as a placeholder, so that constraints speak before anything is decided.
 */
import type { DeleteBatch, FenceOwner, InsertBatch, UpdateBatch, WriteBatch } from '@storeweave/core';
import { type GraphNames, quote } from '../names.js';
import { Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { createNodes } from '../write/insert.js';
import { chunks, completeRows, refuseAbsent } from '../write/rows.js';
import { findCypher, lookUp } from '../write/update.js';
import { type FenceOp, holdersOf, markCypher, ownersIn } from './marks.js';

/** What became of one batch. */
export interface Fenced {
  /** Positions of rows that are not there or have another version. */
  readonly missed: readonly number[];
  readonly held: readonly FenceOwner[];
}

export async function fenceBatch(
  batch: WriteBatch,
  owner: FenceOwner,
  names: GraphNames,
  runner: Runner,
): Promise<Fenced> {
  if (batch.op === 'insert') return fenceNew(batch, owner, names, runner);
  if (batch.op === 'update') refuseAbsent(batch);
  return fenceThere(batch, owner, names, runner);
}

async function fenceNew(batch: InsertBatch, owner: FenceOwner, names: GraphNames, runner: Runner): Promise<Fenced> {
  await createNodes(batch, completeRows(batch, new Map()), names, runner, owner);
  return { missed: [], held: [] };
}

async function fenceThere(
  batch: UpdateBatch | DeleteBatch,
  owner: FenceOwner,
  names: GraphNames,
  runner: Runner,
): Promise<Fenced> {
  const { entity, keys, versions } = batch;
  const { version } = entity;
  const shape = names.shape(entity);
  const isMeant =
    version === undefined || versions === undefined ? 'true' : `coalesce(n.${quote(version.column)} = row[1], false)`;
  const settled = new Set<number>();
  const held: FenceOwner[] = [];
  for (const piece of chunks([...keys.keys()])) {
    const scope = new Scope(names);
    const list = scope.parameter(piece.map((at) => [...lookUp(batch, at), at, opOf(batch, at)]));
    const text = [
      findCypher(batch, shape, list),
      `WITH row, n, ${holdersOf('n', shape, batch.op === 'delete', scope.parameter(owner.unitOfWork))} AS holders, ${isMeant} AS isMeant`,
      `FOREACH (_ IN CASE WHEN holders IS NULL AND isMeant THEN [1] ELSE [] END | SET ${markCypher('n', owner, 'row[3]', scope)})`,
      'RETURN collect([row[2], isMeant, holders])',
    ];
    const [answer] = await runner.run(scope.statement(text.join('\n')), entity);
    for (const [at, isRight, holders] of answer as [number, boolean, unknown[] | null][]) {
      // Whoever holds it may be decided, and leave the version that is expected.
      if (holders !== null || isRight) settled.add(at);
      if (holders !== null) held.push(...ownersIn(holders));
    }
  }
  return { missed: [...keys.keys()].filter((at) => !settled.has(at)), held };
}

/** An update without a value only guards its row. */
function opOf(batch: UpdateBatch | DeleteBatch, at: number): FenceOp {
  if (batch.op === 'delete') return 'delete';
  return (batch.rows[at] ?? []).some((value) => value !== undefined) ? 'update' : 'guard';
}
