/** Walks over the graph: neighbours, variable depth, filters, shortest paths; compared with a plain search. */
import assert from 'node:assert/strict';
import { InvalidQueryError, type Storeweave } from '@storeweave/core';
import { type ContractCase, has, model, test, transactions } from '../case.js';
import { shop } from '../domain/groups.js';
import { Delivery, Depot, Road } from '../domain/network.js';
import { Customer } from '../domain/shop.js';
import { dataCalls } from '../recorder.js';
import { range, refused, sameSet, there } from './assertions.js';

const needs = [model('graph'), has('graph', 'graph')];

type Edge = readonly [from: string, to: string, km: number, open?: boolean];

async function build(weave: Storeweave, edges: readonly Edge[], more: readonly string[] = []): Promise<void> {
  const codes = [...new Set([...edges.flatMap((edge) => edge.slice(0, 2) as string[]), ...more])];
  await weave.transaction(async (uow) => {
    const depots = new Map(
      codes.map((code) => [code, uow.create(Depot, { code, city: `city ${code}`, capacity: code.charCodeAt(0) - 96 })]),
    );
    for (const [from, to, km, open = true] of edges)
      uow.create(Road, { from: there(depots.get(from)), to: there(depots.get(to)), km, open });
  });
}

/** a → b → c → d, a short cut a → d that is closed, a way back, and an island. */
const small: readonly Edge[] = [
  ['a', 'b', 1],
  ['b', 'c', 2],
  ['c', 'd', 3],
  ['a', 'd', 100, false],
  ['d', 'a', 9],
  ['x', 'y', 1],
];

const ends = (found: readonly { entity: Depot; depth: number }[]) =>
  found.map(({ entity, depth }) => `${entity.code}${depth}`);

/** The same numbers each time: a small linear congruential generator. */
function randomEdges(vertices: number, edges: number): Edge[] {
  let state = 42;
  const next = (limit: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
  return range(edges).map(() => [`v${next(vertices)}`, `v${next(vertices)}`, next(100)] as const);
}

function plainDepths(edges: readonly Edge[], start: string, maxDepth: number): Map<string, number> {
  const depths = new Map([[start, 0]]);
  for (let depth = 1; depth <= maxDepth; depth++)
    for (const [from, to] of edges) if (depths.get(from) === depth - 1 && !depths.has(to)) depths.set(to, depth);
  return depths;
}

const across: readonly ContractCase[] = [
  test('graph: a relationship may lead to another store', [...needs, ...shop], async ({ weave }) => {
    await weave.transaction(async (uow) => {
      const [a, b] = ['a', 'b'].map((code) => uow.create(Depot, { code, city: code }));
      const ann = uow.create(Customer, { email: 'ann', name: 'Ann' });
      uow.create(Road, { from: there(a), to: there(b), km: 1 });
      uow.create(Delivery, { from: there(b), to: ann, days: 2 });
    });
    const found = await weave
      .graph(Depot)
      .traverse<Road | Delivery, Depot | Customer>({ from: 'a', via: [Road, Delivery], depth: [1, 2] });
    assert.deepEqual(
      found.map(({ entity, depth }) => [entity.constructor.name, depth]),
      [
        ['Depot', 1],
        ['Customer', 2],
      ],
    );
    const delivery = await weave
      .repository(Delivery)
      .findOneOrFail({ where: { to: { name: 'Ann' } }, populate: ['from', 'to'] });
    assert.deepEqual([delivery.from.value.code, delivery.to.value.name, delivery.days], ['b', 'Ann', 2]);
    const ann = await weave.repository(Customer).findOneOrFail({});
    const path = there(
      await weave.graph(Depot).shortestPath<Road | Delivery, Depot | Customer>('a', ann, { via: [Road, Delivery] }),
    );
    assert.equal(path.depth, 2);
  }),
];

export const graphCases: readonly ContractCase[] = [
  test('graph: neighbours, out, in and both', needs, async ({ weave }) => {
    await build(weave, small);
    const graph = weave.graph(Depot);
    const codes = async (...given: Parameters<typeof graph.neighbours>) =>
      (await graph.neighbours(...given)).map((each) => (each as Depot).code);
    sameSet(await codes('a', { via: Road }), ['b', 'd']);
    sameSet(await codes('a', { via: Road, direction: 'in' }), ['d']);
    sameSet(await codes('b', { via: 'ROAD', direction: 'both' }), ['a', 'c']);
    sameSet(await codes('b', { via: 'next' }), ['c']);
    sameSet(await codes(['a', 'x'], { via: Road }), ['b', 'd', 'y']);
    sameSet(await codes('y', { via: Road }), []);
    sameSet(
      (await graph.neighbours<Road>('a', { via: Road, where: { open: true } })).map((each) => each.code),
      ['b'],
    );
  }),

  test('graph: walks of variable depth reach each vertex once, at its least depth', needs, async ({ weave }) => {
    await build(weave, small);
    const graph = weave.graph(Depot);
    sameSet(ends(await graph.traverse({ from: 'a', via: Road, depth: [1, 5] })), ['b1', 'd1', 'c2']);
    sameSet(ends(await graph.traverse({ from: 'a', via: Road, depth: 2 })), ['c2']);
    sameSet(ends(await graph.traverse<Road>({ from: 'a', via: Road, depth: [1, 5], where: { open: true } })), [
      'b1',
      'c2',
      'd3',
    ]);
    sameSet(ends(await graph.traverse<Road>({ from: 'a', via: Road, depth: [2, 3], where: { km: { lt: 3 } } })), [
      'c2',
    ]);
    sameSet(ends(await graph.traverse({ from: 'a', via: Road, depth: [1, 5], vertices: { capacity: { ne: 2 } } })), [
      'd1',
    ]);
    sameSet(ends(await graph.traverse({ from: 'a', via: Road, direction: 'both', depth: [1, 1] })), ['b1', 'd1']);
    assert.equal((await graph.traverse({ from: 'a', via: Road, depth: [1, 5], limit: 2 })).length, 2);
    await refused(InvalidQueryError, () => graph.traverse({ from: 'a', via: Road, depth: [2, 1] }));
    await refused(InvalidQueryError, () => graph.traverse({ from: 'a', via: 'RAIL' }));
  }),

  test('graph: a traversal gives its path, entities and edges in order', needs, async ({ weave, calls }) => {
    await build(weave, small);
    const made = await calls(async () => {
      const found = await weave.graph(Depot).traverse<Road>({ from: 'a', via: Road, depth: 3, where: { open: true } });
      const [only] = found;
      assert.equal(found.length, 1);
      assert.deepEqual(
        there(only).path.map((each) => each.code),
        ['a', 'b', 'c', 'd'],
      );
      assert.deepEqual(
        there(only).edges.map((each) => each.km),
        [1, 2, 3],
      );
      assert.ok(there(only).edges[0] instanceof Road && there(only).entity instanceof Depot);
    });
    // The walk, the depots, the roads.
    assert.equal(dataCalls(made).length, 3);
  }),

  test('graph: every path without a repeated vertex', needs, async ({ weave }) => {
    await build(weave, [
      ['a', 'b', 1],
      ['a', 'c', 1],
      ['b', 'd', 1],
      ['c', 'd', 1],
      ['d', 'a', 1],
      ['b', 'c', 1],
    ]);
    const found = await weave.graph(Depot).traverse({ from: 'a', via: Road, depth: [1, 4], unique: 'paths' });
    sameSet(
      found.map(({ path }) => path.map((each) => each.code).join('')),
      ['ab', 'ac', 'abd', 'acd', 'abc', 'abcd'],
    );
  }),

  test('graph: walks agree with a plain search on a random graph', needs, async ({ weave }) => {
    const edges = randomEdges(120, 240);
    await build(weave, edges);
    for (const [start, depth] of [
      ['v1', 3],
      ['v7', 6],
    ] as const) {
      const found = await weave.graph(Depot).traverse({ from: start, via: Road, depth: [1, depth] });
      const expected = [...plainDepths(edges, start, depth)]
        .filter(([code]) => code !== start)
        .map(([code, at]) => `${code} ${at}`);
      sameSet(
        found.map(({ entity, depth: at }) => `${entity.code} ${at}`),
        expected,
      );
    }
    const depths = plainDepths(edges, 'v1', 12);
    for (const goal of ['v2', 'v50', 'v119'].filter((code) =>
      edges.some(([from, to]) => from === code || to === code),
    )) {
      const path = await weave.graph(Depot).shortestPath('v1', goal, { via: Road, maxDepth: 12 });
      assert.equal(path?.depth ?? null, depths.get(goal) ?? null, goal);
    }
  }),

  test('graph: shortest path, its absence, and its limit', needs, async ({ weave }) => {
    await build(weave, small);
    const graph = weave.graph(Depot);
    const found = there(await graph.shortestPath<Road>('a', 'd', { via: Road, where: { open: true } }));
    assert.deepEqual(
      found.path.map((each) => each.code),
      ['a', 'b', 'c', 'd'],
    );
    assert.deepEqual(
      found.edges.map((each) => each.km),
      [1, 2, 3],
    );
    assert.equal(there(await graph.shortestPath('a', 'd', { via: Road })).depth, 1);
    assert.equal(await graph.shortestPath('a', 'x', { via: Road }), null);
    assert.equal(await graph.shortestPath<Road>('a', 'd', { via: Road, where: { open: true }, maxDepth: 2 }), null);
    assert.equal(there(await graph.shortestPath('d', 'c', { via: Road, direction: 'both' })).depth, 1);
  }),

  test(
    'graph: relationships are entities: found, filtered by their ends, changed and removed',
    needs,
    async ({ weave }) => {
      await build(weave, small);
      const repository = weave.repository(Road);
      const roads = await repository.find({ where: { from: 'a' }, orderBy: { km: 'asc' }, populate: ['from', 'to'] });
      assert.deepEqual(
        roads.map((each) => `${each.from.value.code}${each.to.value.code}${each.km}`),
        ['ab1', 'ad100'],
      );
      await weave.transaction(async (uow) => {
        const road = await uow.repository(Road).findOneOrFail({ where: { from: 'a', to: 'd' } });
        road.open = true;
        uow.remove(await uow.repository(Road).findOneOrFail({ where: { from: 'b' } }));
      });
      sameSet(
        ends(await weave.graph(Depot).traverse<Road>({ from: 'a', via: Road, depth: [1, 5], where: { open: true } })),
        ['b1', 'd1'],
      );
      assert.equal(await repository.count(), 5);
    },
  ),

  test('graph: a walk sees what its unit of work has written', [...needs, transactions('graph')], async ({ weave }) => {
    await build(weave, small);
    await weave.transaction(async (uow) => {
      const [b, x] = await uow.repository(Depot).findByIds(['b', 'x']);
      uow.create(Road, { from: there(b), to: there(x), km: 1 });
      sameSet(ends(await uow.graph(Depot).traverse({ from: 'b', via: Road, depth: [1, 2] })), ['c1', 'x1', 'd2', 'y2']);
    });
  }),

  test('graph: entities of other stores are vertices too', [...needs, ...shop], async ({ weave }) => {
    await weave.transaction(async (uow) => {
      const [ann, bob, cem] = ['Ann', 'Bob', 'Cem'].map((name) => uow.create(Customer, { email: name, name }));
      there(ann).follows.add(there(bob));
      there(bob).follows.add(there(cem));
      there(cem).friends.add(there(ann));
    });
    const ann = await weave.repository(Customer).findOneOrFail({ where: { name: 'Ann' } });
    const found = await weave.graph(Customer).traverse({ from: ann.id, via: 'follows', depth: [1, 3] });
    assert.deepEqual(
      found.map(({ entity, depth }) => [entity.name, depth]),
      [
        ['Bob', 1],
        ['Cem', 2],
      ],
    );
    const friends = await weave.graph(Customer).neighbours(ann.id, { via: 'friends' });
    assert.deepEqual(
      friends.map((each) => each.name),
      ['Cem'],
    );
    const followers = await weave.graph(Customer).neighbours(there(found[1]).entity.id, { via: 'followers' });
    assert.deepEqual(
      followers.map((each) => each.name),
      ['Bob'],
    );
  }),
  ...across,
];
