/** The cases about coordinators: each mistake planted in one must be found, and none without a mistake. */
import assert from 'node:assert/strict';
import type { CommitCoordinator, Store } from '@storeweave/core';
import { describe, it } from 'vitest';
import { memoryStore } from '../memory/store.js';
import { runContract } from './run.js';

type Plant = (right: CommitCoordinator, store: Store) => Partial<CommitCoordinator>;

const mistakes: readonly (readonly [what: string, plant: Plant])[] = [
  ['resolve does not wait', (right) => ({ resolve: (unit, access) => right.find(unit, access).then(asRow) })],
  ['nobody holds a claim', () => ({ claim: async () => {} })],
  [
    'a claim is waited for in vain',
    (right) => ({
      claim: (unit, access) => right.claim(unit, access).then(() => right.claim('everybody', access)),
      resolve: async (unit, access) => (await right.resolve('everybody', access)) ?? right.resolve(unit, access),
    }),
  ],
  [
    'the row is there whatever becomes of its transaction',
    (right, { domain }) => ({
      record: async (row) => {
        const transaction = await domain.begin?.({});
        await right.record(row, { transaction });
        await transaction?.commit();
      },
    }),
  ],
  [
    'only the first of several is done',
    (right) => ({ done: (units, access) => right.done(units.slice(0, 1), access) }),
  ],
  [
    'what is not done is pruned',
    (right) => ({ prune: (units, access) => right.done(units, access).then(() => right.prune(units, access)) }),
  ],
  [
    'done is prune',
    (right) => ({ done: (units, access) => right.done(units, access).then(() => right.prune(units, access)) }),
  ],
  ['the limit is ignored', (right) => ({ open: (query, access) => right.open({ ...query, limit: 1000 }, access) })],
  ['the age is ignored', (right) => ({ open: (query, access) => right.open({ ...query, minAgeMs: 0 }, access) })],
  [
    'the first page is told for ever',
    (right) => ({ open: ({ after: _, ...query }, access) => right.open(query, access) }),
  ],
  [
    'pages are counted, and not what is in them',
    (right) => {
      let at = 0;
      return {
        open: async ({ after, limit, ...query }, access) => {
          at = after === undefined ? limit : at + limit;
          const all = await right.open({ ...query, limit: at }, access);
          return all.slice(at - limit);
        },
      };
    },
  ],
  [
    'how often something failed is no matter',
    (right) => ({ open: ({ attempts: _, ...query }, access) => right.open(query, access) }),
  ],
  [
    'only the first of several is noted',
    (right) => ({ note: (units, failure, access) => right.note(units.slice(0, 1), failure, access) }),
  ],
  ['the newest come first', (right) => ({ open: async (...given) => (await right.open(...given)).toReversed() })],
  [
    'dead letters are tried again',
    (right) => ({
      note: (units, { dead: _, ...failure }, access) => right.note(units, { ...failure, dead: false }, access),
    }),
  ],
  [
    'attempts are forgotten',
    (right) => ({ note: (units, failure, access) => right.note(units, { ...failure, attempts: 0 }, access) }),
  ],
  [
    'a note goes over what somebody else has noted meanwhile',
    (right) => ({ note: (units, { over: _, ...failure }, access) => right.note(units, failure, access) }),
  ],
  [
    'what somebody has noted is handed over once more',
    (right) => ({
      handOver: (units, error, access) =>
        right.note(units, { attempts: 1, dead: false, ...(error !== undefined && { error }) }, access),
    }),
  ],
  ['handing over does nothing', () => ({ handOver: async () => {} })],
  ['nobody is told', () => ({ watch: async () => ({ stop: async () => {} }) })],
  [
    'who has stopped is told',
    (right) => ({
      watch: async (wake) => {
        await right.watch?.(wake);
        return { stop: async () => {} };
      },
    }),
  ],
  [
    'only what is handed over is told',
    (right) => {
      const watching: (() => void)[] = [];
      return {
        watch: async (wake) => {
          watching.push(wake);
          return { stop: async () => void watching.splice(watching.indexOf(wake), 1) };
        },
        handOver: async (units, error, access) => {
          await right.handOver?.(units, error, access);
          for (const wake of watching) wake();
        },
      };
    },
  ],
  [
    'dead letters count as open',
    (right) => ({
      stats: async (access) => {
        const { open, dead, ...rest } = await right.stats(access);
        return { ...rest, open: open + dead, dead };
      },
    }),
  ],
  [
    'what is over counts as retried',
    (right) => {
      let retried = 0;
      return {
        note: (units, failure, access) => {
          if (failure.attempts > 0) retried += units.length;
          return right.note(units, failure, access);
        },
        stats: async (access) => ({ ...(await right.stats(access)), retried }),
      };
    },
  ],
  [
    'attempts of dead letters are left out',
    (right) => ({
      stats: async (access) => {
        const stats = await right.stats(access);
        const dead = await right.open({ limit: 99, dead: true }, access);
        return { ...stats, attempts: dead.reduce((left, unit) => left - unit.attempts, stats.attempts) };
      },
    }),
  ],
];

const asRow = (row: { unitOfWork: string; redo: string } | undefined) =>
  row && { unitOfWork: row.unitOfWork, redo: row.redo };

const open =
  (plant: Plant = () => ({})) =>
  async () => {
    const relational = memoryStore({ capabilities: { commit: { coordinates: true } } });
    const right = relational.coordinator as CommitCoordinator;
    Object.assign(relational, { coordinator: { ...right, ...plant(right, relational) } });
    return { relational };
  };

describe('the cases about coordinators', () => {
  it('find nothing wrong in a right one', async () => {
    const { failed, passed } = await runContract({ open: open(), only: 'coordinator:' });
    assert.deepEqual(failed, []);
    assert.ok(passed.length > 9);
  });

  it.each(mistakes)('find that %s', async (_, plant) => {
    const { failed } = await runContract({ open: open(plant), only: 'coordinator:', timeoutMs: 3000 });
    assert.ok(failed.length > 0);
  });
});
