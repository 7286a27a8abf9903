/** Creating, changing and removing entities through a unit of work, and what it costs. */
import assert from 'node:assert/strict';
import { EntityNotFoundError, InvalidStateError, NotNullViolationError, UniqueViolationError } from '@storeweave/core';
import { type ContractCase, test, transactions } from '../case.js';
import { arrays, articles, basics, diaries, type EntityModelName, entityModels, reviews } from '../domain/groups.js';
import { dataCalls } from '../recorder.js';
import { range, refused, there } from './assertions.js';

function writesOf(on: EntityModelName): ContractCase[] {
  const Article = articles[on];
  const needs = basics(on);
  return [
    test(`writes/${on}: create, change and remove in three units of work`, needs, async ({ weave }) => {
      const id = await weave.transaction(async (uow) => uow.create(Article, { sku: 'a', name: 'Thread' }).id);
      await weave.transaction(async (uow) => {
        const article = await uow.repository(Article).findOneOrFail({ where: { sku: 'a' } });
        assert.ok(article instanceof Article);
        assert.equal(article.id, id);
        article.name = 'Yarn';
        article.stock = 5;
      });
      const changed = there(await weave.repository(Article).findById(id));
      assert.deepEqual([changed.name, changed.stock, changed.sku], ['Yarn', 5, 'a']);
      await weave.transaction(async (uow) => uow.remove(there(await uow.repository(Article).findById(id))));
      assert.equal(await weave.repository(Article).findById(id), null);
      assert.equal(await weave.repository(Article).count(), 0);
    }),

    test(`writes/${on}: a plain instance of the class can be added`, needs, async ({ weave }) => {
      await weave.transaction(async (uow) => {
        const article = new Article();
        Object.assign(article, { sku: 'own', name: 'Own' });
        uow.add(article);
        assert.ok(uow.contains(article));
      });
      assert.equal((await weave.repository(Article).findOneOrFail({})).sku, 'own');
    }),

    test(`writes/${on}: defaults, version and times are filled in`, needs, async ({ weave }) => {
      const before = Date.now();
      const article = await weave.transaction(async (uow) => uow.create(Article, { sku: 'a', name: 'A' }));
      const found = await weave.repository(Article).findOneOrFail({});
      for (const each of [article, found]) {
        assert.equal(each.stock, 0);
        assert.equal(each.grade, 'plain');
        assert.equal(each.version, 1);
        assert.ok(each.createdAt.getTime() >= before - 1 && each.createdAt.getTime() <= Date.now() + 1);
        assert.deepEqual(each.updatedAt, each.createdAt);
      }
      assert.equal(found.id, article.id);
    }),

    test(`writes/${on}: insert without a unit of work fills in the same`, needs, async ({ weave }) => {
      const inserted = await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      const found = await weave.repository(Article).findOneOrFail({});
      assert.deepEqual([found.stock, found.grade, found.version, found.maker], [0, 'plain', 1, null]);
      assert.equal(there(inserted).id, found.id);
    }),

    test(`writes/${on}: a list default is made anew for each entity`, [...needs, arrays(on)], async ({ weave }) => {
      await weave.transaction(async (uow) => {
        const first = uow.create(reviews[on], { author: 'a', subject: '1' });
        const second = uow.create(reviews[on], { author: 'a', subject: '2' });
        first.labels.push('x');
        assert.deepEqual(second.labels, []);
      });
    }),

    test(`writes/${on}: an update touches the time and the version, and not the creation`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      const first = await weave.repository(Article).findOneOrFail({});
      await new Promise((resolve) => setTimeout(resolve, 5));
      await weave.transaction(async (uow) => {
        (await uow.repository(Article).findOneOrFail({})).stock = 1;
      });
      const second = await weave.repository(Article).findOneOrFail({});
      assert.deepEqual(second.createdAt, first.createdAt);
      assert.ok(second.updatedAt.getTime() > first.updatedAt.getTime());
      assert.equal(second.version, 2);
    }),

    test(`writes/${on}: a unit of work without changes writes nothing`, needs, async ({ weave, calls }) => {
      await weave
        .repository(Article)
        .insert({ sku: 'a', name: 'A', size: { width: 1, height: 2 } as never, details: { b: 1, a: 2 } });
      const made = await calls(() =>
        weave.transaction(async (uow) => {
          const article = await uow.repository(Article).findOneOrFail({});
          article.stock = 7;
          article.stock = 0;
        }),
      );
      assert.deepEqual(
        dataCalls(made).map(({ call }) => call),
        ['read'],
      );
      assert.equal((await weave.repository(Article).findOneOrFail({})).version, 1);
    }),

    test(
      `writes/${on}: a commit costs the same calls for 10 and for 1,000 entities`,
      needs,
      async ({ weave, calls }) => {
        const costs: number[][] = [];
        for (const n of [10, 1_000]) {
          const inserted = await calls(() =>
            weave.transaction(async (uow) => {
              for (const i of range(n)) uow.create(Article, { sku: `${n}-${i}`, name: `n${n}` });
            }),
          );
          const updated = await calls(() =>
            weave.transaction(async (uow) => {
              for (const each of await uow.repository(Article).find({ where: { name: `n${n}` } })) each.stock = 1;
            }),
          );
          assert.equal(await weave.repository(Article).count({ name: `n${n}`, stock: 1 }), n);
          const removed = await calls(() =>
            weave.transaction(async (uow) => {
              for (const each of await uow.repository(Article).find({ where: { name: `n${n}` } })) uow.remove(each);
            }),
          );
          costs.push([inserted, updated, removed].map((list) => dataCalls(list).length));
        }
        assert.deepEqual(costs, [
          [1, 2, 2],
          [1, 2, 2],
        ]);
        assert.equal(await weave.repository(Article).count(), 0);
      },
    ),

    test(`writes/${on}: rows of one update may set different properties`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await repository.insert(range(4).map((i) => ({ sku: `${i}`, name: 'n', maker: 'm', stock: i })));
      await weave.transaction(async (uow) => {
        const found = await uow.repository(Article).find({ orderBy: { sku: 'asc' } });
        there(found[0]).name = 'changed';
        there(found[1]).maker = null;
        there(found[2]).stock = 99;
        there(found[2]).size = { width: 1, height: 2 } as never;
      });
      const found = await repository.find({ orderBy: { sku: 'asc' } });
      assert.deepEqual(
        found.map(({ name, maker, stock, version }) => [name, maker, stock, version]),
        [
          ['changed', 'm', 0, 2],
          ['n', null, 1, 2],
          ['n', 'm', 99, 2],
          ['n', 'm', 3, 1],
        ],
      );
    }),

    test(`writes/${on}: created and removed in one unit of work is never written`, needs, async ({ weave, calls }) => {
      const made = await calls(() =>
        weave.transaction(async (uow) => {
          const article = uow.create(Article, { sku: 'a', name: 'A' });
          uow.remove(article);
        }),
      );
      assert.deepEqual(dataCalls(made), []);
    }),

    test(`writes/${on}: a missing value is refused before or by the store`, needs, async ({ weave }) => {
      await refused(NotNullViolationError, () =>
        weave.transaction(async (uow) => void uow.create(Article, { sku: 'a' } as never)),
      );
      assert.equal(await weave.repository(Article).count(), 0);
    }),

    test(
      `writes/${on}: a taken unique value is refused and nothing is kept`,
      [...needs, transactions(on)],
      async ({ weave }) => {
        await weave.repository(Article).insert({ sku: 'taken', name: 'A' });
        const error = await refused(UniqueViolationError, () =>
          weave.transaction(async (uow) => {
            uow.create(Article, { sku: 'free', name: 'B' });
            await uow.flush();
            uow.create(Article, { sku: 'taken', name: 'C' });
          }),
        );
        assert.equal(error.entity, Article.name);
        assert.equal(error.code, 'UNIQUE_VIOLATION');
        assert.equal(await weave.repository(Article).count(), 1);
      },
    ),

    test(`writes/${on}: an update to a taken unique value is refused`, [...needs], async ({ weave }) => {
      await weave.repository(Article).insert([
        { sku: 'a', name: 'A' },
        { sku: 'b', name: 'B' },
      ]);
      await refused(UniqueViolationError, () =>
        weave.transaction(async (uow) => {
          (await uow.repository(Article).findOneOrFail({ where: { sku: 'b' } })).sku = 'a';
        }),
      );
      assert.equal(await weave.repository(Article).count({ sku: 'b' }), 1);
    }),

    test(`writes/${on}: a unique pair is taken as a pair`, [...needs, arrays(on)], async ({ weave }) => {
      const repository = weave.repository(reviews[on]);
      await repository.insert([
        { author: 'a', subject: '1' },
        { author: 'a', subject: '2' },
        { author: 'b', subject: '1' },
      ]);
      await refused(UniqueViolationError, () => repository.insert({ author: 'a', subject: '2' }));
    }),

    test(`writes/${on}: a taken id is refused`, needs, async ({ weave }) => {
      const first = there(await weave.repository(Article).insert({ sku: 'a', name: 'A' }));
      await refused(UniqueViolationError, () =>
        weave.repository(Article).insert({ id: first.id, sku: 'b', name: 'B' }),
      );
    }),

    test(
      `writes/${on}: hooks run in their order, and what they set is stored`,
      [...needs, transactions(on)],
      async ({ weave }) => {
        const Diary = diaries[on];
        const diary = await weave.transaction(async (uow) => uow.create(Diary, { title: 'a' }));
        assert.deepEqual(diary.events, ['beforeInsert', 'afterInsert']);
        const events = await weave.transaction(async (uow) => {
          const found = await uow.repository(Diary).findOneOrFail({});
          assert.equal(found.trace, 'i');
          found.title = 'b';
          await uow.flush();
          uow.remove(found);
          await uow.flush();
          return found.events;
        });
        assert.deepEqual(events, ['afterLoad', 'beforeUpdate', 'afterUpdate', 'beforeDelete', 'afterDelete']);
      },
    ),

    test(`writes/${on}: what a hook sets before an update is stored with it`, needs, async ({ weave }) => {
      const Diary = diaries[on];
      await weave.transaction(async (uow) => void uow.create(Diary, { title: 'a' }));
      await weave.transaction(async (uow) => {
        (await uow.repository(Diary).findOneOrFail({})).title = 'b';
      });
      const found = await weave.repository(Diary).findOneOrFail({});
      assert.deepEqual([found.title, found.trace, found.version], ['b', 'iu', 2]);
    }),

    test(`writes/${on}: an entity is one instance in a unit of work`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      await weave.transaction(async (uow) => {
        const repository = uow.repository(Article);
        const [first, second, third] = [
          await repository.findOneOrFail({}),
          await repository.findOneOrFail({ where: { sku: 'a' } }),
          (await repository.find())[0],
        ];
        assert.equal(first, second);
        assert.equal(first, third);
        assert.equal(await repository.findById(first.id), first);
      });
      const [x, y] = [
        await weave.repository(Article).findOneOrFail({}),
        await weave.repository(Article).findOneOrFail({}),
      ];
      assert.notEqual(x, y);
    }),

    test(`writes/${on}: a known entity is found by id without a call`, needs, async ({ weave, calls }) => {
      const { id } = there(await weave.repository(Article).insert({ sku: 'a', name: 'A' }));
      await weave.transaction(async (uow) => {
        await uow.repository(Article).findById(id);
        const made = await calls(() => uow.repository(Article).findById(id));
        assert.deepEqual(dataCalls(made), []);
      });
    }),

    test(
      `writes/${on}: a read sees the pending changes of its unit of work`,
      [...needs, transactions(on)],
      async ({ weave }) => {
        await weave.repository(Article).insert({ sku: 'a', name: 'A' });
        await weave.transaction(async (uow) => {
          const repository = uow.repository(Article);
          uow.create(Article, { sku: 'b', name: 'B' });
          (await repository.findOneOrFail({ where: { sku: 'a' } })).name = 'changed';
          assert.equal(await repository.count({ name: 'changed' }), 1);
          assert.equal(await repository.count(), 2);
          uow.remove(await repository.findOneOrFail({ where: { sku: 'a' } }));
          assert.equal(await repository.count(), 1);
          assert.equal(await weave.repository(Article).count(), 1);
        });
      },
    ),

    test(
      `writes/${on}: with flush 'commit' a read sees what is stored`,
      [...needs, transactions(on)],
      async ({ weave }) => {
        await weave.transaction({ flush: 'commit' }, async (uow) => {
          uow.create(Article, { sku: 'a', name: 'A' });
          assert.equal(await uow.repository(Article).count(), 0);
        });
        assert.equal(await weave.repository(Article).count(), 1);
      },
    ),

    test(
      `writes/${on}: a find keeps changes that are not flushed, refresh takes them back`,
      needs,
      async ({ weave }) => {
        await weave.repository(Article).insert({ sku: 'a', name: 'A' });
        await weave.transaction({ flush: 'commit' }, async (uow) => {
          const article = await uow.repository(Article).findOneOrFail({});
          article.name = 'changed';
          await uow.repository(Article).find();
          assert.equal(article.name, 'changed');
          await uow.refresh(article);
          assert.equal(article.name, 'A');
          assert.equal(uow.plan().isEmpty, true);
        });
        assert.equal((await weave.repository(Article).findOneOrFail({})).version, 1);
      },
    ),

    test(`writes/${on}: a detached entity is left alone`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      await weave.transaction(async (uow) => {
        const article = await uow.repository(Article).findOneOrFail({});
        article.name = 'changed';
        uow.detach(article);
        assert.equal(uow.contains(article), false);
      });
      assert.equal((await weave.repository(Article).findOneOrFail({})).name, 'A');
    }),

    test(`writes/${on}: plan() says what a commit would do`, needs, async ({ weave }) => {
      await weave.repository(Article).insert([
        { sku: 'a', name: 'A' },
        { sku: 'b', name: 'B' },
      ]);
      await weave.transaction({ flush: 'commit' }, async (uow) => {
        uow.create(Article, { sku: 'c', name: 'C' });
        (await uow.repository(Article).findOneOrFail({ where: { sku: 'a' } })).stock = 4;
        uow.remove(await uow.repository(Article).findOneOrFail({ where: { sku: 'b' } }));
        const plan = uow.plan();
        assert.equal(plan.isEmpty, false);
        assert.deepEqual(
          plan.operations.map(({ operation, entity, count }) => [operation, entity, count]),
          [
            ['insert', Article.name, 1],
            ['update', Article.name, 1],
            ['delete', Article.name, 1],
          ],
        );
        for (const word of ['insert', 'update', 'delete', Article.name, on])
          assert.match(String(plan), new RegExp(word, 'i'));
      });
    }),

    test(`writes/${on}: findOneOrFail says what was not found`, needs, async ({ weave }) => {
      const error = await refused(EntityNotFoundError, () =>
        weave.repository(Article).findOneOrFail({ where: { sku: 'nowhere' } }),
      );
      assert.equal(error.entity, Article.name);
      assert.match(error.message, new RegExp(Article.name));
    }),

    test(`writes/${on}: create outside a unit of work is refused`, needs, async ({ weave }) => {
      await refused(InvalidStateError, async () => weave.repository(Article).create({ sku: 'a', name: 'A' }));
    }),
  ];
}

export const writeCases: readonly ContractCase[] = entityModels.flatMap(writesOf);
