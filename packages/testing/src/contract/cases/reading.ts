/** Order, limits, pages by key, streams and selections. */
import assert from 'node:assert/strict';
import { InvalidQueryError } from '@storeweave/core';
import { type ContractCase, test } from '../case.js';
import { articles, basics, type EntityModelName, entityModels } from '../domain/groups.js';
import { dataCalls } from '../recorder.js';
import { range, refused, sameSet, there } from './assertions.js';

function readingOf(on: EntityModelName): ContractCase[] {
  const Article = articles[on];
  const needs = basics(on);
  /** Ties in name, absent values in maker and score. */
  const rows = (n: number) =>
    range(n).map((i) => ({
      sku: `s${String(i).padStart(4, '0')}`,
      name: `n${i % 3}`,
      maker: i % 4 === 0 ? null : `m${i % 5}`,
      stock: i,
      score: i % 7 === 0 ? null : (i * 37) % 11,
    }));

  return [
    test(`reading/${on}: order by several properties, absent values last unless told`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert([
        { sku: 'a', name: 'x', maker: 'm2', stock: 1 },
        { sku: 'b', name: 'y', stock: 2 },
        { sku: 'c', name: 'x', maker: 'm1', stock: 3 },
        { sku: 'd', name: 'y', maker: 'm1', stock: 4 },
      ]);
      const skus = async (orderBy: NonNullable<Parameters<typeof repository.find>[0]>['orderBy']) =>
        (await repository.find({ orderBy })).map((each) => each.sku).join('');
      assert.equal(await skus([{ name: 'asc' }, { stock: 'desc' }]), 'cadb');
      assert.equal(await skus([{ maker: 'asc' }, { sku: 'asc' }]), 'cdab');
      assert.equal(await skus([{ maker: 'desc' }, { sku: 'asc' }]), 'acdb');
      assert.equal(await skus([{ maker: { direction: 'asc', nulls: 'first' } }, { sku: 'asc' }]), 'bcda');
      assert.equal(await skus([{ maker: { direction: 'desc', nulls: 'first' } }, { sku: 'asc' }]), 'bacd');
      await refused(InvalidQueryError, () => repository.find({ orderBy: { nothing: 'asc' } as never }));
    }),

    test(`reading/${on}: limit and offset`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(rows(10));
      const stocks = async (limit?: number, offset?: number) =>
        (await repository.find({ orderBy: { stock: 'asc' }, limit, offset })).map((each) => each.stock);
      assert.deepEqual(await stocks(3), [0, 1, 2]);
      assert.deepEqual(await stocks(3, 8), [8, 9]);
      assert.deepEqual(await stocks(undefined, 7), [7, 8, 9]);
      assert.deepEqual(await stocks(0), []);
      assert.deepEqual(await stocks(3, 100), []);
      for (const bad of [-1, 1.5, Number.NaN]) await refused(InvalidQueryError, () => repository.find({ limit: bad }));
      assert.equal(
        there(await repository.findOne({ where: { stock: { gt: 3 } }, orderBy: { stock: 'asc' } })).stock,
        4,
      );
      assert.equal(await repository.findOne({ where: { stock: 99 } }), null);
    }),

    test(`reading/${on}: count and exists`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(rows(10));
      assert.equal(await repository.count(), 10);
      assert.equal(await repository.count({ stock: { lt: 4 } }), 4);
      assert.equal(await repository.exists({ stock: 9 }), true);
      assert.equal(await repository.exists({ stock: 10 }), false);
    }),

    ...(
      [
        ['a unique property', { sku: 'asc' }],
        ['a property with ties', { name: 'asc' }],
        ['a property with ties, descending', { name: 'desc' }],
        ['a property with absent values', { score: 'asc' }],
        ['a property with absent values, descending', { score: 'desc' }],
        ['absent values first', { score: { direction: 'asc', nulls: 'first' } }],
        ['two properties in different directions', [{ maker: 'desc' }, { score: 'asc' }]],
        ['nothing', undefined],
      ] as const
    ).map(([title, orderBy]) =>
      test(
        `reading/${on}: pages by ${title}, forwards and back, give every entity once`,
        needs,
        async ({ weave, calls }) => {
          const repository = weave.repository(Article);
          await repository.insert(rows(25));
          const order = orderBy as never;
          const forwards: string[] = [];
          let after: string | undefined;
          let pages = 0;
          for (;;) {
            const made = await calls(async () => {
              const page = await repository.page({ orderBy: order, first: 4, after });
              forwards.push(...page.items.map((each) => each.sku));
              assert.equal(page.pageInfo.hasPreviousPage, pages > 0);
              assert.equal(page.pageInfo.hasNextPage, pages < 6);
              after = page.pageInfo.hasNextPage ? there(page.pageInfo.endCursor) : undefined;
            });
            assert.equal(dataCalls(made).length, 1);
            pages++;
            if (after === undefined) break;
          }
          assert.equal(pages, 7);
          assert.equal(new Set(forwards).size, 25);
          if (orderBy !== undefined) {
            const whole = await repository.find({ orderBy: order });
            const place = (sku: string) => {
              const { name, maker, score } = there(whole.find((each) => each.sku === sku));
              return Array.isArray(orderBy)
                ? [maker, score]
                : 'score' in orderBy
                  ? [score]
                  : 'name' in orderBy
                    ? [name]
                    : [sku];
            };
            assert.deepEqual(
              forwards.map(place),
              whole.map((each) => place(each.sku)),
            );
          }
          const backwards: string[] = [];
          let before: string | undefined;
          for (;;) {
            const page = await repository.page({ orderBy: order, last: 4, before });
            backwards.unshift(...page.items.map((each) => each.sku));
            if (!page.pageInfo.hasPreviousPage) break;
            before = there(page.pageInfo.startCursor);
          }
          assert.deepEqual(backwards, forwards);
        },
      ),
    ),

    test(`reading/${on}: a page goes on where it was, whatever was added before it`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(rows(6));
      const first = await repository.page({ orderBy: { sku: 'asc' }, first: 3 });
      await repository.insert({ sku: 'a-before', name: 'n' });
      const second = await repository.page({
        orderBy: { sku: 'asc' },
        first: 3,
        after: there(first.pageInfo.endCursor),
      });
      assert.deepEqual(
        second.items.map((each) => each.stock),
        [3, 4, 5],
      );
    }),

    test(`reading/${on}: a cursor of another query is refused`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(rows(6));
      const page = await repository.page({ orderBy: { sku: 'asc' }, first: 3 });
      await refused(InvalidQueryError, () =>
        repository.page({ orderBy: { name: 'asc' }, first: 3, after: there(page.pageInfo.endCursor) }),
      );
      await refused(InvalidQueryError, () => repository.page({ orderBy: { sku: 'asc' }, first: 3, after: 'nonsense' }));
    }),

    test(`reading/${on}: a stream gives all in order, and can be left early`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(rows(500));
      const stocks: number[] = [];
      for await (const each of repository.stream({ where: { stock: { lt: 400 } }, orderBy: { stock: 'desc' } }))
        stocks.push(each.stock);
      assert.deepEqual(stocks, range(400).reverse());
      const some: number[] = [];
      for await (const each of repository.stream({ orderBy: { stock: 'asc' } })) {
        some.push(each.stock);
        if (some.length === 3) break;
      }
      assert.deepEqual(some, [0, 1, 2]);
      assert.equal(await repository.count(), 500);
    }),

    test(
      `reading/${on}: a stream costs calls by the piece, whatever its pieces hold`,
      needs,
      async ({ weave, calls }) => {
        const repository = weave.repository(Article);
        await repository.insert(rows(2_500));
        let seen = 0;
        const made = await calls(async () => {
          for await (const _ of repository.stream({ batchSize: 1_000 })) seen++;
        });
        assert.equal(seen, 2_500);
        // Three pieces, and perhaps one more to learn that there is none.
        assert.ok(dataCalls(made).length <= 4, `${dataCalls(made).length} calls`);
      },
    ),

    test(`reading/${on}: thousands of ids are one call`, needs, async ({ weave, calls }) => {
      const repository = weave.repository(Article);
      const ids = (await repository.insert(rows(5_000))).map((each) => each.id);
      const made = await calls(async () => {
        assert.equal((await repository.findByIds(ids)).length, 5_000);
        assert.equal((await repository.find({ where: { id: { in: ids } }, select: ['sku'] })).length, 5_000);
        assert.equal(await repository.count({ id: { notIn: ids } }), 0);
      });
      assert.equal(dataCalls(made).length, 3);
    }),

    test(`reading/${on}: reads of one unit of work may be asked at the same time`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(rows(20));
      await weave.transaction(async (uow) => {
        const all = await Promise.all(
          range(10).map((i) => uow.repository(Article).find({ where: { stock: { lt: 10 + i } } })),
        );
        assert.deepEqual(
          all.map((found) => found.length),
          range(10).map((i) => 10 + i),
        );
        const [first, second] = all;
        for (const each of there(first)) assert.ok(there(second).includes(each), 'one instance');
      });
    }),

    test(`reading/${on}: select gives plain rows of what was asked`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert({ sku: 'a', name: 'A', size: { width: 1, height: 2 } as never });
      const [row] = await repository.find({ select: ['sku', 'size.width'] });
      assert.deepEqual(row, { sku: 'a', size: { width: 1 } });
      const [whole] = await repository.find({ select: ['name', 'size'] });
      assert.deepEqual(whole, { name: 'A', size: { width: 1, height: 2 } });
      await refused(InvalidQueryError, () => repository.find({ select: ['nothing'] as never }));
    }),

    test(`reading/${on}: finds outside a unit of work do not remember each other`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(rows(3));
      sameSet(
        (await repository.find()).map((each) => each.stock),
        [0, 1, 2],
      );
    }),
  ];
}

export const readingCases: readonly ContractCase[] = entityModels.flatMap(readingOf);
