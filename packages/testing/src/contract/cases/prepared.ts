/**
 * Taking part in commits across stores by transactions that are prepared. The first store that takes part so is called
 * directly, as the core calls it, on a database of its own.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  type CommitParticipant,
  type FenceOwner,
  StoreweaveError,
  TimeoutError,
  UniqueViolationError,
  type WriteBatch,
} from '@storeweave/core';
import { type Bound, type ContractCase, type ContractContext, concurrent, type Need, test } from '../case.js';
import { articles, type EntityModelName, entityModels } from '../domain/groups.js';
import { range, refused, sameSet, there } from './assertions.js';
import { article, FenceBench } from './fence-bench.js';

const modelOf = (stores: Bound): EntityModelName | undefined =>
  entityModels.find((on) => stores[on]?.capabilities.commit?.participates === 'prepare');

const preparing: Need = {
  missing: (stores) => {
    const on = modelOf(stores);
    return on === undefined ? "no store claims commit.participates 'prepare'" : concurrent(on).missing(stores);
  },
};

const owner = (): FenceOwner => ({ unitOfWork: randomUUID(), coordinator: "the shop's" });
const [A = '', B = '', C = ''] = range(3).map((i) => `0000000${i}-0000-7000-8000-000000000000`);

class PreparedBench extends FenceBench {
  readonly prepared: Required<Pick<CommitParticipant, 'prepare' | 'finish'>> = {
    prepare: (...given) => there(this.store.participant?.prepare, 'prepare()').call(this.store.participant, ...given),
    finish: (...given) => there(this.store.participant?.finish, 'finish()').call(this.store.participant, ...given),
  };

  async begin() {
    const { domain } = this.store;
    return there(domain.begin, 'begin()').call(domain, {});
  }

  async prepare(who: FenceOwner, ...batches: WriteBatch[]): Promise<void> {
    const transaction = await this.begin();
    try {
      for (const batch of batches) await this.store.write(batch, { transaction });
      await this.prepared.prepare(who, transaction);
    } finally {
      await transaction.rollback();
    }
  }

  finish(who: FenceOwner, outcome: 'commit' | 'rollback'): Promise<void> {
    return this.prepared.finish(who, outcome, {});
  }
}

const given = (name: string, run: (bench: PreparedBench) => Promise<void>) =>
  test(`prepared: ${name}`, [preparing], async ({ stores, openFenced }: ContractContext) => {
    const on = there(modelOf(stores));
    const { store, model } = await openFenced(on, [articles[on]]);
    const bench = new PreparedBench(store, model(articles[on]));
    await store.write(bench.inserts(article(A), article(B)), {});
    await run(bench);
  });

export const preparedCases: readonly ContractCase[] = [
  given('it is shown when it is committed, and not before', async (bench) => {
    const mine = owner();
    const change = bench.updates([A], 1, { name: 'mine' });
    await bench.prepare(mine, bench.inserts(article(C)), change, bench.deletes([B], 1));
    assert.deepEqual(await bench.rows('id', 'name'), [
      [A, 'n'],
      [B, 'n'],
    ]);
    assert.deepEqual(await bench.participant.owners(9, {}), [mine]);
    await Promise.all(range(3).map(() => bench.finish(mine, 'commit')));
    await bench.finish(mine, 'commit');
    assert.deepEqual(await bench.rows('id', 'name', 'version'), [
      [A, 'mine', 2],
      [C, 'n', 1],
    ]);
    assert.deepEqual(await bench.owners(), []);
  }),

  given('it leaves nothing when it is rolled back, as often as that is asked', async (bench) => {
    const mine = owner();
    await bench.finish(mine, 'rollback');
    await bench.prepare(mine, bench.inserts(article(C)), bench.updates([A], 1, { name: 'mine' }));
    await bench.finish(mine, 'rollback');
    await bench.finish(mine, 'rollback');
    assert.deepEqual(await bench.rows('id', 'name', 'version'), [
      [A, 'n', 1],
      [B, 'n', 1],
    ]);
    assert.equal((await bench.store.write(bench.updates([A], 1, { name: 'later' }), {})).count, 1);
  }),

  given('the transaction is over for whoever prepared it', async (bench) => {
    const mine = owner();
    const transaction = await bench.begin();
    await bench.store.write(bench.inserts(article(C)), { transaction });
    await bench.prepared.prepare(mine, transaction);
    await refused(StoreweaveError, () => bench.store.write(bench.deletes([A], 1), { transaction }));
    await refused(StoreweaveError, () => transaction.commit());
    await transaction.rollback();
    assert.deepEqual(await bench.owners(), [mine.unitOfWork]);
    await bench.finish(mine, 'commit');
    assert.deepEqual(await bench.rows('id'), [[A], [B], [C]]);
  }),

  given('a transaction in which something failed cannot be prepared', async (bench) => {
    const mine = owner();
    const transaction = await bench.begin();
    await refused(UniqueViolationError, () => bench.store.write(bench.inserts(article(A)), { transaction }));
    await refused(StoreweaveError, () => bench.prepared.prepare(mine, transaction));
    await transaction.rollback();
    assert.deepEqual(await bench.owners(), []);
    await bench.finish(mine, 'rollback');
  }),

  given('it holds its rows and values until it is over', async (bench) => {
    const mine = owner();
    await bench.prepare(mine, bench.updates([A], 1, { name: 'mine' }), bench.inserts(article(C)));
    const brief = { timeoutMs: 80 };
    await refused(TimeoutError, () => bench.store.write(bench.updates([A], 1, { name: 'other' }), brief));
    await refused(TimeoutError, () => bench.store.write(bench.inserts(article(C)), brief));
    assert.equal((await bench.store.write(bench.updates([B], 1, { name: 'other' }), {})).count, 1);
    const waiting = bench.store.write(bench.updates([A], 1, { name: 'other' }), {});
    await bench.finish(mine, 'commit');
    const { count, missed } = await waiting;
    assert.deepEqual([count, missed], [0, [0]]);
  }),

  given('several are told by their owners, and end one by one', async (bench) => {
    const owners = [owner(), owner(), owner()];
    for (const [at, each] of owners.entries())
      await bench.prepare(each, bench.inserts(article(`${C.slice(0, -1)}${at}`)));
    sameSet(
      await bench.owners(),
      owners.map(({ unitOfWork }) => unitOfWork),
    );
    assert.equal((await bench.participant.owners(2, {})).length, 2);
    await bench.finish(there(owners[1]), 'rollback');
    await bench.finish(there(owners[2]), 'commit');
    assert.deepEqual(await bench.owners(), [there(owners[0]).unitOfWork]);
    assert.equal((await bench.rows('id')).length, 3);
    await bench.finish(there(owners[0]), 'commit');
    assert.equal((await bench.rows('id')).length, 4);
  }),
];
