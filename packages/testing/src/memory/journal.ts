/**
 * A memory store as the coordinator of commits over several domains: the journal is a map, the claim a lock of the
 * deciding transaction, and a row becomes visible when that transaction commits.
 */
import type { Access, CommitCoordinator, JournalRow, OpenUnit } from '@storeweave/core';
import { InvalidStateError, TimeoutError } from '@storeweave/core';
import type { MemoryDomain } from './domain.js';
import { MemoryTransaction } from './transaction.js';

interface Entry extends JournalRow {
  readonly decidedAt: number;
  readonly order: number;
  attempts: number;
  error?: string;
  dead: boolean;
  done: boolean;
}

export function memoryCoordinator(domain: MemoryDomain): CommitCoordinator {
  const rows = new Map<string, Entry>();
  let decided = 0;
  const watching = new Set<() => void>();
  const tellWatching = () => {
    for (const wake of watching) wake();
  };
  const claimOf = (unitOfWork: string) => `claim ${unitOfWork}`;
  const answer = () => new Promise<void>((resolve) => setImmediate(resolve));
  const seen = ({ decidedAt, unitOfWork, redo, attempts, error, dead, done }: Entry): OpenUnit => ({
    unitOfWork,
    redo,
    attempts,
    dead,
    ageMs: performance.now() - decidedAt,
    ...(error !== undefined && { error }),
    ...(done && { done }),
  });
  const open = () => [...rows.values()].filter((row) => !row.done);
  return {
    setUp: answer,
    async claim(unitOfWork, access) {
      await answer();
      await domain.locks.take(claimOf(unitOfWork), running(access), access);
    },
    async record(row, access) {
      await answer();
      running(access).atCommit(() => {
        const decidedAt = performance.now();
        rows.set(row.unitOfWork, { ...row, decidedAt, order: decided++, attempts: 0, dead: false, done: false });
      });
    },
    async resolve(unitOfWork, access) {
      const waiting = domain.start({ label: `resolve ${unitOfWork}` });
      try {
        await domain.locks.take(claimOf(unitOfWork), waiting, access);
        await answer();
        const row = rows.get(unitOfWork);
        return row && { unitOfWork, redo: row.redo };
      } catch (cause) {
        if (!(cause instanceof TimeoutError)) throw cause;
        throw new TimeoutError(`Unit of work ${unitOfWork} is still being decided: ${cause.message}`, { cause });
      } finally {
        await waiting.rollback();
      }
    },
    async open({ limit, minAgeMs = 0, dead = false, attempts: { min, max = Infinity } = { min: 0 }, after }) {
      await answer();
      const inOrder = (a: OpenUnit, b: OpenUnit) => a.attempts - b.attempts || Number(a.place) - Number(b.place);
      return open()
        .map((row) => ({ ...seen(row), place: String(row.order) }))
        .filter((row) => row.dead === dead && row.ageMs >= minAgeMs && row.attempts >= min && row.attempts <= max)
        .filter((row) => after === undefined || inOrder(after, row) < 0)
        .sort(inOrder)
        .slice(0, limit);
    },
    async find(unitOfWork) {
      await answer();
      const row = rows.get(unitOfWork);
      return row && seen(row);
    },
    async note(units, { over, ...failure }) {
      await answer();
      for (const unit of units) {
        const row = rows.get(unit);
        if (row?.done !== false) continue;
        const isSo = over === undefined || (row.attempts === over.attempts && row.dead === over.dead);
        if (isSo) Object.assign(row, { error: undefined }, failure);
      }
      if (failure.attempts === 0) tellWatching();
    },
    async handOver(units, error) {
      await answer();
      for (const unit of units) {
        const row = rows.get(unit);
        if (row === undefined || row.done || row.dead || row.attempts > 0) continue;
        Object.assign(row, { attempts: 1, ...(error !== undefined && { error }) });
      }
      tellWatching();
    },
    async watch(wake) {
      // Each has its own, so that the same function may be given twice.
      const own = () => wake();
      watching.add(own);
      return {
        async stop() {
          watching.delete(own);
        },
      };
    },
    async done(units) {
      await answer();
      for (const unit of units) {
        const row = rows.get(unit);
        if (row !== undefined) row.done = true;
      }
    },
    async forget(units) {
      await answer();
      for (const unit of units) rows.delete(unit);
    },
    async prune(units) {
      await answer();
      for (const unit of units) if (rows.get(unit)?.done === true) rows.delete(unit);
    },
    async doneUnits(limit) {
      await answer();
      return [...rows.values()]
        .filter((row) => row.done)
        .map((row) => row.unitOfWork)
        .slice(0, limit);
    },
    async stats() {
      await answer();
      const all = open();
      const ages = all.filter((row) => !row.dead).map((row) => performance.now() - row.decidedAt);
      return {
        open: ages.length,
        dead: all.length - ages.length,
        retried: all.filter((row) => row.attempts > 0).length,
        attempts: all.reduce((sum, row) => sum + row.attempts, 0),
        ...(ages.length > 0 && { oldestMs: Math.max(...ages) }),
      };
    },
  };
}

function running({ transaction }: Access): MemoryTransaction {
  if (transaction instanceof MemoryTransaction) return transaction;
  throw new InvalidStateError('A commit is coordinated inside a transaction of its own domain.');
}
