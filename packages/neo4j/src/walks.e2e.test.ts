/**
 * Walks in Neo4j reach what plain JavaScript reaches: over random graphs, along several types in any directions, with
 * conditions on relationships and vertices. And endpoints that live in another store are keys and nothing else.
 */
import {
  type Collection,
  type EntityModel,
  From,
  Id,
  Node,
  type PathRow,
  Property,
  type Ref,
  Related,
  Relational,
  Relationship,
  type StepSpec,
  To,
} from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fieldOf, type OpenedStore, openStore } from './servers.fixture.js';

@Node({ label: 'people' })
class Person {
  @Id('integer') id!: number;
  @Property('integer') age!: number;
}

@Node({ label: 'places' })
class Place {
  @Id('string') country!: string;
  @Id('integer') number!: number;
  @Related(() => Place, 'NEAR') near!: Collection<Place>;
}

@Relationship({ type: 'KNOWS' })
class Knows {
  @Id() id!: string;
  @From(() => Person) from!: Ref<Person>;
  @To(() => Person) to!: Ref<Person>;
  @Property('integer') since!: number;
}

@Relationship({ type: 'VISITED' })
class Visited {
  @From(() => Person) from!: Ref<Person>;
  @To(() => Place) to!: Ref<Place>;
  @Property('integer') times!: number;
}

@Relational()
class Customer {
  @Id() id!: string;
  @Related(() => Customer, 'FOLLOWS') follows!: Collection<Customer>;
}

const uuid = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;

describe('walks', () => {
  let opened: OpenedStore;
  const memory = memoryStore();
  let person: EntityModel;
  let place: EntityModel;
  let knows: EntityModel;
  let visited: EntityModel;
  let near: EntityModel;

  beforeAll(async () => {
    opened = await openStore([Person, Place, Knows, Visited, Customer]);
    await memory.open({ name: 'graph', entities: opened.entities });
    person = opened.of(Person);
    place = opened.of(Place);
    knows = opened.of(Knows);
    visited = opened.of(Visited);
    near = opened.link('NEAR');
  });
  afterAll(() => opened?.store.close());
  beforeEach(() => empty());

  async function empty() {
    for (const entity of [...opened.entities].reverse())
      for (const store of [opened.store, memory])
        await store.bulk?.({ op: 'deleteWhere', entity, where: { op: 'and', conditions: [] } }, {});
  }
  const insert = async (entity: EntityModel, rows: unknown[][]) => {
    for (const store of [opened.store, memory])
      await store.write({ op: 'insert', entity, fields: entity.fields, rows: rows.map((row) => [...row]) }, {});
  };
  const ends = (paths: readonly PathRow[]) =>
    paths
      .map(({ start, depth, vertices }) => {
        const last = vertices[vertices.length - 1];
        return `${start}:${depth}:${last?.entity} ${last?.key.join('/')}`;
      })
      .sort();
  const whole = (paths: readonly PathRow[]) =>
    paths
      .map((path) =>
        JSON.stringify([path.start, path.vertices.map(({ key }) => key), path.edges.map(({ key }) => key)]),
      )
      .sort();

  it('reach what plain JavaScript reaches', async () => {
    const size = 7;
    const node = fc.integer({ min: 1, max: size });
    const step = fc.record({
      direction: fc.constantFrom('out' as const, 'in' as const, 'both' as const),
      low: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    });
    const graphs = fc.record({
      knows: fc.array(fc.tuple(node, node, fc.integer({ min: 0, max: 3 })), { maxLength: 16 }),
      visited: fc.uniqueArray(fc.tuple(node, fc.integer({ min: 1, max: 3 })), { maxLength: 8, selector: String }),
      near: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })), {
        maxLength: 3,
        selector: String,
      }),
    });
    const walk = fc.record({
      keys: fc.uniqueArray(node, { minLength: 1, maxLength: 2 }),
      known: step,
      seen: fc.option(step, { nil: undefined }),
      nearby: fc.boolean(),
      minDepth: fc.integer({ min: 1, max: 3 }),
      more: fc.integer({ min: 0, max: 2 }),
      unique: fc.constantFrom('vertices' as const, 'paths' as const),
      limit: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      old: fc.option(fc.integer({ min: 1, max: size }), { nil: undefined }),
      to: node,
    });
    await fc.assert(
      fc.asyncProperty(graphs, fc.array(walk, { minLength: 3, maxLength: 3 }), async (graph, walks) => {
        await empty();
        await insert(
          person,
          Array.from({ length: size }, (_, i) => [i + 1, i + 1]),
        );
        await insert(
          place,
          [1, 2, 3].map((n) => ['NO', n]),
        );
        await insert(
          knows,
          graph.knows.map(([from, to, since], i) => [uuid(i), from, to, since]),
        );
        await insert(
          visited,
          graph.visited.map(([from, to]) => [from, 'NO', to, 1]),
        );
        await insert(
          near,
          graph.near.map(([from, to]) => ['NO', from, 'NO', to]),
        );
        for (const given of walks) {
          const since = { field: fieldOf(knows, 'since') };
          const steps: StepSpec[] = [
            {
              relationship: knows,
              direction: given.known.direction,
              ...(given.known.low !== undefined && { where: { op: 'gte', on: since, value: given.known.low } }),
            },
          ];
          if (given.seen !== undefined) steps.push({ relationship: visited, direction: given.seen.direction });
          if (given.nearby) steps.push({ relationship: near, direction: given.known.direction });
          const old = { field: fieldOf(person, 'age') };
          const spec = {
            from: person,
            keys: given.keys.map((key) => [key]),
            steps,
            minDepth: given.minDepth,
            maxDepth: given.minDepth + given.more,
            unique: given.unique,
            ...(given.limit !== undefined && { limit: given.limit }),
            ...(given.old !== undefined && {
              vertices: { entity: person, where: { op: 'ne' as const, on: old, value: given.old } },
            }),
          };
          const mine = await opened.store.graph.traverse(spec, {});
          const plain = (await memory.graph?.traverse(spec, {})) ?? [];
          if (given.limit !== undefined) {
            const { limit: _, ...unlimited } = spec;
            expect(mine).toHaveLength(plain.length);
            const all = (await memory.graph?.traverse(unlimited, {})) ?? [];
            for (const end of ends(mine)) expect(ends(all)).toContain(end);
          } else if (given.unique === 'paths') expect(whole(mine)).toEqual(whole(plain));
          else expect(ends(mine)).toEqual(ends(plain));
          const path = {
            from: { entity: 'Person', key: [given.keys[0]] },
            to: { entity: 'Person', key: [given.to] },
            steps,
            maxDepth: 4,
          };
          const shortest = await opened.store.graph.shortestPath(path, {});
          expect(shortest?.depth).toBe((await memory.graph?.shortestPath(path, {}))?.depth);
        }
      }),
      { numRuns: 20 },
    );
  }, 180_000);

  it('does not grow with the paths of a dense graph', async () => {
    const many = Array.from({ length: 40 }, (_, i) => i + 1);
    await opened.insert(
      person,
      many.map((id) => [id, id]),
    );
    const edges = many.flatMap((from) => many.filter((to) => to !== from).map((to) => [from, to] as const));
    await opened.insert(
      knows,
      edges.map(([from, to], i) => [uuid(i), from, to, 1]),
    );
    const steps: StepSpec[] = [{ relationship: knows, direction: 'out' }];
    const base = { from: person, keys: [[1]], steps };
    const all = await opened.store.graph.traverse({ ...base, minDepth: 1, maxDepth: 20, unique: 'vertices' }, {});
    expect(all).toHaveLength(39);
    const some = await opened.store.graph.traverse(
      { ...base, minDepth: 4, maxDepth: 20, unique: 'paths', limit: 50 },
      {},
    );
    expect(some.map(({ depth }) => depth)).toEqual(Array(50).fill(4));
  });

  it('lead between entities of another store by their keys alone, which stay when relationships go', async () => {
    const follows = opened.link('FOLLOWS');
    await opened.insert(follows, [
      [uuid(1), uuid(2)],
      [uuid(2), uuid(3)],
    ]);
    const customer = opened.of(Customer);
    const found = await opened.store.graph.traverse(
      {
        from: customer,
        keys: [[uuid(1)]],
        steps: [{ relationship: follows, direction: 'out' }],
        minDepth: 2,
        maxDepth: 2,
        unique: 'vertices',
      },
      {},
    );
    expect(found.map(({ vertices }) => vertices[2])).toEqual([{ entity: 'Customer', key: [uuid(3)] }]);
    await opened.store.write({ op: 'delete', entity: follows, keys: [[uuid(1), uuid(2)]] }, {});
    const native = opened.store.native({});
    if (!('session' in native)) throw new Error('a driver was expected');
    const { records } = await native.executeQuery('MATCH (n) WHERE any(l IN labels(n) WHERE l = $label) RETURN n', {
      label: `${opened.labelPrefix}Customer`,
    });
    expect(records.map((record) => record.get(0).properties).sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
      [1, 2, 3].map((n) => ({ id: uuid(n) })),
    );
  });
});
