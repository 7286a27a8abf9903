import {
  type EntityModel,
  ForeignKeyViolationError,
  InvalidQueryError,
  type PathRow,
  type Row,
  type TraverseSpec,
} from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databases, type TestDatabase } from '../testing/databases.fixture.js';
import { graphDomain, graphEntities, Knows, Person, Place, User, Visited } from '../testing/graph-model.fixture.js';
import { PostgresGraphStore } from './graph-store.js';

const person = graphDomain.of(Person);
const place = graphDomain.of(Place);
const knows = graphDomain.of(Knows);
const visited = graphDomain.of(Visited);
const user = graphDomain.of(User);
const follows = graphEntities().find((entity) => entity.kind === 'link') as EntityModel;

const uuid = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const out = (relationship: EntityModel) => ({ relationship, direction: 'out' as const });

describe.each(databases)('PostgresGraphStore on $name', ({ open }) => {
  let database: TestDatabase;
  let store: PostgresGraphStore;

  beforeAll(async () => {
    database = await open();
    store = new PostgresGraphStore(database.domain);
    await store.open({ name: 'graph', entities: graphEntities() });
    await store.schema.apply(await store.schema.plan({}), {});
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });
  beforeEach(async () => {
    await database.ask('truncate "people", "places", "KNOWS", "VISITED", "FOLLOWS" cascade');
  });

  const insert = (entity: EntityModel, rows: Row[]) =>
    store.write({ op: 'insert', entity, fields: entity.fields.slice(0, rows[0]?.length), rows }, {});
  const people = (...ids: number[]) =>
    insert(
      person,
      ids.map((id) => [id, `p${id}`, id * 10, 1]),
    );
  const know = (...pairs: [number, number, number?][]) =>
    store.write(
      {
        op: 'insert',
        entity: knows,
        fields: ['id', 'from', 'to', 'since'].map((name) => knows.fieldsByName.get(name) as never),
        rows: pairs.map(([from, to, since], i) => [uuid(i), from, to, since ?? 2000]),
      },
      {},
    );
  const ends = async (spec: Partial<Parameters<NonNullable<typeof store.graph>['traverse']>[0]>) => {
    const rows = await store.graph.traverse(
      { from: person, keys: [[1]], steps: [out(knows)], minDepth: 1, maxDepth: 1, unique: 'vertices', ...spec },
      {},
    );
    return rows.map((row) => row.vertices.map(({ key }) => key.join('/')).join('>')).sort();
  };

  it('has nothing left to plan after apply', async () => {
    expect(await store.schema.plan({})).toEqual([]);
  });

  it('keeps nodes and relationships like any table', async () => {
    await people(1, 2);
    await know([1, 2]);
    expect(await store.read({ entity: person, fields: person.fields, order: [] }, {})).toHaveLength(2);
    expect(await store.count(knows, undefined, {})).toBe(1);
  });

  it('finds neighbours out, in and both ways', async () => {
    await people(1, 2, 3);
    await know([1, 2], [3, 1]);
    expect(await ends({})).toEqual(['1>2']);
    expect(await ends({ steps: [{ relationship: knows, direction: 'in' }] })).toEqual(['1>3']);
    expect(await ends({ steps: [{ relationship: knows, direction: 'both' }] })).toEqual(['1>2', '1>3']);
  });

  it('reports each vertex at its least depth, and never the start', async () => {
    await people(1, 2, 3, 4);
    await know([1, 2], [2, 3], [1, 3], [3, 4], [4, 1]);
    expect(await ends({ maxDepth: 5 })).toEqual(['1>2', '1>3', '1>3>4']);
    expect(await ends({ minDepth: 2, maxDepth: 5 })).toEqual(['1>3>4']);
  });

  it('lists every path without a repeated vertex', async () => {
    await people(1, 2, 3, 4);
    await know([1, 2], [2, 3], [1, 3], [3, 4], [4, 1]);
    expect(await ends({ maxDepth: 5, unique: 'paths' })).toEqual(['1>2', '1>2>3', '1>2>3>4', '1>3', '1>3>4']);
    expect(await ends({ maxDepth: 5, unique: 'paths', limit: 3 })).toHaveLength(3);
  });

  it('walks several relationships with several types of keys in one go', async () => {
    await people(1, 2, 3);
    await insert(place, [['NO', 7, 'Oslo']]);
    await know([1, 2], [2, 3]);
    await insert(visited, [
      [2, 'NO', 7, 4],
      [3, 'NO', 7, 1],
    ]);
    const rows = await store.graph.traverse(
      {
        from: person,
        keys: [[1], [3]],
        steps: [out(knows), { relationship: visited, direction: 'both' }],
        minDepth: 1,
        maxDepth: 3,
        unique: 'vertices',
      },
      {},
    );
    expect(rows.map(({ start, depth, vertices }) => [start, depth, vertices.at(-1)])).toEqual([
      [0, 1, { entity: 'Person', key: [2] }],
      [0, 2, { entity: 'Person', key: [3] }],
      [0, 2, { entity: 'Place', key: ['NO', 7] }],
      [1, 1, { entity: 'Place', key: ['NO', 7] }],
      [1, 2, { entity: 'Person', key: [2] }],
    ]);
    expect(rows[2]?.edges).toEqual([
      { entity: 'Knows', key: [uuid(0)] },
      { entity: 'Visited', key: [2, 'NO', 7] },
    ]);
  });

  it('applies conditions to relationships and to vertices', async () => {
    await people(1, 2, 3, 4);
    await know([1, 2, 1990], [1, 3, 2010], [2, 4, 2015], [3, 4, 1980]);
    const since = { field: knows.fieldsByName.get('since') as never };
    expect(
      await ends({ maxDepth: 3, steps: [{ ...out(knows), where: { op: 'gte', on: since, value: 2000 } }] }),
    ).toEqual(['1>3']);
    const age = { field: person.fieldsByName.get('age') as never };
    expect(await ends({ maxDepth: 3, vertices: { entity: person, where: { op: 'ne', on: age, value: 20 } } })).toEqual([
      '1>3',
      '1>3>4',
    ]);
  });

  it('walks between entities of another store by their keys alone', async () => {
    await insert(follows, [
      [uuid(1), uuid(2)],
      [uuid(2), uuid(3)],
    ]);
    const rows = await store.graph.traverse(
      {
        from: user,
        keys: [[uuid(1).toUpperCase()]],
        steps: [out(follows)],
        minDepth: 2,
        maxDepth: 2,
        unique: 'vertices',
      },
      {},
    );
    expect(rows.map(({ vertices }) => vertices.at(-1))).toEqual([{ entity: 'User', key: [uuid(3)] }]);
  });

  it('refuses a relationship to a node that is not there, and takes relationships along when a node goes', async () => {
    await people(1, 2);
    await expect(know([1, 9])).rejects.toThrow(ForeignKeyViolationError);
    await know([1, 2]);
    await store.write({ op: 'delete', entity: person, keys: [[2]] }, {});
    expect(await store.count(knows, undefined, {})).toBe(0);
  });

  it('finds a shortest path from both ends, and none beyond the bound', async () => {
    await people(1, 2, 3, 4, 5, 6);
    await know([1, 2], [2, 3], [3, 4], [4, 5], [1, 6], [6, 4], [5, 1]);
    const find = (from: number, to: number, maxDepth: number) =>
      store.graph.shortestPath(
        { from: { entity: 'Person', key: [from] }, to: { entity: 'Person', key: [to] }, steps: [out(knows)], maxDepth },
        {},
      );
    expect((await find(1, 5, 5))?.vertices.map(({ key }) => key[0])).toEqual([1, 6, 4, 5]);
    expect((await find(1, 5, 3))?.edges).toHaveLength(3);
    expect(await find(1, 5, 2)).toBeUndefined();
    expect(await find(2, 2, 1)).toMatchObject({ depth: 0, edges: [] });
    expect((await find(5, 6, 9))?.vertices.map(({ key }) => key[0])).toEqual([5, 1, 6]);
  });

  it('asks once per level, whatever the number of vertices', async () => {
    const many = Array.from({ length: 300 }, (_, i) => i + 1);
    await people(...many);
    await know(
      ...many.slice(0, 299).flatMap((i): [number, number][] => [
        [i, i + 1],
        [1, i + 1],
      ]),
    );
    const before = counted;
    expect(await ends({ maxDepth: 2, unique: 'vertices' })).toHaveLength(299);
    expect(counted - before).toBe(2);
  });
  let counted = 0;
  beforeAll(() => {
    const { use } = database.domain;
    database.domain.use = (access, work) =>
      use.call(database.domain, access, (session) => {
        const query: typeof session.query = (statement) => {
          counted++;
          return session.query(statement);
        };
        return work(Object.assign(Object.create(session) as typeof session, { query }));
      }) as never;
  });

  it('does not grow with the paths of a dense graph', async () => {
    const many = Array.from({ length: 60 }, (_, i) => i + 1);
    await people(...many);
    await know(...many.flatMap((from) => many.filter((to) => to !== from).map((to): [number, number] => [from, to])));
    expect(await ends({ maxDepth: 20 })).toHaveLength(59);
    expect(await ends({ maxDepth: 20, unique: 'paths', minDepth: 4, limit: 100 })).toHaveLength(100);
  });

  it('fetches no more of a hub than is asked for', async () => {
    const many = Array.from({ length: 500 }, (_, i) => i + 1);
    await people(...many);
    await know(...many.slice(1).map((to): [number, number] => [1, to]));
    expect(await ends({ limit: 10 })).toHaveLength(10);
  });

  it('walks as plain JavaScript does', async () => {
    const plain = memoryStore();
    await plain.open({ name: 'graph', entities: graphEntities() });
    const size = 8;
    const edge = fc.tuple(
      fc.integer({ min: 1, max: size }),
      fc.integer({ min: 1, max: size }),
      fc.integer({ min: 0, max: 3 }),
    );
    const since = { field: knows.fieldsByName.get('since') as never };
    const age = { field: person.fieldsByName.get('age') as never };
    const step = fc.record({
      direction: fc.constantFrom('out' as const, 'in' as const, 'both' as const),
      low: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    });
    const spec = fc.record({
      keys: fc.uniqueArray(fc.integer({ min: 1, max: size }), { minLength: 1, maxLength: 3 }),
      known: step,
      visits: fc.option(step, { nil: undefined }),
      minDepth: fc.integer({ min: 1, max: 3 }),
      more: fc.integer({ min: 0, max: 3 }),
      unique: fc.constantFrom('vertices' as const, 'paths' as const),
      limit: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      old: fc.option(fc.integer({ min: 1, max: size * 10 }), { nil: undefined }),
      to: fc.integer({ min: 1, max: size }),
    });
    const visits = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: size }), fc.integer({ min: 1, max: 3 })), {
      maxLength: 10,
      selector: String,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edge, { maxLength: 24 }), visits, spec, async (edges, trips, given) => {
        await database.ask('truncate "people", "places", "KNOWS", "VISITED" cascade');
        for (const each of graphEntities())
          await plain.bulk?.({ op: 'deleteWhere', entity: each, where: { op: 'and', conditions: [] } }, {});
        const rows = {
          people: Array.from({ length: size }, (_, i): Row => [i + 1, `p${i}`, i * 10, 1]),
          places: [1, 2, 3].map((n): Row => ['NO', n, 'x']),
          knows: edges.map(([from, to, year], i): Row => [uuid(i), from, to, year]),
          visited: trips.map(([from, to]): Row => [from, 'NO', to, 1]),
        };
        const known = ['id', 'from', 'to', 'since'].map((name) => knows.fieldsByName.get(name) as never);
        const seen = ['from', 'to.country', 'to.number', 'times'].map(
          (name) => visited.fieldsByName.get(name) as never,
        );
        for (const target of [store, plain]) {
          const put = async (entity: EntityModel, fields: EntityModel['fields'], given: Row[]) => {
            if (given.length > 0)
              await target.write({ op: 'insert', entity, fields, rows: given.map((row) => [...row]) }, {});
          };
          await put(person, person.fields, rows.people);
          await put(place, place.fields, rows.places);
          await put(knows, known, rows.knows);
          await put(visited, seen, rows.visited);
        }
        const steps = [
          {
            relationship: knows,
            direction: given.known.direction,
            ...(given.known.low === undefined
              ? {}
              : { where: { op: 'gte' as const, on: since, value: given.known.low } }),
          },
          ...(given.visits === undefined ? [] : [{ relationship: visited, direction: given.visits.direction }]),
        ];
        const walk: TraverseSpec = {
          from: person,
          keys: given.keys.map((key) => [key]),
          steps,
          minDepth: given.minDepth,
          maxDepth: given.minDepth + given.more,
          unique: given.unique,
          ...(given.old === undefined
            ? {}
            : { vertices: { entity: person, where: { op: 'lte', on: age, value: given.old } } }),
        };
        const whole = (await plain.graph?.traverse(walk, {})) ?? [];
        const ours = await store.graph.traverse(walk, {});
        // Which of several shortest ways leads to a vertex is nobody's promise; each must be a real one.
        const name = (row: PathRow) =>
          JSON.stringify(given.unique === 'paths' ? row : [row.start, row.depth, row.vertices.at(-1)]);
        expect(ours.map(name).sort()).toEqual(whole.map(name).sort());
        if (given.limit !== undefined) {
          const some = await store.graph.traverse({ ...walk, limit: given.limit }, {});
          expect(some).toHaveLength(Math.min(given.limit, whole.length));
          const names = new Set(whole.map(name));
          for (const row of some) expect(names).toContain(name(row));
        }
        const path = {
          from: { entity: 'Person', key: [given.keys[0]] },
          to: { entity: 'Person', key: [given.to] },
          steps,
          maxDepth: given.minDepth + given.more,
        };
        const shortest = await store.graph.shortestPath(path, {});
        expect(shortest?.depth).toBe((await plain.graph?.shortestPath(path, {}))?.depth);
        for (const row of shortest === undefined ? ours : [...ours, shortest])
          expectReal(row, rows.knows, rows.visited);
      }),
      { numRuns: 150 },
    );
  });

  /** Each edge of the path is stored, and joins the vertices that it stands between. */
  function expectReal(row: PathRow, known: Row[], seen: Row[]): void {
    expect(row.edges).toHaveLength(row.depth);
    expect(row.vertices).toHaveLength(row.depth + 1);
    row.edges.forEach((edge, i) => {
      const joined = [row.vertices[i], row.vertices[i + 1]].map((vertex) => JSON.stringify(vertex?.key)).sort();
      const stored =
        edge.entity === 'Knows'
          ? known.filter(([id]) => id === edge.key[0]).map(([, from, to]) => [[from], [to]])
          : seen
              .filter((each) => edge.key.every((value, at) => each[at] === value))
              .map(([from, country, number]) => [[from], [country, number]]);
      expect(stored.map((ends) => ends.map((key) => JSON.stringify(key)).sort())).toContainEqual(joined);
    });
  }

  it('refuses steps along entities that have no ends', async () => {
    await expect(ends({ steps: [out(person)] })).rejects.toThrow(InvalidQueryError);
  });

  it('uses the indexes of both ends', async () => {
    await database.ask('set enable_seqscan = off');
    const plan = (column: string) =>
      database.ask(`explain select * from "KNOWS" where "${column}" = any('{1,2}'::int[])`);
    for (const column of ['from_id', 'to_id']) {
      expect((await plan(column)).flat().join('\n')).toMatch(/Index|Bitmap/);
    }
    await database.ask('reset enable_seqscan');
  });
});
