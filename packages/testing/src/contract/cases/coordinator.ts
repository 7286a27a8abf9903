/**
 * Deciding commits across stores. The coordinator is called directly, as the core calls it; the first store that can
 * coordinate is asked, on a database of its own.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  type CommitCoordinator,
  type OpenQuery,
  type OpenUnit,
  type Store,
  TimeoutError,
  type Transaction,
} from '@storeweave/core';
import { ChaosStore } from '../../chaos/store.js';
import { type Bound, type ContractCase, type ContractContext, concurrent, type Need, test } from '../case.js';
import { articles, type EntityModelName, entityModels } from '../domain/groups.js';
import { range, refused, there } from './assertions.js';
import { article, FenceBench } from './fence-bench.js';

const modelOf = (stores: Bound): EntityModelName | undefined =>
  entityModels.find((on) => stores[on]?.capabilities.commit?.coordinates === true);

const coordinating: Need = {
  missing: (stores) => (modelOf(stores) === undefined ? 'no store claims commit.coordinates' : undefined),
};

/** Several transactions may run at the same time. */
const sideBySide: Need = {
  missing: (stores) => {
    const on = modelOf(stores);
    return on === undefined ? undefined : concurrent(on).missing(stores);
  },
};

/** It has these calls. */
const able = (...calls: readonly ('handOver' | 'watch')[]): Need => ({
  missing: (stores) => {
    const on = modelOf(stores);
    if (on === undefined) return undefined;
    const store = stores[on];
    const { coordinator } = (store instanceof ChaosStore ? store.inner : store) ?? {};
    const absent = calls.find((call) => coordinator?.[call] === undefined);
    return absent && `the coordinator has no ${absent}()`;
  },
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

class JournalBench {
  readonly coordinator: CommitCoordinator;

  constructor(readonly store: Store) {
    this.coordinator = there(store.coordinator, 'coordinator');
  }

  begin(): Promise<Transaction> {
    const { domain } = this.store;
    return there(domain.begin, 'begin()').call(domain, {});
  }

  /** A transaction that has claimed and written what is said; it must be ended. */
  async deciding(unitOfWork: string, redo?: string): Promise<Transaction> {
    const transaction = await this.begin();
    await this.coordinator.claim(unitOfWork, { transaction });
    if (redo !== undefined) await this.coordinator.record({ unitOfWork, redo }, { transaction });
    return transaction;
  }

  async decide(redo: string): Promise<string> {
    const unitOfWork = randomUUID();
    await (await this.deciding(unitOfWork, redo)).commit();
    return unitOfWork;
  }

  async open(limit = 100, more: Omit<OpenQuery, 'limit'> = {}): Promise<string[]> {
    return (await this.coordinator.open({ limit, ...more }, {})).map(({ redo }) => redo);
  }
}

const given = (name: string, run: (bench: JournalBench, rows: FenceBench) => Promise<void>, ...needs: Need[]) =>
  test(`coordinator: ${name}`, [coordinating, ...needs], async ({ stores, openFenced }: ContractContext) => {
    const on = there(modelOf(stores));
    const { store, model } = await openFenced(on, [articles[on]]);
    const bench = new JournalBench(store);
    await bench.coordinator.setUp({});
    await run(bench, new FenceBench(store, model(articles[on])));
  });

const ID = '00000001-0000-7000-8000-000000000000';

export const coordinatorCases: readonly ContractCase[] = [
  given('it is set up once, and no plan of the schema speaks of it', async ({ coordinator, store }) => {
    await Promise.all(range(4).map(() => coordinator.setUp({})));
    assert.deepEqual(await store.schema?.plan({}), store.schema && []);
  }),

  given('what is decided is told to whoever asks, until it is pruned', async (bench) => {
    const { coordinator } = bench;
    const unitOfWork = await bench.decide('{"a":1}');
    for (const done of [false, true]) {
      if (done) await coordinator.done([unitOfWork], {});
      assert.deepEqual(await coordinator.resolve(unitOfWork, {}), { unitOfWork, redo: '{"a":1}' });
      const found = there(await coordinator.find(unitOfWork, {}));
      assert.deepEqual([found.redo, found.attempts, found.dead, found.done === true], ['{"a":1}', 0, false, done]);
    }
    await coordinator.prune([unitOfWork], {});
    assert.equal(await coordinator.resolve(unitOfWork, {}), undefined);
    assert.equal(await coordinator.find(unitOfWork, {}), undefined);
  }),

  given('what is rolled back was never decided', async (bench) => {
    const unitOfWork = randomUUID();
    await (await bench.deciding(unitOfWork, 'redo')).rollback();
    const claimed = randomUUID();
    await (await bench.deciding(claimed)).commit();
    for (const each of [unitOfWork, claimed, randomUUID()]) {
      assert.equal(await bench.coordinator.resolve(each, {}), undefined);
      assert.equal(await bench.coordinator.find(each, {}), undefined);
    }
    assert.deepEqual(await bench.open(), []);
  }),

  given("the decision is one with the store's own rows", async (bench, rows) => {
    for (const end of ['rollback', 'commit'] as const) {
      const unitOfWork = randomUUID();
      const transaction = await bench.deciding(unitOfWork);
      await bench.store.write(rows.inserts(article(ID)), { transaction });
      await bench.coordinator.record({ unitOfWork, redo: end }, { transaction });
      await transaction[end]();
      assert.deepEqual(await rows.rows('id'), end === 'commit' ? [[ID]] : []);
      assert.deepEqual(await bench.open(), end === 'commit' ? ['commit'] : []);
    }
  }),

  given('whoever asks waits until the deciding transaction is over', async (bench) => {
    const { coordinator } = bench;
    for (const end of ['commit', 'rollback'] as const) {
      const unitOfWork = randomUUID();
      const transaction = await bench.deciding(unitOfWork);
      const error = await refused(TimeoutError, () => coordinator.resolve(unitOfWork, { timeoutMs: 60 }));
      assert.ok(error.message.includes(unitOfWork), error.message);
      const answers: unknown[] = [];
      const asked = range(3).map(async () => answers.push(await coordinator.resolve(unitOfWork, { timeoutMs: 9000 })));
      await pause(60);
      assert.deepEqual(answers, []);
      await coordinator.record({ unitOfWork, redo: end }, { transaction });
      await transaction[end]();
      await Promise.all(asked);
      assert.deepEqual(answers, Array(3).fill(end === 'commit' ? { unitOfWork, redo: end } : undefined));
    }
  }),

  test('coordinator: nobody waits for the claim of another', [coordinating, sideBySide], async (context) => {
    const { store } = await context.openFenced(there(modelOf(context.stores)), []);
    const bench = new JournalBench(store);
    await bench.coordinator.setUp({});
    const held = await bench.deciding(randomUUID(), 'held');
    try {
      const unitOfWork = await bench.decide('other');
      assert.equal((await bench.coordinator.resolve(unitOfWork, { timeoutMs: 5000 }))?.redo, 'other');
      assert.deepEqual(await bench.open(), ['other']);
    } finally {
      await held.rollback();
    }
  }),

  given('what is open comes oldest first, up to a limit and from an age on', async (bench) => {
    const { coordinator } = bench;
    const units: string[] = [];
    for (const redo of ['a', 'b', 'c', 'd']) units.push(await bench.decide(redo));
    assert.deepEqual(await bench.open(), ['a', 'b', 'c', 'd']);
    assert.deepEqual(await bench.open(2), ['a', 'b']);
    assert.deepEqual(await bench.open(9, { minAgeMs: 60_000 }), []);
    await pause(500);
    await bench.decide('young');
    const [oldest] = await coordinator.open({ limit: 1 }, {});
    assert.ok(there(oldest).ageMs >= 500);
    assert.deepEqual(await bench.open(9, { minAgeMs: 500 }), ['a', 'b', 'c', 'd']);
    await coordinator.done([there(units[0]), there(units[2]), randomUUID()], {});
    await coordinator.done([], {});
    assert.deepEqual(await bench.open(), ['b', 'd', 'young']);
    assert.equal((await coordinator.stats({})).open, 3);
  }),

  given('only what is done is pruned', async (bench) => {
    const { coordinator } = bench;
    const units = [await bench.decide('a'), await bench.decide('b'), await bench.decide('c')];
    await coordinator.done(units.slice(0, 2), {});
    assert.deepEqual((await coordinator.doneUnits(9, {})).toSorted(), units.slice(0, 2).toSorted());
    assert.equal((await coordinator.doneUnits(1, {})).length, 1);
    await coordinator.prune([...units.slice(1), randomUUID()], {});
    assert.deepEqual(await coordinator.doneUnits(9, {}), units.slice(0, 1));
    assert.deepEqual(await bench.open(), ['c']);
  }),

  given('what its own process has finished goes at once, and nothing else', async (bench) => {
    const { coordinator } = bench;
    const units = [await bench.decide('a'), await bench.decide('b'), await bench.decide('c')];
    await coordinator.done(units.slice(2), {});
    await coordinator.forget([...units.slice(0, 1), randomUUID()], {});
    assert.deepEqual([await bench.open(), await coordinator.doneUnits(9, {})], [['b'], units.slice(2)]);
    assert.equal(await coordinator.resolve(units[0] ?? '', {}), undefined);
    await coordinator.forget(units, {});
    assert.deepEqual([await bench.open(), await coordinator.doneUnits(9, {})], [[], []]);
  }),

  given('failures are kept, and a dead letter is set aside until it is given back', async (bench) => {
    const { coordinator } = bench;
    const unitOfWork = await bench.decide('letter');
    await bench.decide('other');
    await coordinator.note([unitOfWork], { error: 'no \0 room', attempts: 3, dead: false }, {});
    // What has failed does not stand in the way of what has not.
    assert.deepEqual(await bench.open(), ['other', 'letter']);
    const [, tried] = await coordinator.open({ limit: 2 }, {});
    assert.deepEqual([tried?.attempts, tried?.dead, tried?.error?.startsWith('no ')], [3, false, true]);
    await coordinator.note([unitOfWork], { error: 'never', attempts: 4, dead: true }, {});
    assert.deepEqual([await bench.open(), await bench.open(9, { dead: true })], [['other'], ['letter']]);
    assert.equal((await coordinator.resolve(unitOfWork, {}))?.redo, 'letter');
    const { open, dead, retried, attempts } = await coordinator.stats({});
    assert.deepEqual([open, dead, retried, attempts], [1, 1, 1, 4]);
    await coordinator.note([unitOfWork], { attempts: 0, dead: false }, {});
    const found = there(await coordinator.find(unitOfWork, {}));
    assert.deepEqual([found.attempts, found.dead, found.error], [0, false, undefined]);
    assert.deepEqual(await bench.open(), ['letter', 'other']);
    const stats = await coordinator.stats({});
    assert.deepEqual([stats.open, stats.dead, stats.retried, stats.attempts], [2, 0, 0, 0]);
    assert.ok(there(stats.oldestMs) >= 0);
    const both = (await coordinator.open({ limit: 2 }, {})).map((unit) => unit.unitOfWork);
    await coordinator.note(both, { attempts: 3, dead: false }, {});
    await coordinator.note([unitOfWork], { attempts: 5, dead: true }, {});
    const late = await coordinator.stats({});
    assert.deepEqual([late.open, late.dead, late.retried, late.attempts], [1, 1, 2, 8]);
    await coordinator.done(both, {});
    assert.deepEqual(await coordinator.stats({}), { open: 0, dead: 0, retried: 0, attempts: 0 });
  }),

  given('a note over what somebody else noted meanwhile leaves it as it is', async (bench) => {
    const { coordinator } = bench;
    const unit = await bench.decide('letter');
    const said = async () => {
      const { attempts, dead, error } = there(await coordinator.find(unit, {}));
      return [attempts, dead, error];
    };
    const dead = { error: 'given up', attempts: 8, dead: true };
    await coordinator.note([unit], { ...dead, over: { attempts: 0, dead: false } }, {});
    assert.deepEqual(await said(), [8, true, 'given up']);
    const seen = { attempts: 8, dead: true };
    await coordinator.note([unit], { error: 'late', attempts: 1, dead: false, over: { attempts: 0, dead: false } }, {});
    await coordinator.note([unit], { attempts: 0, dead: false, over: { attempts: 8, dead: false } }, {});
    await coordinator.note([unit], { attempts: 0, dead: false, over: { attempts: 7, dead: true } }, {});
    assert.deepEqual(await said(), [8, true, 'given up']);
    // Both have seen the same; only one of them gets to say something.
    await Promise.all([
      coordinator.note([unit], { error: 'discarded', attempts: 9, dead: true, over: seen }, {}),
      coordinator.note([unit], { attempts: 0, dead: false, over: seen }, {}),
    ]);
    const [attempts, isDead, error] = await said();
    assert.deepEqual([isDead, error], attempts === 9 ? [true, 'discarded'] : [false, undefined]);
  }),

  given(
    'what is handed over is noted once, unless it is over or somebody noted it before',
    async (bench) => {
      const { coordinator } = bench;
      const units: string[] = [];
      for (const redo of ['new', 'tried', 'dead', 'done']) units.push(await bench.decide(redo));
      const [, tried, dead, done] = units.map((unit) => [unit]);
      await coordinator.note(there(tried), { error: 'before', attempts: 4, dead: false }, {});
      await coordinator.note(there(dead), { error: 'given up', attempts: 0, dead: true }, {});
      await coordinator.done(there(done), {});
      const handOver = there(coordinator.handOver).bind(coordinator);
      await handOver([], 'nothing', {});
      await Promise.all([handOver([...units, randomUUID()], 'gone', {}), handOver(units.toReversed(), 'gone', {})]);
      const noted = await Promise.all(units.map((unit) => coordinator.find(unit, {})));
      assert.deepEqual(
        noted.map((unit) => [unit?.redo, unit?.attempts, unit?.error, unit?.dead, unit?.done === true]),
        [
          ['new', 1, 'gone', false, false],
          ['tried', 4, 'before', false, false],
          ['dead', 0, 'given up', true, false],
          ['done', 0, undefined, false, true],
        ],
      );
      const silent = await bench.decide('silent');
      await handOver([silent], undefined, {});
      const found = there(await coordinator.find(silent, {}));
      assert.deepEqual([found.attempts, found.error], [1, undefined]);
    },
    able('handOver'),
  ),

  given(
    'whoever watches is told of what is handed over or given back, until it stops',
    async (bench) => {
      const { coordinator } = bench;
      const woken = [0, 0];
      const watches = await Promise.all(
        woken.map((_, at) =>
          there(coordinator.watch).call(coordinator, () => {
            woken[at] = (woken[at] ?? 0) + 1;
          }),
        ),
      );
      const tells = async (act: Promise<unknown> | undefined, ...who: readonly number[]) => {
        const before = [...woken];
        await act;
        for (let waited = 0; who.some((at) => woken[at] === before[at]); waited += 20) {
          assert.ok(waited < 5_000, `woken ${woken} times, and ${before} before`);
          await pause(20);
        }
      };
      try {
        const unitOfWork = await bench.decide('a');
        await tells(coordinator.handOver?.([unitOfWork], 'gone', {}), 0, 1);
        await tells(coordinator.note([unitOfWork], { attempts: 0, dead: false }, {}), 0, 1);
        await watches[0]?.stop();
        const [stopped] = woken;
        await tells(coordinator.handOver?.([unitOfWork], 'gone', {}), 1);
        await pause(50);
        assert.equal(woken[0], stopped);
      } finally {
        await Promise.all(watches.map((watch) => watch.stop()));
      }
    },
    able('handOver', 'watch'),
  ),

  given('it is walked in pages, whatever becomes of what was seen', async (bench) => {
    const { coordinator } = bench;
    const names = range(12).map((n) => `r${n}`);
    const units: string[] = [];
    for (const redo of names) units.push(await bench.decide(redo));
    for (const ended of ['none', 'some', 'all'] as const) {
      const seen: string[] = [];
      let after: OpenUnit | undefined;
      for (;;) {
        const page = await coordinator.open({ limit: 5, attempts: { min: 0, max: 0 }, ...(after && { after }) }, {});
        seen.push(...page.map(({ redo }) => redo));
        after = page.at(-1);
        if (after === undefined || seen.length > names.length) break;
        if (ended === 'none') continue;
        const [first, ...others] = page.map(({ unitOfWork }) => unitOfWork);
        if (ended === 'some') await coordinator.done([there(first)], {});
        else await coordinator.note([there(first), ...others], { error: 'no', attempts: 1, dead: false }, {});
      }
      assert.deepEqual(seen, ended === 'all' ? names.filter((_, at) => ![0, 5, 10].includes(at)) : names);
    }
    assert.deepEqual(await bench.open(9, { attempts: { min: 0, max: 0 } }), []);
    assert.deepEqual(await bench.open(3, { attempts: { min: 1 } }), ['r1', 'r2', 'r3']);
    const [, second, third] = await coordinator.open({ limit: 3 }, {});
    await coordinator.note([there(third).unitOfWork], { attempts: 7, dead: false }, {});
    assert.deepEqual(await bench.open(2, { after: there(second) }), ['r4', 'r6']);
    assert.deepEqual(await bench.open(9, { attempts: { min: 2 } }), ['r3']);
    await coordinator.note(units, { attempts: 0, dead: false }, {});
    assert.equal((await bench.open(99, { attempts: { min: 0, max: 0 } })).length, 9);
    assert.equal((await coordinator.doneUnits(99, {})).length, 3);
  }),

  given('a redo of megabytes and any letters is kept as it is', async (bench) => {
    const { coordinator } = bench;
    const redo = JSON.stringify({ text: `'"\\$1 \u0000\u2028ü\u{1f98a}`, filler: 'x'.repeat(4_000_000) });
    const unitOfWork = await bench.decide(redo);
    assert.ok((await coordinator.resolve(unitOfWork, {}))?.redo === redo);
    assert.ok((await bench.open())[0] === redo);
  }),

  given('many are finished at once, and nothing is told twice', async (bench) => {
    const { coordinator } = bench;
    const units: string[] = [];
    const transaction = await bench.begin();
    for (const redo of range(60)) {
      const unitOfWork = randomUUID();
      await coordinator.record({ unitOfWork, redo: String(redo) }, { transaction });
      units.push(unitOfWork);
    }
    await transaction.commit();
    assert.equal((await coordinator.stats({})).open, 60);
    await Promise.all([coordinator.done(units, {}), coordinator.done(units.toReversed(), {})]);
    assert.deepEqual(await bench.open(), []);
    await Promise.all([coordinator.prune(units, {}), coordinator.prune(units.toReversed(), {})]);
    assert.deepEqual(await coordinator.doneUnits(99, {}), []);
  }),
];
