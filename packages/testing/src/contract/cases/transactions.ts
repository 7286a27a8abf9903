/** Rollback, savepoints, isolation, two at once, retries, limits and signals. */
import assert from 'node:assert/strict';
import {
  AbortedError,
  CommitUnknownError,
  ConnectionError,
  InvalidStateError,
  OptimisticLockError,
  ReadOnlyError,
  SerializationError,
  TimeoutError,
} from '@storeweave/core';
import { type ContractCase, can, concurrent, savepoints, test, transactions } from '../case.js';
import { articles, basics, type EntityModelName, entityModels } from '../domain/groups.js';
import { range, refused, there } from './assertions.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function transactionsOf(on: EntityModelName): ContractCase[] {
  const Article = articles[on];
  const needs = [...basics(on), transactions(on)];
  const nested = [...needs, savepoints(on)];
  const fail = new Error('the application gave up');
  return [
    test(`transactions/${on}: an error takes everything back and is passed on`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      await assert.rejects(
        weave.transaction(async (uow) => {
          uow.create(Article, { sku: 'b', name: 'B' });
          (await uow.repository(Article).findOneOrFail({ where: { sku: 'a' } })).name = 'changed';
          await uow.flush();
          throw fail;
        }),
        (error: unknown) => error === fail,
      );
      const found = await weave.repository(Article).find();
      assert.deepEqual(
        found.map(({ sku, name, version }) => [sku, name, version]),
        [['a', 'A', 1]],
      );
    }),

    test(`transactions/${on}: after a rollback the objects can be used again`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      await using session = weave.session();
      const known = await session.repository(Article).findOneOrFail({});
      known.name = 'changed';
      const fresh = session.create(Article, { sku: 'b', name: 'B' });
      const id = fresh.id;
      const spoiler = session.create(Article, { sku: 'a', name: 'taken' });
      await assert.rejects(session.commit());
      assert.deepEqual([known.name, known.version, fresh.id], ['changed', 1, id]);
      spoiler.sku = 'c';
      await session.commit();
      assert.deepEqual([known.version, fresh.version, spoiler.version], [2, 1, 1]);
      assert.equal(await weave.repository(Article).count(), 3);
    }),

    test(`transactions/${on}: rollback of a session forgets its changes`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      await using session = weave.session();
      session.create(Article, { sku: 'b', name: 'B' });
      (await session.repository(Article).findOneOrFail({ where: { sku: 'a' } })).name = 'changed';
      await session.rollback();
      await session.commit();
      assert.deepEqual(
        (await weave.repository(Article).find()).map((each) => each.name),
        ['A'],
      );
    }),

    test(`transactions/${on}: a nested transaction is taken back alone`, nested, async ({ weave }) => {
      await weave.transaction(async (uow) => {
        const outer = uow.create(Article, { sku: 'outer', name: 'O' });
        await assert.rejects(
          uow.transaction(async () => {
            uow.create(Article, { sku: 'inner', name: 'I' });
            outer.name = 'changed inside';
            await uow.flush();
            assert.equal(await uow.repository(Article).count(), 2);
            throw fail;
          }),
          (error: unknown) => error === fail,
        );
        assert.equal(await uow.repository(Article).count(), 1);
        await uow.transaction(async () => {
          uow.create(Article, { sku: 'second', name: 'S' });
          await uow.transaction(async () => void uow.create(Article, { sku: 'third', name: 'T' }));
        });
      });
      const skus = (await weave.repository(Article).find({ orderBy: { sku: 'asc' } })).map((each) => each.sku);
      assert.deepEqual(skus, ['outer', 'second', 'third']);
    }),

    test(
      `transactions/${on}: a refused write in a nested transaction leaves the outer one usable`,
      nested,
      async ({ weave }) => {
        await weave.repository(Article).insert({ sku: 'taken', name: 'A' });
        await weave.transaction(async (uow) => {
          uow.create(Article, { sku: 'before', name: 'B' });
          await assert.rejects(uow.transaction(async () => void uow.create(Article, { sku: 'taken', name: 'C' })));
          uow.create(Article, { sku: 'after', name: 'D' });
        });
        const skus = (await weave.repository(Article).find({ orderBy: { sku: 'asc' } })).map((each) => each.sku);
        assert.deepEqual(skus, ['after', 'before', 'taken']);
      },
    ),

    test(`transactions/${on}: an injected repository joins the running unit of work`, needs, async ({ weave }) => {
      const repository = weave.repository(Article);
      await weave.transaction(async (uow) => {
        assert.equal(weave.current(), uow);
        repository.create({ sku: 'a', name: 'A' });
        await pause(1);
        assert.equal(await repository.count(), 1);
        assert.equal(await uow.repository(Article).findOne(), await repository.findOne());
      });
      assert.equal(weave.current(), undefined);
      assert.equal(await repository.count(), 1);
    }),

    test(`transactions/${on}: a unit of work that is over refuses to be used`, needs, async ({ weave }) => {
      const kept = await weave.transaction(async (uow) => uow);
      await refused(InvalidStateError, async () => kept.create(Article, { sku: 'a', name: 'A' }));
      await refused(InvalidStateError, () => kept.repository(Article).find());
    }),

    test(
      `transactions/${on}: others do not see what is not committed`,
      [...needs, concurrent(on)],
      async ({ weave }) => {
        let seen = -1;
        await weave.transaction(async (uow) => {
          uow.create(Article, { sku: 'a', name: 'A' });
          await uow.flush();
          await using other = weave.session();
          seen = await other.repository(Article).count();
        });
        assert.equal(seen, 0);
      },
    ),

    test(`transactions/${on}: two at once on one row, and one of them loses`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      const outcomes = await Promise.allSettled(
        [1, 2].map((stock) =>
          weave.transaction({ retries: 0 }, async (uow) => {
            const article = await uow.repository(Article).findOneOrFail({});
            await pause(20);
            article.stock += stock;
          }),
        ),
      );
      const lost = outcomes.filter((each) => each.status === 'rejected');
      const found = await weave.repository(Article).findOneOrFail({});
      // Both may have run one after the other; what must not be is that a change is lost.
      if (lost.length === 0) assert.deepEqual([found.stock, found.version], [3, 3]);
      else {
        assert.equal(lost.length, 1);
        const { reason } = there(lost[0]) as PromiseRejectedResult;
        assert.ok(reason instanceof OptimisticLockError || reason instanceof SerializationError, String(reason));
        assert.equal(found.version, 2);
      }
    }),

    test(`transactions/${on}: ten at once lose no increment`, needs, async ({ weave }) => {
      await weave.repository(Article).insert({ sku: 'a', name: 'A' });
      await Promise.all(range(10).map(() => weave.repository(Article).increment({ sku: 'a' }, { stock: 1 })));
      assert.equal((await weave.repository(Article).findOneOrFail({})).stock, 10);
    }),

    test(
      `transactions/${on}: a locked row makes the other wait`,
      [...needs, can(on, 'rowLocks', (c) => c.rowLocks)],
      async ({ weave }) => {
        await weave.repository(Article).insert({ sku: 'a', name: 'A' });
        const order: string[] = [];
        const increment = (name: string) =>
          weave.transaction(async (uow) => {
            const article = await uow.repository(Article).findOneOrFail({ lock: 'update' });
            order.push(`${name} has`);
            await pause(30);
            article.stock += 1;
            order.push(`${name} ends`);
          });
        await Promise.all([increment('one'), increment('two')]);
        assert.match(order.join(), /^(one has,one ends,two has,two ends|two has,two ends,one has,one ends)$/);
        assert.equal((await weave.repository(Article).findOneOrFail({})).stock, 2);
      },
    ),

    test(
      `transactions/${on}: repeatable read keeps what it has seen`,
      [
        ...needs,
        concurrent(on),
        can(on, "isolation 'repeatable read'", (c) => c.transactions?.isolation.includes('repeatable read') === true),
      ],
      async ({ weave }) => {
        await weave.repository(Article).insert({ sku: 'a', name: 'A' });
        await weave.transaction({ isolation: 'repeatable read' }, async (uow) => {
          assert.equal(await uow.repository(Article).count(), 1);
          await using other = weave.session();
          other.create(Article, { sku: 'b', name: 'B' });
          await other.commit();
          assert.equal(await uow.repository(Article).count(), 1);
        });
        assert.equal(await weave.repository(Article).count(), 2);
      },
    ),

    test(`transactions/${on}: a failed serialization is done again`, needs, async ({ weave, chaos }) => {
      chaos.add({ call: 'commit', times: 2, fail: () => new SerializationError('told to') });
      let runs = 0;
      const made = await weave.transaction(async (uow) => {
        runs++;
        return uow.create(Article, { sku: `run ${runs}`, name: 'A' });
      });
      assert.equal(runs, 3);
      assert.equal(made.sku, 'run 3');
      assert.deepEqual(
        (await weave.repository(Article).find()).map((each) => each.sku),
        ['run 3'],
      );
    }),

    test(`transactions/${on}: a transaction begun inside another is part of it`, nested, async ({ weave }) => {
      await weave.transaction(async (uow) => {
        uow.create(Article, { sku: 'outer', name: 'O' });
        await weave.transaction(async (inner) => void inner.create(Article, { sku: 'kept', name: 'K' }));
        await assert.rejects(
          weave.transaction(async (inner) => {
            inner.create(Article, { sku: 'lost', name: 'L' });
            await inner.flush();
            throw fail;
          }),
        );
        assert.equal(await uow.repository(Article).count(), 2);
      });
      const skus = (await weave.repository(Article).find({ orderBy: { sku: 'asc' } })).map((each) => each.sku);
      assert.deepEqual(skus, ['kept', 'outer']);
    }),

    test(
      `transactions/${on}: two that wait for each other's rows both end, one of them after another try`,
      [...needs, concurrent(on)],
      async ({ weave }) => {
        await weave.repository(Article).insert([
          { sku: 'a', name: 'A' },
          { sku: 'b', name: 'B' },
        ]);
        const add = (first: string, second: string) =>
          weave.transaction(async (uow) => {
            for (const sku of [first, second]) {
              await uow.repository(Article).increment({ sku }, { stock: 1 });
              await pause(30);
            }
          });
        await Promise.all([add('a', 'b'), add('b', 'a')]);
        assert.equal(await weave.repository(Article).count({ stock: 2 }), 2);
      },
    ),

    test(
      `transactions/${on}: serializable lets no two decide on what the other changes`,
      [
        ...needs,
        concurrent(on),
        can(on, "isolation 'serializable'", (c) => c.transactions?.isolation.includes('serializable') === true),
      ],
      async ({ weave }) => {
        // Each inserts only where there is nothing yet; one after the other, only one may.
        const insertFirst = (sku: string) =>
          weave.transaction({ isolation: 'serializable', retries: 10 }, async (uow) => {
            const isEmpty = (await uow.repository(Article).count()) === 0;
            await pause(30);
            if (isEmpty) uow.create(Article, { sku, name: 'A' });
          });
        await Promise.all([insertFirst('a'), insertFirst('b')]);
        assert.equal(await weave.repository(Article).count(), 1);
      },
    ),

    test(
      `transactions/${on}: an unknown outcome of a commit is told, and nothing is done again`,
      needs,
      async ({ weave, chaos }) => {
        chaos.add({ call: 'commit', when: 'after', fail: () => new CommitUnknownError('told to') });
        let runs = 0;
        await refused(CommitUnknownError, () =>
          weave.transaction(async (uow) => {
            runs++;
            uow.create(Article, { sku: 'a', name: 'A' });
          }),
        );
        assert.equal(runs, 1);
        assert.equal(await weave.repository(Article).count(), 1);
      },
    ),

    test(`transactions/${on}: retries end`, needs, async ({ weave, chaos }) => {
      chaos.add({ call: 'commit', times: Number.POSITIVE_INFINITY, fail: () => new SerializationError('told to') });
      let runs = 0;
      await refused(SerializationError, () =>
        weave.transaction({ retries: 1 }, async (uow) => {
          runs++;
          uow.create(Article, { sku: 'a', name: 'A' });
        }),
      );
      assert.equal(runs, 2);
      chaos.clear();
      assert.equal(await weave.repository(Article).count(), 0);
    }),

    test(
      `transactions/${on}: a lost connection before a write leaves nothing and tells`,
      needs,
      async ({ weave, chaos }) => {
        chaos.add({ call: 'update', entity: Article.name, times: Number.POSITIVE_INFINITY });
        await weave.repository(Article).insert({ sku: 'a', name: 'A' });
        await refused(ConnectionError, () =>
          weave.transaction({ retries: 0 }, async (uow) => {
            uow.create(Article, { sku: 'b', name: 'B' });
            (await uow.repository(Article).findOneOrFail({ where: { sku: 'a' } })).name = 'changed';
          }),
        );
        chaos.clear();
        assert.deepEqual(
          (await weave.repository(Article).find()).map((each) => each.name),
          ['A'],
        );
      },
    ),

    test(`transactions/${on}: a transaction past its limit is over and leaves nothing`, needs, async ({ weave }) => {
      await refused(TimeoutError, () =>
        weave.transaction({ timeoutMs: 50 }, async (uow) => {
          uow.create(Article, { sku: 'a', name: 'A' });
          await uow.flush();
          await pause(150);
          await uow.repository(Article).count();
        }),
      );
      assert.equal(await weave.repository(Article).count(), 0);
    }),

    test(`transactions/${on}: a signal ends a unit of work and leaves nothing`, needs, async ({ weave }) => {
      const stop = new AbortController();
      await refused(AbortedError, () =>
        weave.transaction({ signal: stop.signal }, async (uow) => {
          uow.create(Article, { sku: 'a', name: 'A' });
          await uow.flush();
          stop.abort();
        }),
      );
      assert.equal(await weave.repository(Article).count(), 0);
    }),

    test(
      `transactions/${on}: a call that hangs ends with its limit or its signal`,
      basics(on),
      async ({ weave, chaos }) => {
        chaos.add({ call: 'read', hang: true, times: 2 });
        await refused(TimeoutError, () => weave.repository(Article).find({ timeoutMs: 30 }));
        const stop = new AbortController();
        setTimeout(() => stop.abort(), 30);
        await refused(AbortedError, () => weave.repository(Article).find({ signal: stop.signal }));
        assert.deepEqual(await weave.repository(Article).find(), []);
      },
    ),

    test(`transactions/${on}: a signal that is aborted already sends nothing`, basics(on), async ({ weave }) => {
      await refused(AbortedError, () => weave.repository(Article).find({ signal: AbortSignal.abort() }));
      await refused(AbortedError, () =>
        weave.transaction({ signal: AbortSignal.abort() }, async () => assert.fail('ran')),
      );
    }),

    test(`transactions/${on}: a read-only unit of work refuses to write`, needs, async ({ weave }) => {
      await assert.rejects(
        weave.transaction({ readOnly: true }, async (uow) => {
          await uow.repository(Article).find();
          uow.create(Article, { sku: 'a', name: 'A' });
        }),
        (error: unknown) => error instanceof ReadOnlyError || error instanceof InvalidStateError,
      );
      assert.equal(await weave.repository(Article).count(), 0);
    }),
  ];
}

export const transactionCases: readonly ContractCase[] = entityModels.flatMap(transactionsOf);
