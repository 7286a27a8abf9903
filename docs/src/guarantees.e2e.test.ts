/** The code that the page of guarantees quotes runs, over an embedded PostgreSQL and a store that takes fences. */
import type { Storeweave } from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commit, guard, measure, openOver, reported, Statement, settled } from './guarantees.js';

let weave: Storeweave;
beforeAll(async () => {
  weave = await openOver(memoryStore({ capabilities: { commit: { coordinates: false, participates: 'fence' } } }));
});
afterAll(() => weave.close());

test('a receipt says what is certain and what is applied', async () => {
  expect(await commit(weave)).toMatchObject({ status: 'pending', stores: { document: 'pending' }, rows: 2 });
  await expect.poll(() => weave.repository(Statement).count()).toBe(1);
});

test('a guard lets a unit of work through whose ground is as it was, and a settled read sees it whole', async () => {
  expect(await guard(weave)).toBe(2);
  expect(await settled(weave)).toEqual([2, 2]);
});

test('the steps of a commit are summed up', async () => {
  const steps = await measure(weave, () => commit(weave));
  await expect.poll(() => weave.journal.stats()).toMatchObject({ open: 0, dead: 0 });
  for (const [step, store] of [
    ['claim', 'relational'],
    ['fence', 'document'],
    ['decide', 'relational'],
  ]) {
    expect(steps).toContainEqual(expect.objectContaining({ step, store, by: 'worker', count: 1, failures: 0 }));
    expect(reported.get(`${step} ${store} worker`)).toMatchObject({ count: 1, failures: 0 });
  }
  expect(reported.get('journal')).toMatchObject({ dead: 0, retried: 0, attempts: 0 });
});
