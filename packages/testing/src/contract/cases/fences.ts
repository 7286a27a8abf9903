/**
 * Taking part in commits across stores by fences. The store is called directly, with batches as the core makes them and
 * without a coordinator: what is asked of it holds whoever is alive.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  type EntityClass,
  FencedError,
  type FenceOutcome,
  type FenceOwner,
  UniqueViolationError,
} from '@storeweave/core';
import { type ContractCase, type ContractContext, can, test } from '../case.js';
import { arrays, articles, basics, type EntityModelName, entityModels, reviews } from '../domain/groups.js';
import { range, refused, there } from './assertions.js';
import { article, FenceBench } from './fence-bench.js';

export const fences = (on: EntityModelName) =>
  can(on, "commit.participates 'fence'", (c) => c.commit?.participates === 'fence');

const CLEAN: FenceOutcome = { missed: [], held: [] };

const owner = (): FenceOwner => ({ unitOfWork: randomUUID(), coordinator: 'relational' });
const IDS = range(9).map((i) => `0000000${i}-0000-7000-8000-000000000000`);
const [A = '', B = '', C = '', D = ''] = IDS;
function fencesOf(on: EntityModelName): ContractCase[] {
  const needs = [...basics(on), fences(on)];
  const opened = async ({ openFenced }: ContractContext, target: EntityClass = articles[on]) => {
    const { store, model } = await openFenced(on, [target]);
    return new FenceBench(store, model(target));
  };
  const given = (name: string, run: (bench: FenceBench) => Promise<void>) =>
    test(`fences/${on}: ${name}`, needs, async (context) => {
      const bench = await opened(context);
      await bench.store.write(bench.inserts(article(A), article(B), article(C)), {});
      await run(bench);
    });

  return [
    given('a new row is shown when it is applied, and not before', async (bench) => {
      const mine = owner();
      const batch = bench.inserts(article(D, { name: 'new', maker: 'm', stock: 7 }));
      assert.deepEqual(await bench.fence(mine, batch), CLEAN);
      assert.deepEqual(await bench.rows('id'), [[A], [B], [C]]);
      const error = await refused(FencedError, () => bench.store.write(bench.inserts(article(D)), {}));
      assert.deepEqual(error.owners, [mine]);
      assert.deepEqual(await bench.owners(), [mine.unitOfWork]);
      await bench.apply(mine, batch);
      await bench.apply(mine, batch);
      assert.deepEqual((await bench.rows('id', 'name', 'maker', 'stock', 'version')).at(-1), [D, 'new', 'm', 7, 1]);
      assert.deepEqual(await bench.owners(), []);
    }),

    given('a change is shown when it is applied, and nobody else writes meanwhile', async (bench) => {
      const mine = owner();
      const batch = bench.updates([A, B], 1, { name: 'a', stock: 1 }, { name: 'b', stock: 2 });
      assert.deepEqual(await bench.fence(mine, batch), CLEAN);
      await bench.refusesOthers(A, 1, mine);
      const before = [A, B, C].map((id) => [id, 'n', 0, 1]);
      assert.deepEqual(await bench.rows('id', 'name', 'stock', 'version'), before);
      await bench.apply(mine, batch);
      const after = [[A, 'a', 1, 2], [B, 'b', 2, 2], before[2]];
      assert.deepEqual(await bench.rows('id', 'name', 'stock', 'version'), after);
      assert.equal((await bench.store.write(bench.updates([A], 2, { name: 'later' }), {})).count, 1);
    }),

    given('a removal takes place when it is applied', async (bench) => {
      const mine = owner();
      const batch = bench.deletes([A, C], 1);
      assert.deepEqual(await bench.fence(mine, batch), CLEAN);
      await bench.refusesOthers(A, 1, mine);
      assert.deepEqual(await bench.rows('id'), [[A], [B], [C]]);
      await bench.apply(mine, batch);
      assert.deepEqual(await bench.rows('id'), [[B]]);
    }),

    given('a guard holds a row and changes nothing', async (bench) => {
      const mine = owner();
      const batch = bench.guards([A], 1);
      assert.deepEqual(await bench.fence(mine, batch), CLEAN);
      await bench.refusesOthers(A, 1, mine);
      await bench.apply(mine, batch);
      assert.deepEqual((await bench.rows('id', 'name', 'version'))[0], [A, 'n', 1]);
      assert.equal((await bench.store.write(bench.updates([A], 1, { name: 'later' }), {})).count, 1);
    }),

    given('what is applied or taken off late has no effect on what came after', async (bench) => {
      const mine = owner();
      const batches = [
        bench.inserts(article(D)),
        bench.updates([A], 1, { name: 'mine', sku: 'mine' }),
        bench.deletes([B], 1),
        bench.guards([C], 1),
      ];
      assert.deepEqual(await bench.fence(mine, ...batches), CLEAN);
      await bench.apply(mine, ...batches);
      await bench.store.write(bench.updates([A], 2, { name: 'later', sku: 'later' }), {});
      await bench.store.write(bench.inserts(article(B, { name: 'again' })), {});
      await bench.store.write(bench.deletes([D], 1), {});
      const after = [
        [A, 'later', 'later', 3],
        [B, 'again', B, 1],
        [C, 'n', C, 1],
      ];
      for (const late of ['apply', 'unfence', 'apply'] as const) {
        await bench[late](mine, ...batches);
        assert.deepEqual(await bench.rows('id', 'name', 'sku', 'version'), after, late);
      }
      await bench.participant.unfenceAll(mine, {});
      assert.deepEqual(await bench.rows('id', 'name', 'sku', 'version'), after);
    }),

    ...(['unfence', 'unfenceAll'] as const).map((way) =>
      given(`${way} leaves everything as it was, as often as it is called`, async (bench) => {
        const [mine, other] = [owner(), owner()];
        const batches = [
          bench.inserts(article(D)),
          bench.updates([A], 1, { name: 'mine', sku: 'mine' }),
          bench.deletes([B], 1),
        ];
        const theirs = bench.guards([C], 1);
        assert.deepEqual(await bench.fence(mine, ...batches), CLEAN);
        assert.deepEqual(await bench.fence(other, theirs), CLEAN);
        const off = (who: FenceOwner) =>
          way === 'unfence' ? bench.unfence(who, ...batches, theirs) : bench.participant.unfenceAll(who, {});
        await off(owner());
        assert.deepEqual(await bench.owners(), [mine.unitOfWork, other.unitOfWork].sort());
        await off(mine);
        await off(mine);
        assert.deepEqual(await bench.owners(), [other.unitOfWork]);
        assert.deepEqual(await bench.rows('id', 'name', 'sku'), [
          [A, 'n', A],
          [B, 'n', B],
          [C, 'n', C],
        ]);
        // Nothing is left that would hold a key or a value.
        await bench.store.write(bench.inserts(article(D, { sku: 'mine' })), {});
        await bench.store.write(bench.deletes([A, B], 1), {});
        await bench.refusesOthers(C, 1, other);
        await bench.apply(mine, ...batches);
        assert.deepEqual(await bench.rows('id', 'name', 'sku'), [
          [C, 'n', C],
          [D, 'n', 'mine'],
        ]);
      }),
    ),

    given('rows that are not there or have another version are told by position', async (bench) => {
      const mine = owner();
      const outcome = await bench.fence(
        mine,
        bench.updates([A, D], 1, { name: 'x' }),
        bench.deletes([B], 2),
        bench.guards([D, C], 1),
      );
      const missed = [...outcome.missed].sort((a, b) => a.batch - b.batch);
      const expected = [
        { batch: 0, row: 1 },
        { batch: 1, row: 0 },
        { batch: 2, row: 0 },
      ];
      assert.deepEqual([missed, outcome.held], [expected, []]);
      await bench.participant.unfenceAll(mine, {});
      assert.deepEqual(
        await bench.rows('id', 'name', 'version'),
        [A, B, C].map((id) => [id, 'n', 1]),
      );
    }),

    given('who holds a row is told once', async (bench) => {
      const [first, second, third] = [owner(), owner(), owner()];
      await bench.fence(first, bench.updates([A, B], 1, { name: '1' }), bench.inserts(article(D)));
      await bench.fence(second, bench.guards([C], 1));
      const outcome = await bench.fence(third, bench.deletes([A, B, C], 1), bench.inserts(article(D)));
      assert.deepEqual(outcome.missed, []);
      assert.deepEqual(
        outcome.held.map(({ unitOfWork }) => unitOfWork).sort(),
        [first, second].map((o) => o.unitOfWork).sort(),
      );
      assert.deepEqual((await bench.participant.owners(1, {})).length, 1);
      await bench.unfence(third, bench.deletes([A, B, C], 1), bench.inserts(article(D)));
      await bench.apply(first, bench.updates([A, B], 1, { name: '1' }), bench.inserts(article(D)));
      assert.deepEqual(await bench.rows('id', 'name'), [
        [A, '1'],
        [B, '1'],
        [C, 'n'],
        [D, 'n'],
      ]);
    }),

    given('of many that want a row exactly one gets it', async (bench) => {
      const keys = [A, B, C];
      const outcomes = await Promise.all(
        range(24).map(async (i) => {
          const key = there(keys[i % keys.length]);
          const mine = owner();
          const batch = bench.updates([key], 1, { stock: i + 1 });
          try {
            const { missed, held } = await bench.fence(mine, batch);
            const won = missed.length + held.length === 0;
            await (won ? bench.apply(mine, batch) : bench.unfence(mine, batch));
            return won ? key : undefined;
          } catch (error) {
            // Lost to one that was over by the time it was looked at.
            assert.equal((error as { isRetryable?: boolean }).isRetryable, true);
            await bench.unfence(mine, batch);
            return undefined;
          }
        }),
      );
      const won = outcomes.filter((each) => each !== undefined).sort();
      assert.deepEqual(won, keys);
      assert.deepEqual((await bench.rows('version')).flat(), [2, 2, 2]);
      assert.deepEqual(await bench.owners(), []);
    }),

    given('a batch of one store that meets a fence leaves nothing', async (bench) => {
      const mine = owner();
      await bench.fence(mine, bench.guards([B], 1));
      await refused(FencedError, () => bench.store.write(bench.updates([A, B, C], 1, { name: 'x' }), {}));
      await refused(FencedError, () => bench.store.write(bench.deletes([C, B], 1), {}));
      await refused(FencedError, () => bench.store.write(bench.inserts(article(D), article(B, { sku: 'b' })), {}));
      assert.deepEqual(
        await bench.rows('id', 'name', 'version'),
        [A, B, C].map((id) => [id, 'n', 1]),
      );
    }),
  ];
}

function uniqueValuesOf(on: EntityModelName): ContractCase[] {
  const needs = [...basics(on), fences(on)];
  const given = (name: string, run: (bench: FenceBench) => Promise<void>) =>
    test(`fences/${on}: ${name}`, needs, async ({ openFenced }) => {
      const { store, model } = await openFenced(on, [articles[on]]);
      const bench = new FenceBench(store, model(articles[on]));
      await store.write(bench.inserts(article(A, { sku: 'a' }), article(B, { sku: 'b' })), {});
      await run(bench);
    });
  return [
    given('what is taken is refused before the decision', async (bench) => {
      const mine = owner();
      await refused(UniqueViolationError, () => bench.fence(mine, bench.inserts(article(A, { sku: 'c' }))));
      await refused(UniqueViolationError, () => bench.fence(mine, bench.inserts(article(C, { sku: 'a' }))));
      await refused(UniqueViolationError, () => bench.fence(mine, bench.updates([B], 1, { sku: 'a' })));
      for (const other of [bench.guards([B], 1), bench.updates([B], 1, { name: 'keeps its own' })]) {
        const taking = [bench.updates([A], 1, { sku: 'b' }), other];
        await refused(UniqueViolationError, () => bench.fence(mine, ...taking));
        await bench.unfence(mine, ...taking);
      }
      const twice = bench.inserts(article(C, { sku: 'c' }), article(D, { sku: 'c' }));
      await refused(UniqueViolationError, () => bench.fence(mine, twice));
      await bench.participant.unfenceAll(mine, {});
      assert.deepEqual(await bench.rows('id', 'sku', 'version'), [
        [A, 'a', 1],
        [B, 'b', 1],
      ]);
      assert.deepEqual(await bench.owners(), []);
    }),

    given('a unique value is held from the fence on, the old one until it is applied', async (bench) => {
      const [mine, other] = [owner(), owner()];
      const batches = [bench.inserts(article(C, { sku: 'c' })), bench.updates([A], 1, { sku: 'x' })];
      assert.deepEqual(await bench.fence(mine, ...batches), CLEAN);
      for (const sku of ['c', 'x', 'a']) {
        const batch = bench.inserts(article(D, { sku }));
        assert.deepEqual([sku, await bench.fence(other, batch)], [sku, { missed: [], held: [mine] }]);
        await bench.unfence(other, batch);
        assert.deepEqual((await refused(FencedError, () => bench.store.write(batch, {}))).owners, [mine]);
      }
      const taking = bench.updates([B], 1, { sku: 'x' });
      assert.deepEqual(await bench.fence(other, taking), { missed: [], held: [mine] });
      await bench.unfence(other, taking);
      assert.deepEqual((await refused(FencedError, () => bench.store.write(taking, {}))).owners, [mine]);
      await bench.apply(mine, ...batches);
      await bench.apply(mine, ...batches);
      await refused(UniqueViolationError, () => bench.store.write(taking, {}));
      await bench.store.write(bench.updates([B], 1, { sku: 'a' }), {});
      assert.deepEqual(await bench.rows('sku'), [['x'], ['a'], ['c']]);
      assert.deepEqual(await bench.owners(), []);
    }),

    given('a unique value that did not change is no conflict', async (bench) => {
      const mine = owner();
      const batch = bench.updates([A, B], 1, { sku: 'a', name: 'x' }, { sku: 'b', name: 'y' });
      assert.deepEqual(await bench.fence(mine, batch), CLEAN);
      await bench.apply(mine, batch);
      assert.deepEqual(await bench.rows('id', 'sku', 'name'), [
        [A, 'a', 'x'],
        [B, 'b', 'y'],
      ]);
    }),

    given('rows of one unit of work can trade unique values', async (bench) => {
      const mine = owner();
      const trade = bench.updates([A, B], 1, { sku: 'b' }, { sku: 'a' });
      assert.deepEqual(await bench.fence(mine, trade), CLEAN);
      await bench.apply(mine, trade);
      await bench.apply(mine, trade);
      assert.deepEqual(await bench.rows('id', 'sku', 'version'), [
        [A, 'b', 2],
        [B, 'a', 2],
      ]);
      const next = owner();
      const heir = [bench.inserts(article(C, { sku: 'b', name: 'heir' })), bench.deletes([A], 2)];
      assert.deepEqual(await bench.fence(next, ...heir), CLEAN);
      assert.deepEqual(await bench.rows('id', 'sku'), [
        [A, 'b'],
        [B, 'a'],
      ]);
      await bench.apply(next, ...heir);
      await bench.apply(next, ...heir);
      assert.deepEqual(await bench.rows('id', 'sku', 'name'), [
        [B, 'a', 'n'],
        [C, 'b', 'heir'],
      ]);
      assert.deepEqual(await bench.owners(), []);
    }),

    test(
      `fences/${on}: a value unique with another is held when one of the two changes`,
      [...needs, arrays(on)],
      async ({ openFenced }) => {
        const { store, model } = await openFenced(on, [reviews[on]]);
        const bench = new FenceBench(store, model(reviews[on]));
        const review = (id: string, subject: string) => ({
          id,
          author: 'me',
          subject,
          stars: 3,
          labels: [],
          version: 1,
        });
        await store.write(bench.inserts(review(A, 'a'), review(B, 'b')), {});
        const mine = owner();
        const batch = bench.updates([A], 1, { subject: 'c' });
        assert.deepEqual(await bench.fence(mine, batch), CLEAN);
        for (const subject of ['a', 'c']) {
          const { owners } = await refused(FencedError, () => store.write(bench.inserts(review(C, subject)), {}));
          assert.deepEqual(owners, [mine]);
        }
        await bench.apply(mine, batch);
        await refused(UniqueViolationError, () => store.write(bench.inserts(review(C, 'c')), {}));
        await store.write(bench.updates([B], 1, { subject: 'a' }), {});
        assert.deepEqual(await bench.rows('subject'), [['c'], ['a']]);
      },
    ),
  ];
}

export const fenceCases: readonly ContractCase[] = [
  ...entityModels.flatMap(fencesOf),
  ...entityModels.flatMap(uniqueValuesOf),
];
