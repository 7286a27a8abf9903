import assert from 'node:assert/strict';
import {
  AbortedError,
  CommitUnknownError,
  ConnectionError,
  compileDomain,
  type Row,
  TimeoutError,
} from '@storeweave/core';
import { beforeEach, describe, it } from 'vitest';
import { RelationalCountry } from '../contract/domain/keys.js';
import { memoryDomain } from '../memory/domain.js';
import { memoryStore } from '../memory/store.js';
import { ChaosPlan } from './plan.js';
import { type ChaosStore, chaosStore } from './store.js';

const country = compileDomain([RelationalCountry]).of(RelationalCountry);

const insert = (store: ChaosStore, keys: string[], access = {}) =>
  store.write(
    { op: 'insert', entity: country, fields: country.fields, rows: keys.map((key): Row => [key, key, 1]) },
    access,
  );
const keys = async (store: ChaosStore, access = {}) =>
  (await store.read({ entity: country, fields: country.ids }, access))
    .map(([key]) => key)
    .sort()
    .join('');
const begin = (store: ChaosStore) => {
  const { begin: start } = store.domain;
  assert.ok(start);
  return start({});
};

describe('chaos store', () => {
  let store: ChaosStore;
  beforeEach(() => {
    store = chaosStore(memoryStore());
  });

  it('does nothing without rules', async () => {
    await insert(store, ['a']);
    assert.equal(await keys(store), 'a');
    assert.equal(store.schema !== undefined && store.graph !== undefined && store.relational === undefined, true);
  });

  it('fails before or after a call took effect, at the nth match, some times', async () => {
    store.plan.add({ call: 'insert', entity: 'RelationalCountry', nth: 2, times: 2 });
    await insert(store, ['a']);
    await assert.rejects(insert(store, ['b']), ConnectionError);
    await assert.rejects(insert(store, ['b']), ConnectionError);
    await insert(store, ['c']);
    assert.equal(await keys(store), 'ac');
    store.plan.add({ call: 'insert', when: 'after', fail: new Error('late') });
    await assert.rejects(insert(store, ['d']), /late/);
    assert.equal(await keys(store), 'acd');
    assert.equal(store.plan.met.length, 3);
  });

  it('can lose the answer of a commit', async () => {
    store.plan.add({ call: 'commit', when: 'after', fail: () => new CommitUnknownError('lost') });
    const transaction = await begin(store);
    await insert(store, ['a'], { transaction });
    await assert.rejects(transaction.commit(), CommitUnknownError);
    await transaction.rollback();
    assert.equal(await keys(store), 'a');
  });

  it('delays, and hangs until the limit or signal', async () => {
    store.plan.add({ call: 'read', delayMs: 20 });
    const started = performance.now();
    await keys(store);
    assert.ok(performance.now() - started >= 18);
    store.plan.add({ call: 'read', hang: true, times: 2 });
    await assert.rejects(keys(store, { timeoutMs: 10 }), TimeoutError);
    await assert.rejects(keys(store, { signal: AbortSignal.timeout(10) }), AbortedError);
  });

  it('loses running transactions in a restart, and nothing that was committed', async () => {
    await insert(store, ['a']);
    const transaction = await begin(store);
    await insert(store, ['b'], { transaction });
    await store.restart();
    await assert.rejects(insert(store, ['c'], { transaction }), ConnectionError);
    await assert.rejects(transaction.commit(), ConnectionError);
    await transaction.rollback();
    assert.equal(await keys(store), 'a');
  });

  it('forgets what was acknowledged and not flushed', async () => {
    store.forgetful();
    const commit = async (key: string) => {
      const transaction = await begin(store);
      await insert(store, [key], { transaction });
      await transaction.commit();
    };
    await commit('a');
    await store.flush();
    await commit('b');
    const undone = await begin(store);
    await insert(store, ['x'], { transaction: undone });
    await undone.rollback();
    assert.equal(await keys(store), 'ab');
    await store.restart();
    assert.equal(await keys(store), 'a');
  });

  it('keeps stores of one domain in one domain', async () => {
    const domain = memoryDomain();
    const plan = new ChaosPlan();
    const [one, two] = [chaosStore(memoryStore({ domain }), plan), chaosStore(memoryStore({ domain }), plan)];
    assert.equal(one.domain, two.domain);
    const transaction = await begin(one);
    await insert(one, ['a'], { transaction });
    assert.equal(await keys(two, { transaction }), 'a');
    await transaction.rollback();
    assert.equal(await keys(two), '');
  });
});
