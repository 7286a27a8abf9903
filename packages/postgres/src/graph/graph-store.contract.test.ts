import { type EntityModel, ForeignKeyViolationError, InvalidQueryError, type Row } from '@storeweave/core';
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
