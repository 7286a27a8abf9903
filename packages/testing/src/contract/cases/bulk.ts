/** Changes by filter, increments, and writes that meet what is there. */
import assert from 'node:assert/strict';
import { InvalidQueryError, UniqueViolationError } from '@storeweave/core';
import { type ContractCase, can, test, transactions } from '../case.js';
import {
  arrays,
  articles,
  basics,
  countries,
  type EntityModelName,
  entityModels,
  reviews,
  shelves,
} from '../domain/groups.js';
import { dataCalls } from '../recorder.js';
import { range, refused, there } from './assertions.js';

const bulkWrites = (on: EntityModelName) => can(on, 'bulkWrites', (c) => c.bulkWrites);
const upsert = (on: EntityModelName) => can(on, 'upsert', (c) => c.upsert);

function bulkOf(on: EntityModelName): ContractCase[] {
  const Article = articles[on];
  const needs = [...basics(on), bulkWrites(on)];
  return [
    test(`bulk/${on}: update by filter sets values and counts the version`, needs, async ({ weave, calls }) => {
      const repository = weave.repository(Article);
      await repository.insert(
        range(10).map((stock) => ({ sku: `${stock}`, name: 'n', stock, maker: 'm', price: '1.50' })),
      );
      const made = await calls(async () => {
        const changed = await repository.update(
          { stock: { gte: 6 } },
          { name: 'many', maker: null, size: { width: 1, height: 2 } as never, details: { a: [1] } },
        );
        assert.equal(changed, 4);
      });
      assert.equal(dataCalls(made).length, 1);
      const found = await repository.find({ where: { name: 'many' }, orderBy: { stock: 'asc' } });
      assert.deepEqual(
        found.map((each) => [each.stock, each.maker, each.version, each.price, each.size?.height, each.details]),
        [
          [6, null, 2, '1.50', 2, { a: [1] }],
          [7, null, 2, '1.50', 2, { a: [1] }],
          [8, null, 2, '1.50', 2, { a: [1] }],
          [9, null, 2, '1.50', 2, { a: [1] }],
        ],
      );
      for (const each of found) assert.ok(each.updatedAt >= each.createdAt);
      assert.equal(await repository.count({ version: 1 }), 6);
      assert.equal(await repository.update({ stock: 99 }, { name: 'none' }), 0);
    }),

    test(`bulk/${on}: delete by filter`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(range(10).map((stock) => ({ sku: `${stock}`, name: 'n', stock })));
      assert.equal(await repository.delete({ stock: { in: [1, 2, 99] } }), 2);
      assert.equal(await repository.count(), 8);
      assert.equal(await repository.delete({ stock: 99 }), 0);
      assert.equal(await repository.delete({}), 8);
    }),

    test(`bulk/${on}: increment adds, absent counts as 0`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert([
        { sku: 'a', name: 'n', stock: 5, score: 1.5, price: '0.10' },
        { sku: 'b', name: 'n' },
      ]);
      assert.equal(await repository.increment({ name: 'n' }, { stock: -2, score: 0.25, price: '0.20' }), 2);
      const found = await repository.find({ orderBy: { sku: 'asc' } });
      assert.deepEqual(
        found.map((each) => [each.stock, each.score, Number(each.price), each.version]),
        [
          [3, 1.75, 0.3, 2],
          [-2, 0.25, 0.2, 2],
        ],
      );
      await refused(InvalidQueryError, () => repository.increment({ name: 'n' }, { name: 1 } as never));
    }),

    test(`bulk/${on}: a bulk change to a taken unique value changes nothing`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(range(3).map((i) => ({ sku: `${i}`, name: 'n' })));
      await refused(UniqueViolationError, () => repository.update({ sku: { in: ['0', '1'] } }, { sku: 'same' }));
      assert.equal(await repository.count({ sku: 'same' }), 0);
    }),

    test(`bulk/${on}: a bulk change is part of the unit of work`, [...needs, transactions(on)], async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(range(3).map((i) => ({ sku: `${i}`, name: 'n' })));
      await assert.rejects(
        weave.transaction(async (uow) => {
          await uow.repository(Article).update({ name: 'n' }, { stock: 9 });
          await uow.repository(Article).delete({ sku: '0' });
          throw new Error('no');
        }),
        /no/,
      );
      assert.equal(await repository.count({ stock: 0 }), 3);
    }),

    test(`bulk/${on}: insert of 1,000 costs one call`, basics(on), async ({ weave, calls }) => {
      const made = await calls(() =>
        weave.repository(Article).insert(range(1_000).map((i) => ({ sku: `${i}`, name: 'n' }))),
      );
      assert.equal(dataCalls(made).length, 1);
      assert.equal(await weave.repository(Article).count(), 1_000);
    }),

    test(`bulk/${on}: insert is all or nothing`, basics(on), async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert({ sku: '5', name: 'n' });
      await refused(UniqueViolationError, () => repository.insert(range(10).map((i) => ({ sku: `${i}`, name: 'n' }))));
      assert.equal(await repository.count(), 1);
    }),

    test(`upsert/${on}: by a natural id`, [...basics(on), upsert(on)], async ({ weave, calls }) => {
      const repository = weave.repository(countries[on]);
      await repository.insert({ code: 'fr', name: 'France' });
      const made = await calls(() =>
        repository.upsert([
          { code: 'fr', name: 'La France' },
          { code: 'de', name: 'Deutschland' },
        ]),
      );
      assert.equal(dataCalls(made).length, 1);
      const found = await repository.find({ orderBy: { code: 'asc' } });
      assert.deepEqual(
        found.map(({ code, name }) => [code, name]),
        [
          ['de', 'Deutschland'],
          ['fr', 'La France'],
        ],
      );
      assert.deepEqual(
        found.map((each) => each.version),
        [1, 2],
      );
    }),

    test(
      `upsert/${on}: by a unique property, updating only what is said`,
      [...basics(on), upsert(on)],
      async ({ weave }) => {
        const repository = weave.repository(Article);
        const first = there(await repository.insert({ sku: 'a', name: 'old', stock: 1 }));
        await repository.upsert({ sku: 'a', name: 'new', stock: 2 }, { on: ['sku'], update: ['stock'] });
        const found = await repository.findOneOrFail({});
        assert.deepEqual([found.id, found.name, found.stock], [first.id, 'old', 2]);
        await repository.upsert({ sku: 'b', name: 'other', stock: 3 }, { on: ['sku'] });
        assert.equal(await repository.count(), 2);
      },
    ),

    test(
      `upsert/${on}: by a composite id and by a unique pair`,
      [...basics(on), upsert(on), arrays(on)],
      async ({ weave }) => {
        const repository = weave.repository(shelves[on]);
        await repository.insert({ hall: 'a', row: 1, label: 'old' });
        await repository.upsert([
          { hall: 'a', row: 1, label: 'new' },
          { hall: 'a', row: 2, label: 'two' },
        ]);
        assert.deepEqual(
          (await repository.find({ orderBy: { row: 'asc' } })).map((each) => each.label),
          ['new', 'two'],
        );
        const pairs = weave.repository(reviews[on]);
        await pairs.insert({ author: 'a', subject: '1', stars: 1 });
        await pairs.upsert({ author: 'a', subject: '1', stars: 5 }, { on: ['author', 'subject'] });
        assert.deepEqual(
          (await pairs.find()).map((each) => each.stars),
          [5],
        );
      },
    ),
  ];
}

export const bulkCases: readonly ContractCase[] = entityModels.flatMap(bulkOf);
