/** Every kind of relation between any two models: set, read from both sides, filtered, moved and taken out again. */
import assert from 'node:assert/strict';
import { type EntityClass, RelationNotLoadedError, type Storeweave } from '@storeweave/core';
import { type ContractCase, model, test, transactions } from '../case.js';
import { matrixNeeds } from '../domain/groups.js';
import {
  type MatrixOwner,
  type MatrixPair,
  type MatrixTarget,
  matrixPairs,
  type RelatedPair,
  relatedPairs,
  type SeriesPair,
  seriesPairs,
} from '../domain/matrix.js';
import { dataCalls } from '../recorder.js';
import { range, refused, sameSet, there } from './assertions.js';

const names = (items: Iterable<{ name: string }>) => [...items].map((each) => each.name);

/** n owners o0… and n targets t0…, tied by `tie`. */
async function fill<O extends { name: string }, T extends { name: string }>(
  weave: Storeweave,
  Owner: EntityClass<O>,
  Target: EntityClass<T>,
  n: number,
  tie: (owners: readonly O[], targets: readonly T[]) => void,
): Promise<void> {
  await weave.transaction(async (uow) => {
    const owners = range(n).map((i) => uow.create(Owner, { name: `o${i}` } as never));
    const targets = range(n).map((i) => uow.create(Target, { name: `t${i}` } as never));
    tie(owners, targets);
  });
}

function matrix({ from, to, Owner, Target }: MatrixPair): ContractCase[] {
  const needs = matrixNeeds(from, to);
  const title = (kind: string) => `relations/${from} to ${to}: ${kind}`;
  const owner = (weave: Storeweave, name: string) => weave.repository(Owner).findOneOrFail({ where: { name } });

  return [
    test(
      title('many-to-one is written, read from both sides, filtered, moved and cleared'),
      needs,
      async ({ weave }) => {
        await fill(weave, Owner, Target, 3, ([o0, o1], [t0]) => {
          there(o0).one.set(there(t0));
          there(o1).one.set(there(t0));
        });
        const found = await weave.repository(Owner).find({ populate: ['one'], orderBy: { name: 'asc' } });
        assert.deepEqual(
          found.map((each) => each.one.get()?.name ?? null),
          ['t0', 't0', null],
        );
        assert.equal(there(found[0]).one.get(), there(found[1]).one.get());
        const t0 = await weave.repository(Target).findOneOrFail({ where: { name: 't0' }, populate: ['manyOf'] });
        sameSet(names(t0.manyOf.items), ['o0', 'o1']);
        const repository = weave.repository(Owner);
        sameSet(names(await repository.find({ where: { one: { name: 't0' } } })), ['o0', 'o1']);
        sameSet(names(await repository.find({ where: { one: t0.id } })), ['o0', 'o1']);
        sameSet(names(await repository.find({ where: { one: { exists: false } } })), ['o2']);
        sameSet(names(await repository.find({ where: { not: { one: { name: 't0' } } } })), ['o2']);
        sameSet(names(await weave.repository(Target).find({ where: { manyOf: { name: 'o1' } } })), ['t0']);
        await weave.transaction(async (uow) => {
          const [o0, o1] = await uow.repository(Owner).find({ orderBy: { name: 'asc' } });
          there(o0).one.set(await uow.repository(Target).findOneOrFail({ where: { name: 't2' } }));
          there(o1).one.set(null);
        });
        const after = await weave.repository(Owner).find({ populate: ['one'], orderBy: { name: 'asc' } });
        assert.deepEqual(
          after.map((each) => each.one.get()?.name ?? null),
          ['t2', null, null],
        );
      },
    ),

    test(title('one-to-one is written and read from both sides'), needs, async ({ weave }) => {
      await fill(weave, Owner, Target, 2, ([o0], [, t1]) => there(o0).only.set(there(t1)));
      const [o0, o1] = await weave.repository(Owner).find({ populate: ['only'], orderBy: { name: 'asc' } });
      assert.equal(there(o0).only.get()?.name, 't1');
      assert.equal(there(o1).only.get(), null);
      const targets = await weave.repository(Target).find({ populate: ['onlyOf'], orderBy: { name: 'asc' } });
      assert.deepEqual(
        targets.map((each) => each.onlyOf.get()?.name ?? null),
        [null, 'o0'],
      );
      sameSet(names(await weave.repository(Target).find({ where: { onlyOf: { name: 'o0' } } })), ['t1']);
      await weave.transaction(async (uow) => {
        const t0 = await uow.repository(Target).findOneOrFail({ where: { name: 't0' }, populate: ['onlyOf'] });
        t0.onlyOf.set(await uow.repository(Owner).findOneOrFail({ where: { name: 'o1' } }));
      });
      const o1After = await weave.repository(Owner).findOneOrFail({ where: { name: 'o1' }, populate: ['only'] });
      assert.equal(o1After.only.get()?.name, 't0');
    }),

    test(title('one-to-many is added to, taken out of and set'), needs, async ({ weave }) => {
      await fill(weave, Owner, Target, 4, ([o0], [t0, t1]) => there(o0).many.add(there(t0), there(t1)));
      const found = await weave.repository(Owner).findOneOrFail({ where: { name: 'o0' }, populate: ['many'] });
      sameSet(names(found.many.items), ['t0', 't1']);
      const targets = await weave.repository(Target).find({ populate: ['owner'], orderBy: { name: 'asc' } });
      assert.deepEqual(
        targets.map((each) => each.owner.get()?.name ?? null),
        ['o0', 'o0', null, null],
      );
      await weave.transaction(async (uow) => {
        const o0 = await uow.repository(Owner).findOneOrFail({ where: { name: 'o0' }, populate: ['many'] });
        o0.many.remove(there(o0.many.items.find((each) => each.name === 't0')));
        o0.many.add(await uow.repository(Target).findOneOrFail({ where: { name: 't2' } }));
      });
      const after = await weave.repository(Owner).findOneOrFail({ where: { name: 'o0' }, populate: ['many'] });
      sameSet(names(after.many.items), ['t1', 't2']);
      await weave.transaction(async (uow) => {
        const o0 = await uow.repository(Owner).findOneOrFail({ where: { name: 'o0' } });
        o0.many.set([await uow.repository(Target).findOneOrFail({ where: { name: 't3' } })]);
      });
      const last = await weave.repository(Owner).findOneOrFail({ where: { name: 'o0' }, populate: ['many'] });
      sameSet(names(last.many.items), ['t3']);
      assert.equal(await weave.repository(Target).count(), 4);
    }),

    test(title('many-to-many is written once and read from both sides'), needs, async ({ weave }) => {
      await fill(weave, Owner, Target, 3, ([o0, o1], [t0, t1]) => {
        there(o0).linked.add(there(t0), there(t1));
        there(o1).linked.add(there(t1));
      });
      const owners = await weave.repository(Owner).find({ populate: ['linked'], orderBy: { name: 'asc' } });
      assert.deepEqual(
        owners.map((each) => names(each.linked.items).sort()),
        [['t0', 't1'], ['t1'], []],
      );
      const targets = await weave.repository(Target).find({ populate: ['linkedBy'], orderBy: { name: 'asc' } });
      assert.deepEqual(
        targets.map((each) => names(each.linkedBy.items).sort()),
        [['o0'], ['o0', 'o1'], []],
      );
      sameSet(names(await weave.repository(Owner).find({ where: { linked: { name: 't1' } } })), ['o0', 'o1']);
      sameSet(names(await weave.repository(Owner).find({ where: { linked: { exists: false } } })), ['o2']);
      sameSet(names(await weave.repository(Target).find({ where: { linkedBy: { name: 'o1' } } })), ['t1']);
      await weave.transaction(async (uow) => {
        const o0 = await uow.repository(Owner).findOneOrFail({ where: { name: 'o0' }, populate: ['linked'] });
        o0.linked.remove(there(o0.linked.items.find((each) => each.name === 't1')));
        const t2 = await uow.repository(Target).findOneOrFail({ where: { name: 't2' } });
        t2.linkedBy.add(o0);
      });
      const after = await weave.repository(Owner).findOneOrFail({ where: { name: 'o0' }, populate: ['linked'] });
      sameSet(names(after.linked.items), ['t0', 't2']);
    }),

    test(
      title('relations are loaded by themselves, counted, and refuse to be read before'),
      needs,
      async ({ weave }) => {
        await fill(weave, Owner, Target, 2, ([o0], [t0, t1]) => {
          there(o0).one.set(there(t0));
          there(o0).many.add(there(t0), there(t1));
          there(o0).linked.add(there(t1));
        });
        await weave.transaction(async (uow) => {
          const o0 = await uow.repository(Owner).findOneOrFail({ where: { name: 'o0' } });
          await refused(RelationNotLoadedError, () => o0.one.get());
          await refused(RelationNotLoadedError, () => o0.many.get());
          assert.equal(await o0.many.count(), 2);
          assert.equal(await o0.linked.count(), 1);
          assert.equal((await o0.one.load())?.name, 't0');
          sameSet(names(await o0.many.load()), ['t0', 't1']);
          sameSet(names(await o0.linked.load()), ['t1']);
          assert.equal(o0.one.get()?.name, 't0');
        });
        assert.equal((await (await owner(weave, 'o0')).one.load())?.name, 't0');
      },
    ),

    test(
      title('where both sides change, the later change holds'),
      [...needs, transactions(from), transactions(to)],
      async ({ weave }) => {
        type Act = (owner: MatrixOwner, target: MatrixTarget, flush: () => Promise<void>) => unknown;
        const acts: readonly (readonly [string, number, Act])[] = [
          ['linked here, unlinked there', 0, (o, t) => [o.linked.add(t), t.linkedBy.remove(o)]],
          ['unlinked here, linked there', 1, (o, t) => [o.linked.remove(t), t.linkedBy.add(o)]],
          ['unlinked, linked again', 1, (o, t) => [o.linked.remove(t), o.linked.add(t)]],
          ['linked, unlinked', 0, (o, t) => [o.linked.add(t), o.linked.remove(t)]],
          [
            'stored, unlinked there, linked here',
            1,
            async (o, t, flush) => [o.linked.add(t), await flush(), t.linkedBy.remove(o), o.linked.add(t)],
          ],
          [
            'stored, linked here, unlinked there',
            0,
            async (o, t, flush) => [o.linked.add(t), await flush(), o.linked.add(t), t.linkedBy.remove(o)],
          ],
          ['added, set to none', 0, (o, t) => [o.many.add(t), t.owner.set(null)]],
          ['set, taken out', 0, (o, t) => [t.owner.set(o), o.many.remove(t)]],
          ['taken out, set', 1, (o, t) => [o.many.remove(t), t.owner.set(o)]],
          [
            'stored, taken out, set',
            1,
            async (o, t, flush) => [o.many.add(t), await flush(), o.many.remove(t), t.owner.set(o)],
          ],
          [
            'stored, set to none, added',
            1,
            async (o, t, flush) => [t.owner.set(o), await flush(), t.owner.set(null), o.many.add(t)],
          ],
        ];
        for (const [what, expected, act] of acts) {
          await fill(weave, Owner, Target, 1, () => {});
          await weave.transaction(async (uow) => {
            const o0 = await uow.repository(Owner).findOneOrFail({});
            await act(o0, await uow.repository(Target).findOneOrFail({}), () => uow.flush());
          });
          const o0 = await weave.repository(Owner).findOneOrFail({ populate: ['many', 'linked'] });
          assert.equal(o0.many.items.length + o0.linked.items.length, expected, what);
          await weave.transaction(async (uow) => {
            uow.remove(await uow.repository(Target).find({}));
            uow.remove(await uow.repository(Owner).find({}));
          });
        }
      },
    ),

    test(title('populate costs the same calls for 10 and for 1,000 owners'), needs, async ({ weave, calls }) => {
      const costs: number[] = [];
      for (const n of [10, 1_000]) {
        await fill(weave, Owner, Target, n, (owners, targets) => {
          for (const [i, each] of owners.entries()) {
            each.one.set(there(targets[i]));
            each.many.add(there(targets[i]));
            each.linked.add(there(targets[i]), there(targets[(i + 1) % n]));
          }
        });
        const made = await calls(async () => {
          const found = await weave.repository(Owner).find({ populate: ['one', 'many', 'linked', 'linked.owner'] });
          assert.equal(found.length, n);
          for (const each of found) {
            assert.equal(each.many.items.length, 1);
            assert.equal(each.linked.items.length, 2);
          }
        });
        costs.push(dataCalls(made).length);
        await weave.transaction(async (uow) => {
          uow.remove(await uow.repository(Owner).find({}));
          uow.remove(await uow.repository(Target).find({}));
        });
        assert.equal(await weave.repository(Owner).count(), 0);
      }
      assert.equal(costs[0], costs[1]);
      // Owners, one, many, the links and their targets, and the owners of those.
      assert.ok(there(costs[0]) <= 6, `${costs[0]} calls`);
    }),

    test(title('populate takes filters, orders and limits per owner'), needs, async ({ weave, calls }) => {
      await fill(weave, Owner, Target, 6, ([o0, o1], targets) => {
        there(o0).many.add(...targets.slice(0, 4));
        there(o1).many.add(...targets.slice(4));
        there(o0).linked.add(...targets);
        there(o1).linked.add(...targets.slice(1, 3));
      });
      const made = await calls(async () => {
        const [o0, o1] = await weave.repository(Owner).find({
          where: { name: { in: ['o0', 'o1'] } },
          orderBy: { name: 'asc' },
          related: {
            many: { where: { name: { ne: 't3' } }, orderBy: { name: 'desc' }, limit: 2 },
            linked: { orderBy: { name: 'asc' }, limit: 2, offset: 1 },
          },
        });
        assert.deepEqual(names(there(o0).many.items), ['t2', 't1']);
        assert.deepEqual(names(there(o1).many.items), ['t5', 't4']);
        assert.deepEqual(names(there(o0).linked.items), ['t1', 't2']);
        assert.deepEqual(names(there(o1).linked.items), ['t2']);
      });
      assert.ok(dataCalls(made).length <= 4, `${dataCalls(made).length} calls`);
    }),
  ];
}

function related({ from, to, Owner, Target }: RelatedPair): ContractCase[] {
  const needs = [model(from, to, 'graph')];
  const title = (kind: string) => `relations/${from} to ${to}: ${kind}`;
  return [
    test(title('an edge is written, read from both ends, filtered and taken out'), needs, async ({ weave }) => {
      await fill(weave, Owner, Target, 3, ([o0, o1], [t0, t1]) => {
        there(o0).related.add(there(t0), there(t1));
        there(o1).related.add(there(t1));
      });
      const owners = await weave.repository(Owner).find({ populate: ['related'], orderBy: { name: 'asc' } });
      assert.deepEqual(
        owners.map((each) => names(each.related.items).sort()),
        [['t0', 't1'], ['t1'], []],
      );
      const targets = await weave.repository(Target).find({ populate: ['relatedTo'], orderBy: { name: 'asc' } });
      assert.deepEqual(
        targets.map((each) => names(each.relatedTo.items).sort()),
        [['o0'], ['o0', 'o1'], []],
      );
      sameSet(names(await weave.repository(Owner).find({ where: { related: { name: 't1' } } })), ['o0', 'o1']);
      await weave.transaction(async (uow) => {
        const o0 = await uow.repository(Owner).findOneOrFail({ where: { name: 'o0' }, populate: ['related'] });
        o0.related.remove(there(o0.related.items.find((each) => each.name === 't0')));
        const t2 = await uow.repository(Target).findOneOrFail({ where: { name: 't2' } });
        t2.relatedTo.add(o0);
      });
      const after = await weave.repository(Owner).findOneOrFail({ where: { name: 'o0' }, populate: ['related'] });
      sameSet(names(after.related.items), ['t1', 't2']);
      assert.equal(await after.related.count(), 2);
    }),

    test(title('edges go with the entities that they join'), needs, async ({ weave }) => {
      await fill(weave, Owner, Target, 2, ([o0, o1], targets) => {
        there(o0).related.add(...targets);
        there(o1).related.add(...targets);
      });
      await weave.transaction(async (uow) =>
        uow.remove(await uow.repository(Owner).findOneOrFail({ where: { name: 'o0' } })),
      );
      await weave.transaction(async (uow) =>
        uow.remove(await uow.repository(Target).findOneOrFail({ where: { name: 't1' } })),
      );
      const o1 = await weave.repository(Owner).findOneOrFail({ where: { name: 'o1' }, populate: ['related'] });
      sameSet(names(o1.related.items), ['t0']);
      const t0 = await weave.repository(Target).findOneOrFail({ where: { name: 't0' }, populate: ['relatedTo'] });
      sameSet(names(t0.relatedTo.items), ['o1']);
    }),
  ];
}

function series({ from, Owner, Point }: SeriesPair): ContractCase[] {
  const needs = [model(from, 'timeseries')];
  const at = (minute: number) => new Date(Date.UTC(2001, 0, 1, 0, minute));
  const title = (kind: string) => `relations/${from} to timeseries: ${kind}`;
  return [
    test(
      title('points are added with their owner, loaded in order, by range, and counted'),
      needs,
      async ({ weave }) => {
        await weave.transaction(async (uow) => {
          const o0 = uow.create(Owner, { name: 'o0' } as never);
          const o1 = uow.create(Owner, { name: 'o1' } as never);
          o0.points.add({ at: at(2), value: 2 }, { at: at(1), value: 1 }, { at: at(3), value: 3 });
          o1.points.add({ at: at(1), value: 10 });
        });
        const o0 = await weave.repository(Owner).findOneOrFail({ where: { name: 'o0' }, populate: ['points'] });
        assert.deepEqual(
          o0.points.items.map((each) => each.value),
          [1, 2, 3],
        );
        assert.ok(o0.points.items.every((each) => each.ownerId === o0.id));
        assert.deepEqual(
          (await o0.points.range({ from: at(2), to: at(3) })).map((each) => each.value),
          [2],
        );
        assert.equal((await o0.points.last())?.value, 3);
        assert.equal(await o0.points.count(), 3);
        assert.equal(await weave.repository(Point).count({ ownerId: o0.id }), 3);
      },
    ),

    test(title('a collection over the owner in a tag reads the points'), needs, async ({ weave, calls }) => {
      await weave.transaction(async (uow) => {
        for (const i of range(20)) {
          const owner = uow.create(Owner, { name: `o${i}` } as never);
          owner.points.add({ at: at(1), value: i }, { at: at(2), value: -i });
        }
      });
      const made = await calls(async () => {
        const owners = await weave.repository(Owner).find({ populate: ['pointList', 'points'] });
        for (const each of owners) {
          assert.equal(each.pointList.items.length, 2);
          assert.deepEqual(
            each.points.items.map((point) => Math.abs(point.value)),
            range(2).map(() => Number(each.name.slice(1))),
          );
        }
      });
      assert.equal(dataCalls(made).length, 3);
    }),
  ];
}

export const relationCases: readonly ContractCase[] = [
  ...matrixPairs.flatMap(matrix),
  ...relatedPairs.flatMap(related),
  ...seriesPairs.flatMap(series),
];
