/**
 * A memory store's part in a commit over several domains. A fence is a lock that outlives its transaction: what a write
 * would have locked, tried in a transaction that is then undone, stays held for its unit of work until that is settled.
 */
import type { Access, CommitParticipant, EntityModel, FenceOutcome, Row, UnitPart, WriteBatch } from '@storeweave/core';
import { FencedError, rowKey } from '@storeweave/core';
import type { MemoryDomain } from './domain.js';
import { tableName } from './tables.js';
import { cell, type Stored } from './values.js';
import { write } from './write.js';

export function rowLock(entity: EntityModel, identity: string): string {
  return `row ${tableName(entity)} ${identity}`;
}

export function memoryParticipant(domain: MemoryDomain): CommitParticipant {
  const answer = () => new Promise<void>((resolve) => setImmediate(resolve));
  const apply = async ({ owner, batches }: UnitPart, access: Access) => {
    const transaction = domain.start({ label: `apply ${owner.unitOfWork}` }, owner.unitOfWork);
    try {
      for (const batch of batches) {
        const own = ownRows(batch, (key) => domain.fences.has(rowLock(batch.entity, key), owner.unitOfWork));
        if (own !== undefined) await write(own, transaction, access);
      }
      await transaction.commit();
      domain.fences.clear(owner.unitOfWork);
    } finally {
      await transaction.rollback();
    }
  };
  return {
    async fence(owner, batches, access) {
      await answer();
      const missed: { batch: number; row: number }[] = [];
      const trial = domain.start({ label: `fences of ${owner.unitOfWork}` }, owner.unitOfWork);
      try {
        for (const [at, batch] of batches.entries()) {
          const result = await write(batch, trial, access);
          for (const row of result.missed ?? []) missed.push({ batch: at, row });
        }
        if (missed.length === 0) domain.fences.put(domain.locks.namesOf(trial), owner);
        return { missed, held: [] } satisfies FenceOutcome;
      } catch (error) {
        if (error instanceof FencedError) return { missed: [], held: error.owners };
        throw error;
      } finally {
        await trial.rollback();
      }
    },
    async apply(owner, batches, access) {
      await answer();
      await apply({ owner, batches }, access);
    },
    async applyMany(units, access) {
      await answer();
      for (const unit of units) await apply(unit, access);
    },
    async unfence(owner) {
      await answer();
      domain.fences.clear(owner.unitOfWork);
    },
    async unfenceAll(owner) {
      await answer();
      domain.fences.clear(owner.unitOfWork);
    },
    async owners(limit) {
      await answer();
      return domain.fences.owners().slice(0, limit);
    },
  };
}

/** The rows of a batch that are fenced, without what was checked when they were. */
function ownRows(batch: WriteBatch, isOwn: (identity: string) => boolean): WriteBatch | undefined {
  const { entity } = batch;
  if (batch.op === 'insert') {
    const rows = batch.rows.filter((row) => isOwn(rowKey(keyIn(batch.entity, batch.fields, row))));
    return rows.length === 0 ? undefined : { ...batch, rows };
  }
  const at = [...batch.keys.keys()].filter((position) => isOwn(rowKey(batch.keys[position] ?? [])));
  if (at.length === 0) return undefined;
  const keys = at.map((position) => batch.keys[position] ?? []);
  if (batch.op === 'delete') return { op: 'delete', entity, keys };
  return { op: 'update', entity, fields: batch.fields, keys, rows: at.map((position) => batch.rows[position] ?? []) };
}

function keyIn(entity: EntityModel, fields: readonly { readonly column: string }[], row: Row): Row {
  const stored: Stored = Object.fromEntries(fields.map((field, at) => [field.column, row[at]]));
  return entity.ids.map((id) => cell(stored, id));
}
