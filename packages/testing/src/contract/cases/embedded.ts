/** Embedded objects: nested, nullable, lists of them; kept as instances of their class. */
import assert from 'node:assert/strict';
import { type ContractCase, test } from '../case.js';
import { Parcel, Part, Size } from '../domain/article.js';
import { articles, basics, type EntityModelName, entityModels } from '../domain/groups.js';
import { there } from './assertions.js';

function embeddedOf(on: EntityModelName): ContractCase[] {
  const Article = articles[on];
  const needs = basics(on);
  return [
    test(`embedded/${on}: nested objects come back as instances of their classes`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({
        sku: 'a',
        name: 'A',
        size: Object.assign(new Size(), { width: 2, height: 3 }),
        parcel: Object.assign(new Parcel(), {
          material: 'paper',
          grams: null,
          size: Object.assign(new Size(), { width: 1, height: 1 }),
        }),
      });
      const found = await weave.repository(Article).findOneOrFail({});
      assert.ok(found.size instanceof Size);
      assert.equal(found.size.area, 6);
      assert.ok(found.parcel instanceof Parcel && found.parcel.size instanceof Size);
      assert.deepEqual(
        { ...found.parcel, size: { ...found.parcel.size } },
        { material: 'paper', grams: null, size: { width: 1, height: 1 } },
      );
    }),

    test(`embedded/${on}: absent, set, changed inside and cleared again`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert({ sku: 'a', name: 'A' });
      const found = await repository.findOneOrFail({});
      assert.deepEqual([found.size, found.parcel, found.parts], [null, null, null]);
      const change = (act: (article: typeof found) => void) =>
        weave.transaction(async (uow) => act(await uow.repository(Article).findOneOrFail({})));
      await change((article) => {
        article.size = Object.assign(new Size(), { width: 1, height: 2 });
      });
      assert.deepEqual({ ...there((await repository.findOneOrFail({})).size) }, { width: 1, height: 2 });
      await change((article) => {
        there(article.size).height = 5;
      });
      assert.deepEqual({ ...there((await repository.findOneOrFail({})).size) }, { width: 1, height: 5 });
      await change((article) => {
        article.size = null;
      });
      const last = await repository.findOneOrFail({});
      assert.deepEqual([last.size, last.version], [null, 4]);
    }),

    test(
      `embedded/${on}: a list of objects is kept in its order and noticed when it changes`,
      needs,
      async ({ weave }) => {
        const repository = weave.repository(Article);
        const part = (name: string, count: number) => Object.assign(new Part(), { name, count });
        await repository.insert({ sku: 'a', name: 'A', parts: [part('b', 2), part('a', 1)] });
        const found = await repository.findOneOrFail({});
        assert.ok(there(found.parts)[0] instanceof Part);
        assert.deepEqual(
          there(found.parts).map(({ name, count }) => [name, count]),
          [
            ['b', 2],
            ['a', 1],
          ],
        );
        await weave.transaction(async (uow) => {
          const article = await uow.repository(Article).findOneOrFail({});
          there(there(article.parts)[1]).count = 7;
          there(article.parts).push(part('c', 3));
        });
        const changed = await repository.findOneOrFail({});
        assert.deepEqual(
          there(changed.parts).map(({ name, count }) => [name, count]),
          [
            ['b', 2],
            ['a', 7],
            ['c', 3],
          ],
        );
      },
    ),

    test(`embedded/${on}: filters and orders reach into embedded objects`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      const size = (width: number, height: number) => Object.assign(new Size(), { width, height });
      await repository.insert([
        { sku: 'a', name: 'A', size: size(1, 9) },
        {
          sku: 'b',
          name: 'B',
          size: size(3, 1),
          parcel: Object.assign(new Parcel(), { material: 'wood', grams: 5, size: size(7, 7) }),
        },
        { sku: 'c', name: 'C' },
      ]);
      const skus = async (where: Parameters<typeof repository.count>[0]) =>
        (await repository.find({ where, orderBy: { sku: 'asc' } })).map((each) => each.sku).join('');
      assert.equal(await skus({ size: { width: { gte: 3 } } }), 'b');
      assert.equal(await skus({ size: { width: 1, height: 9 } }), 'a');
      assert.equal(await skus({ size: { exists: false } }), 'c');
      assert.equal(await skus({ size: { exists: true } }), 'ab');
      assert.equal(await skus({ parcel: { size: { width: 7 }, material: 'wood' } }), 'b');
      assert.equal(await skus({ not: { size: { width: 1 } } }), 'bc');
      const ordered = await repository.find({ orderBy: { size: { height: 'asc' } } });
      assert.deepEqual(
        ordered.map((each) => each.sku),
        ['b', 'a', 'c'],
      );
    }),
  ];
}

export const embeddedCases: readonly ContractCase[] = entityModels.flatMap(embeddedOf);
