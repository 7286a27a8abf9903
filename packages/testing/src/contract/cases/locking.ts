/** Optimistic locking that really checks, and soft deletion. */
import assert from 'node:assert/strict';
import { OptimisticLockError } from '@storeweave/core';
import { type ContractCase, model, test, transactions } from '../case.js';
import { Remark, Thread } from '../domain/article.js';
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

function locking(on: EntityModelName): ContractCase[] {
  const Article = articles[on];
  const needs = basics(on);
  return [
    test(`locking/${on}: a stale update is refused`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      await using mine = weave.session();
      const article = await mine.repository(Article).findOneOrFail({});
      await weave.transaction(async (uow) => {
        (await uow.repository(Article).findOneOrFail({})).stock = 1;
      });
      article.stock = 2;
      const error = await refused(OptimisticLockError, () => mine.commit());
      assert.equal(error.entity, Article.name);
      assert.ok(error.message.includes(article.id));
      const found = await weave.repository(Article).findOneOrFail({});
      assert.deepEqual([found.stock, found.version], [1, 2]);
    }),

    test(`locking/${on}: a stale removal is refused`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      await using mine = weave.session();
      mine.remove(await mine.repository(Article).findOneOrFail({}));
      await weave.transaction(async (uow) => {
        (await uow.repository(Article).findOneOrFail({})).stock = 1;
      });
      await refused(OptimisticLockError, () => mine.commit());
      assert.equal(await weave.repository(Article).count(), 1);
    }),

    test(`locking/${on}: what someone else removed cannot be changed or removed`, needs, async ({ weave }) => {
      for (const act of ['change', 'remove'] as const) {
        await weave.repository(Article).insert({ sku: 'a', name: 'A' });
        await using mine = weave.session();
        const article = await mine.repository(Article).findOneOrFail({});
        await weave.transaction(async (uow) => uow.remove(await uow.repository(Article).findOneOrFail({})));
        if (act === 'change') article.stock = 2;
        else mine.remove(article);
        await refused(OptimisticLockError, () => mine.commit());
        assert.equal(await weave.repository(Article).count(), 0);
      }
    }),

    test(
      `locking/${on}: one stale row among many leaves nothing written`,
      [...needs, transactions(on)],
      async ({ weave }) => {
        await weave.repository(Article).insert(range(20).map((i) => ({ sku: `${i}`, name: 'n' })));
        await using mine = weave.session();
        const articles = await mine.repository(Article).find();
        await weave.transaction(async (uow) => {
          (await uow.repository(Article).findOneOrFail({ where: { sku: '13' } })).stock = 1;
        });
        mine.create(Article, { sku: 'new', name: 'new' });
        for (const each of articles) each.name = 'changed';
        mine.remove(there(articles[0]));
        await refused(OptimisticLockError, () => mine.commit());
        assert.equal(await weave.repository(Article).count({ name: 'n' }), 20);
        assert.equal(await weave.repository(Article).count(), 20);
      },
    ),

    test(`locking/${on}: the version counts each update of a session`, needs, async ({ weave }) => {
      await using session = weave.session();
      const article = session.create(Article, { sku: 'a', name: 'A' });
      await session.commit();
      assert.equal(article.version, 1);
      for (const stock of [1, 2, 3]) {
        article.stock = stock;
        await session.commit();
      }
      assert.equal(article.version, 4);
      assert.equal((await weave.repository(Article).findOneOrFail({})).version, 4);
    }),

    test(
      `locking/${on}: after a refused commit the entity can be refreshed and committed`,
      needs,
      async ({ weave }) => {
        await weave.repository(Article).insert({ sku: 'a', name: 'A' });
        await using mine = weave.session();
        const article = await mine.repository(Article).findOneOrFail({});
        await weave.transaction(async (uow) => {
          (await uow.repository(Article).findOneOrFail({})).stock = 1;
        });
        article.stock = 2;
        await refused(OptimisticLockError, () => mine.commit());
        await mine.refresh(article);
        assert.deepEqual([article.stock, article.version], [1, 2]);
        article.stock = 3;
        await mine.commit();
        assert.deepEqual([article.version, (await weave.repository(Article).findOneOrFail({})).stock], [3, 3]);
      },
    ),

    test(`locking/${on}: natural and composite ids are checked too`, needs, async ({ weave }) => {
      await weave.repository(countries[on]).insert({ code: 'fr', name: 'France' });
      await weave.repository(shelves[on]).insert({ hall: 'a', row: 1, label: 'x' });
      await using mine = weave.session();
      const country = await mine.repository(countries[on]).findOneOrFail({});
      await weave.transaction(async (uow) => {
        (await uow.repository(countries[on]).findOneOrFail({})).name = 'La France';
        (await uow.repository(shelves[on]).findOneOrFail({})).label = 'y';
      });
      country.name = 'Frankreich';
      await refused(OptimisticLockError, () => mine.commit());
      await using other = weave.session();
      const shelf = await other.repository(shelves[on]).findOneOrFail({});
      await weave.transaction(async (uow) => uow.remove(await uow.repository(shelves[on]).findOneOrFail({})));
      shelf.label = 'z';
      await refused(OptimisticLockError, () => other.commit());
    }),
  ];
}

function softDeletion(on: EntityModelName): ContractCase[] {
  const Review = reviews[on];
  const needs = [...basics(on), arrays(on)];
  return [
    test(`soft deletion/${on}: what is removed is kept and left out`, needs, async ({ weave, calls }) => {
      await weave.repository(Review).insert(['1', '2', '3'].map((subject) => ({ author: 'a', subject })));
      const made = await calls(() =>
        weave.transaction(async (uow) =>
          uow.remove(await uow.repository(Review).findOneOrFail({ where: { subject: '2' } })),
        ),
      );
      assert.deepEqual(
        dataCalls(made).map(({ call }) => call),
        ['read', 'update'],
      );
      const repository = weave.repository(Review);
      const subjects = async (options: { withDeleted?: boolean | 'only' }) =>
        (await repository.find({ orderBy: { subject: 'asc' }, ...options })).map((each) => each.subject);
      assert.deepEqual(await subjects({}), ['1', '3']);
      assert.deepEqual(await subjects({ withDeleted: true }), ['1', '2', '3']);
      assert.deepEqual(await subjects({ withDeleted: 'only' }), ['2']);
      assert.equal(await repository.count(), 2);
      assert.equal(await repository.exists({ subject: '2' }), false);
      const [gone] = await repository.find({ withDeleted: 'only' });
      assert.ok(there(gone).deletedAt instanceof Date);
      assert.equal(there(gone).version, 2);
      assert.equal(await repository.findById(there(gone).id), null);
    }),

    test(`soft deletion/${on}: clearing the time brings it back`, needs, async ({ weave }) => {
      await weave.repository(Review).insert({ author: 'a', subject: '1' });
      await weave.transaction(async (uow) => uow.remove(await uow.repository(Review).findOneOrFail({})));
      await weave.transaction(async (uow) => {
        const [gone] = await uow.repository(Review).find({ withDeleted: 'only' });
        there(gone).deletedAt = null;
      });
      assert.equal(await weave.repository(Review).count(), 1);
    }),

    test(
      `soft deletion/${on}: bulk changes leave removed ones alone, a bulk removal is soft`,
      needs,
      async ({ weave }) => {
        const repository = weave.repository(Review);
        await repository.insert(['1', '2', '3'].map((subject) => ({ author: 'a', subject })));
        assert.equal(await repository.delete({ subject: '1' }), 1);
        assert.equal(await repository.update({ author: 'a' }, { stars: 5 }), 2);
        const all = await repository.find({ withDeleted: true, orderBy: { subject: 'asc' } });
        assert.deepEqual(
          all.map((each) => [each.subject, each.stars, each.deletedAt !== null]),
          [
            ['1', 3, true],
            ['2', 5, false],
            ['3', 5, false],
          ],
        );
      },
    ),
  ];
}

const softRelations: readonly ContractCase[] = [
  test('soft deletion/relational: relations leave out what is removed', [model('relational')], async ({ weave }) => {
    await weave.transaction(async (uow) => {
      const thread = uow.create(Thread, { title: 't' });
      for (const text of ['a', 'b', 'c']) uow.create(Remark, { text, thread });
    });
    await weave.transaction(async (uow) =>
      uow.remove(await uow.repository(Remark).findOneOrFail({ where: { text: 'b' } })),
    );
    const texts = async (withDeleted?: boolean) => {
      const thread = await weave.repository(Thread).findOneOrFail({
        related: { remarks: { orderBy: { text: 'asc' } } },
        ...(withDeleted === undefined ? {} : { withDeleted }),
      });
      return thread.remarks.items.map((each) => each.text).join('');
    };
    assert.equal(await texts(), 'ac');
    assert.equal(await texts(true), 'abc');
    assert.equal(await weave.repository(Thread).count({ remarks: { text: 'b' } }), 0);
    assert.equal(await weave.repository(Thread).count({ remarks: { text: 'c' } }), 1);
    const thread = await weave.repository(Thread).findOneOrFail({});
    assert.equal(await thread.remarks.count(), 2);
  }),
];

export const lockingCases: readonly ContractCase[] = [
  ...entityModels.flatMap(locking),
  ...entityModels.flatMap(softDeletion),
  ...softRelations,
];
