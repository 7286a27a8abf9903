/** Several decided units of work applied by one call: each ends as it would by itself, and none touches what is not its own. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { FenceOutcome, FenceOwner } from '@storeweave/core';
import { type ContractCase, test } from '../case.js';
import { articles, basics, type EntityModelName, entityModels } from '../domain/groups.js';
import { range, there } from './assertions.js';
import { article, FenceBench } from './fence-bench.js';
import { fences } from './fences.js';

const CLEAN: FenceOutcome = { missed: [], held: [] };

const owner = (): FenceOwner => ({ unitOfWork: randomUUID(), coordinator: 'relational' });
const id = (n: number) => `0000000${n}-0000-7000-8000-000000000000`;
const [A, B, C, D] = [id(0), id(1), id(2), id(3)];

function togetherOf(on: EntityModelName): ContractCase[] {
  const given = (name: string, run: (bench: FenceBench) => Promise<void>) =>
    test(`fences/${on}: ${name}`, [...basics(on), fences(on)], async ({ openFenced }) => {
      const { store, model } = await openFenced(on, [articles[on]]);
      const bench = new FenceBench(store, model(articles[on]));
      await bench.store.write(bench.inserts(article(A), article(B), article(C)), {});
      await run(bench);
    });

  return [
    given('several are applied at once, each as if it were alone', async (bench) => {
      const units = [
        [bench.inserts(article(D, { name: 'new' })), bench.updates([A], 1, { name: 'mine', stock: 1 })],
        [bench.deletes([B], 1)],
        [bench.guards([C], 1), bench.inserts(article(id(4)))],
        [bench.inserts(article(id(5), { name: 'other', stock: 5 }))],
      ].map((batches) => ({ owner: owner(), batches }));
      const outside = owner();
      const kept = bench.inserts(article(id(6)));
      for (const each of units) assert.deepEqual(await bench.fence(each.owner, ...each.batches), CLEAN);
      assert.deepEqual(await bench.fence(outside, kept), CLEAN);
      await bench.applyMany(units);
      const after = [
        [A, 'mine', 1, 2],
        [C, 'n', 0, 1],
        [D, 'new', 0, 1],
        [id(4), 'n', 0, 1],
        [id(5), 'other', 5, 1],
      ];
      assert.deepEqual(await bench.rows('id', 'name', 'stock', 'version'), after);
      assert.deepEqual(await bench.owners(), [outside.unitOfWork]);
      await bench.unfence(outside, kept);
      assert.deepEqual(await bench.rows('id', 'name', 'stock', 'version'), after);
    }),

    given('several that are applied late, beside one that is not, change nothing of later ones', async (bench) => {
      const [first, second] = [owner(), owner()];
      const early = [bench.updates([A], 1, { name: 'first' }), bench.deletes([B], 1), bench.guards([C], 1)];
      assert.deepEqual(await bench.fence(first, ...early), CLEAN);
      await bench.apply(first, ...early);
      // What the first deleted and changed is the second's by now, and fenced for something else.
      await bench.store.write(bench.inserts(article(B, { name: 'again' })), {});
      const late = [bench.deletes([A], 2), bench.updates([B, C], 1, { name: 'second' }), bench.inserts(article(D))];
      assert.deepEqual(await bench.fence(second, ...late), CLEAN);
      const units = [
        { owner: first, batches: early },
        { owner: second, batches: late },
      ];
      const after = [
        [B, 'second', 2],
        [C, 'second', 2],
        [D, 'n', 1],
      ];
      for (const turn of [1, 2]) {
        await bench.applyMany(turn === 1 ? units : units.toReversed());
        assert.deepEqual(await bench.rows('id', 'name', 'version'), after);
      }
      assert.equal((await bench.store.write(bench.updates([D], 1, { name: 'later' }), {})).count, 1);
      await bench.applyMany(units);
      assert.deepEqual((await bench.rows('id', 'name')).at(-1), [D, 'later']);
      assert.deepEqual(await bench.owners(), []);
    }),

    given('values that pass from row to row pass within each of several', async (bench) => {
      const [first, second] = [owner(), owner()];
      const swapped = [bench.updates([A, B], 1, { sku: B }, { sku: A })];
      const taken = [bench.updates([C], 1, { sku: 'c' }), bench.inserts(article(D, { name: 'plain' }))];
      assert.deepEqual(await bench.fence(first, ...swapped), CLEAN);
      assert.deepEqual(await bench.fence(second, ...taken), CLEAN);
      const units = [
        { owner: first, batches: swapped },
        { owner: second, batches: taken },
      ];
      await bench.applyMany(units);
      await bench.applyMany(units);
      const after = [
        [A, B, 2],
        [B, A, 2],
        [C, 'c', 2],
        [D, D, 1],
      ];
      assert.deepEqual(await bench.rows('id', 'sku', 'version'), after);
      assert.deepEqual(await bench.owners(), []);
    }),

    given('a hundred are applied at once, and nothing of one that is not decided', async (bench) => {
      const many = range(100).map((n) => {
        const key = `000000aa-0000-7000-8000-${String(n).padStart(12, '0')}`;
        return { owner: owner(), batches: [bench.inserts(article(key, { name: 'many' }))] };
      });
      await Promise.all(many.map(async (each) => bench.fence(each.owner, ...each.batches)));
      const [undecided, ...decided] = many;
      await bench.applyMany(decided);
      assert.equal((await bench.rows('id')).length, 3 + decided.length);
      assert.deepEqual(await bench.owners(), [there(undecided).owner.unitOfWork]);
      await bench.applyMany([]);
      assert.equal((await bench.rows('id')).length, 3 + decided.length);
    }),
  ];
}

export const togetherCases: readonly ContractCase[] = entityModels.flatMap(togetherOf);
