/** The repositories of the four models over memory stores: walks, windows, patches, groupings and SQL. */
import { memoryStore } from '@storeweave/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { CapabilityError, ConfigurationError, InvalidQueryError } from '../errors/errors.js';
import type { Store } from '../store/store.js';
import { count, countDistinct, first, last, max, mean, percentile, sum } from './aggregation.js';
import { TestHouse } from './contexts.fixture.js';
import { DocumentRepository } from './document-repository.js';
import { Author, City, ENTITIES, Post, Profile, Read, ReadHour, Route } from './domain.fixture.js';
import { GraphRepository } from './graph-repository.js';
import { RelationalRepository } from './relational-repository.js';
import { SeriesRepository } from './series-repository.js';
import { column, fragment, identifier, list, table } from './sql.js';

let house: TestHouse;

const graph = <T extends object>(target: new () => T) => new GraphRepository<T>(house.domain.of(target), house.source);
const series = () => new SeriesRepository<Read>(house.domain.of(Read), house.source);
const documents = () => new DocumentRepository<Profile>(house.domain.of(Profile), house.source);
const relational = <T extends object>(target: new () => T) =>
  new RelationalRepository<T>(house.domain.of(target), house.source);
const hour = (n: number) => new Date(Date.UTC(2024, 0, 1, n));

beforeEach(async () => {
  house = await new TestHouse(ENTITIES).open();
});

describe('the graph', () => {
  beforeEach(async () => {
    await house
      .repository(City)
      .insert(['A', 'B', 'C', 'D', 'E'].map((code, at) => ({ code, name: `city ${code}`, inhabitants: at * 10 })));
    await house.repository(Route).insert([
      { id: 1, from: 'A', to: 'B', distance: 5 },
      { id: 2, from: 'B', to: 'C', distance: 7 },
      { id: 3, from: 'C', to: 'D', distance: 1 },
      { id: 4, from: 'A', to: 'C', distance: 90 },
      { id: 5, from: 'D', to: 'A', distance: 2 },
    ]);
  });

  it('walks over entities of another store, in one read per class', async () => {
    const calls = await house.calls(async () => {
      const walks = await graph(City).traverse<Route>({ from: 'A', via: Route, depth: [1, 2] });
      expect(walks.map(({ entity, depth }) => [entity.code, depth]).toSorted()).toEqual([
        ['B', 1],
        ['C', 1],
        ['D', 2],
      ]);
      const toD = walks.find(({ entity }) => entity.code === 'D');
      expect(toD?.path.map((city) => city.name)).toEqual(['city A', 'city C', 'city D']);
      expect(toD?.edges.map((route) => route.distance)).toEqual([90, 1]);
      expect(toD?.edges[0]).toBeInstanceOf(Route);
    });
    expect(calls.toSorted()).toEqual(['read City', 'read Route', 'traverse City'].toSorted());
  });

  it('filters relationships, follows every path, goes either way', async () => {
    const near = await graph(City).traverse<Route>({
      from: 'A',
      via: 'ROUTE',
      depth: [1, 3],
      where: { distance: { lt: 10 } },
    });
    expect(near.map(({ entity }) => entity.code)).toEqual(['B', 'C', 'D']);
    const paths = await graph(City).traverse({ from: 'A', via: 'reachable', depth: [2, 3], unique: 'paths' });
    expect(paths.map(({ path }) => path.map((city) => city.code).join('')).toSorted()).toEqual(['ABC', 'ABCD', 'ACD']);
    expect((await graph(City).neighbours('A', { via: 'ROUTE', direction: 'in' })).map((city) => city.code)).toEqual([
      'D',
    ]);
    expect((await graph(City).neighbours('A')).map((city) => city.code).toSorted()).toEqual(['B', 'C', 'D']);
    expect(
      (await graph(City).neighbours('A', { vertices: { inhabitants: { gte: 20 } } }))
        .map((city) => city.code)
        .toSorted(),
    ).toEqual(['C', 'D']);
  });

  it('finds the shortest path', async () => {
    const path = await graph(City).shortestPath<Route>('A', 'D', { via: Route });
    expect(path?.path.map((city) => city.code)).toEqual(['A', 'C', 'D']);
    expect(path?.depth).toBe(2);
    const cheap = await graph(City).shortestPath<Route>('A', 'D', { via: Route, where: { distance: { lt: 50 } } });
    expect(cheap?.path.map((city) => city.code)).toEqual(['A', 'B', 'C', 'D']);
    expect(await graph(City).shortestPath('A', 'E', { via: Route })).toBeNull();
    expect(await graph(City).shortestPath('A', 'D', { via: Route, maxDepth: 1 })).toBeNull();
  });

  it('leaves out paths over entities that are gone', async () => {
    await house.repository(City).delete({ code: 'C' });
    const walks = await graph(City).traverse({ from: 'A', via: Route, depth: [1, 2] });
    expect(walks.map(({ entity }) => entity.code)).toEqual(['B']);
  });

  it('gives plain edges for relations without a class', async () => {
    await house.repository(Author).insert([
      { id: 1, name: 'Ada' },
      { id: 2, name: 'Bob' },
    ]);
    const link = house.domain.entities.find((one) => one.source === 'FRIEND');
    if (link === undefined) throw new Error('no link');
    await house.store(link).write({ op: 'insert', entity: link, fields: link.fields, rows: [[1, 2]] }, {});
    const [walk] = await graph(Author).traverse({ from: 2, via: 'friends' });
    expect(walk?.entity.name).toBe('Ada');
    expect(walk?.edges).toEqual([{ type: 'FRIEND', from: 1, to: 2 }]);
  });

  it.each([
    [{ from: 'A', via: 'ROUT' }, 'Did you mean "ROUTE"?'],
    [{ from: 'A', via: City }, 'City is no relationship'],
    [{ from: 'A', direction: 'up' }, "direction is 'out', 'in' or 'both'"],
    [{ from: 'A', depth: [2, 1] }, 'depth goes from 2 to 1'],
    [{ from: 'A', depth: 0 }, 'depth is a whole number from 1 on'],
    [{ from: 'A', depth: 2, vertices: { name: 'x' } }, 'City lives in store "relational", not in the graph "graph"'],
    [{ depth: 1 }, '"from" is missing'],
  ])('refuses %j', async (options, message) => {
    await expect(graph(City).traverse(options as never)).rejects.toThrow(message);
  });

  it('says so where no store walks', async () => {
    house = await new TestHouse(ENTITIES, { without: ['graph'] }).open();
    await expect(graph(City).traverse({ from: 'A' })).rejects.toThrow(CapabilityError);
  });
});

describe('series', () => {
  beforeEach(async () => {
    const points = [0, 1, 2, 5].flatMap((at) =>
      [1, 2].map((post) => ({ at: hour(at), post, device: 'phone', seconds: at * post })),
    );
    expect(await series().insert(points)).toBe(8);
  });

  it('gives ranges and the newest points', async () => {
    const found = await series().range({ from: hour(1), to: hour(5), where: { post: 2 } });
    expect(found.map((read) => read.seconds)).toEqual([2, 4]);
    expect(found[0]).toBeInstanceOf(Read);
    expect((await series().last(1, { per: ['post'] })).map((read) => [read.post, read.seconds]).toSorted()).toEqual([
      [1, 5],
      [2, 10],
    ]);
    expect(await series().last(3)).toHaveLength(3);
    house = await new TestHouse(ENTITIES, { capabilities: { limitPerGroup: false } }).open();
    await series().insert(
      [0, 1].flatMap((at) => [1, 2].map((post) => ({ at: hour(at), post, device: 'x', seconds: at }))),
    );
    expect((await series().last(1, { per: ['post'] })).map((read) => read.seconds)).toEqual([1, 1]);
  });

  it('aggregates over windows, with rows typed to the selection', async () => {
    const rows = await series().window({
      from: hour(0),
      to: hour(6),
      every: '3h',
      groupBy: ['post'],
      select: {
        meanSeconds: mean('seconds'),
        reads: count(),
        newest: last('seconds'),
        oldest: first('seconds'),
        p50: percentile('seconds', 50),
        most: max('seconds'),
      },
      where: { post: 2 },
    });
    expect(rows).toEqual([
      { start: hour(0), post: 2, meanSeconds: 2, reads: 3, newest: 4, oldest: 0, p50: 2, most: 4 },
      { start: hour(3), post: 2, meanSeconds: 10, reads: 1, newest: 10, oldest: 10, p50: 10, most: 10 },
    ]);
    const typed: number | null | undefined = rows[0]?.meanSeconds;
    expect(typed).toBe(2);
    const filled = await series().window({
      from: hour(0),
      to: hour(6),
      every: '1h',
      fill: 'previous',
      select: { s: sum('seconds'), n: count('seconds') },
    });
    expect(filled.map((row) => row.s)).toEqual([0, 3, 6, 6, 6, 15]);
    expect((await series().window({ select: { n: count() } }))[0]?.n).toBe(8);
    const days = await series().window({
      every: { calendar: 'day', timeZone: 'America/New_York' },
      select: { n: count() },
    });
    expect(days.map((row) => [row.start.toISOString(), row.n])).toEqual([
      ['2023-12-31T05:00:00.000Z', 6],
      ['2024-01-01T05:00:00.000Z', 2],
    ]);
  });

  it('makes coarser measurements, and may be run again', async () => {
    const options = { every: '3h', select: { mean: mean('seconds'), count: count() } } as const;
    expect(await series().downsample(ReadHour, options)).toBe(4);
    expect(await series().downsample(ReadHour, options)).toBe(4);
    const hours = await house.repository(ReadHour).find({ orderBy: [{ post: 'asc' }, { at: 'asc' }] });
    expect(hours.map(({ post, mean: value, count: n }) => [post, value, n])).toEqual([
      [1, 1, 3],
      [1, 5, 1],
      [2, 2, 3],
      [2, 10, 1],
    ]);
  });

  it('decides what happens to a point that exists', async () => {
    const point = { at: hour(0), post: 1, device: 'phone', seconds: 99 };
    expect(await series().insert(point, { existing: 'ignore' })).toBe(0);
    expect(await series().insert(point, { existing: 'update' })).toBe(1);
    expect((await series().range({ to: hour(1), where: { post: 1 } })).map((read) => read.seconds)).toEqual([99]);
  });

  it.each([
    [{ select: {} }, 'select takes aggregations by name'],
    [{ select: { start: count() } }, '"start" is the name of another column'],
    [{ select: { x: percentile('seconds', 101) } }, 'a percentile is a number from 0 to 100'],
    [{ select: { x: mean('secs') } }, 'has no property "secs" (in "select")'],
    [{ select: { x: mean('device') } }, '"mean" needs numbers, and this is of type string'],
    [{ select: { x: countDistinct('device') } }, 'windows do not count different values'],
    [{ select: { x: count() }, groupBy: ['seconds'] }, 'a window is grouped by tags'],
    [{ select: { x: count() }, fill: 'null', every: '1h' }, 'filling gaps needs to know where they are'],
    [{ select: { x: count() }, every: '1 hour' }, '"every" is a length such as'],
    [{ select: { x: count() }, every: { calendar: 'day', timeZone: 'Mars/Base' } }, '"Mars/Base" is no time zone'],
    [{ select: { x: count() }, evry: '1h' }, 'Did you mean "every"?'],
  ])('refuses %j', async (options, message) => {
    await expect(series().window(options as never)).rejects.toThrow(message);
  });

  it('says so where no store computes windows, and for classes that are no measurements', async () => {
    house = await new TestHouse(ENTITIES, { without: ['series'] }).open();
    await expect(series().window({ select: { n: count() } })).rejects.toThrow(CapabilityError);
    expect(() => new SeriesRepository(house.domain.of(Author), house.source)).toThrow(ConfigurationError);
  });
});

describe('documents', () => {
  beforeEach(async () => {
    await house.repository(Profile).insert([
      { id: 1, authorId: 1, country: 'GB', visits: 3, tags: ['a', 'b'], data: { theme: 'dark', opened: { home: 1 } } },
      { id: 2, authorId: 2, country: 'GB', visits: 5, data: null },
      { id: 3, authorId: 3, country: 'NO', visits: 7 },
    ]);
  });

  it('are patched inside, by id and by filter', async () => {
    expect(
      await documents().patch(1, {
        set: { country: 'SE', 'data.theme': 'light' },
        inc: { visits: 2, 'data.opened.home': 1 },
        push: { tags: ['c', 'd'] },
        unset: ['data.nothing'],
      }),
    ).toBe(1);
    expect(await documents().patch({ country: 'SE' }, { pull: { tags: 'a' } })).toBe(1);
    const profile = await house.repository(Profile).findById(1);
    expect(profile).toMatchObject({ country: 'SE', visits: 5, tags: ['b', 'c', 'd'], version: 3 });
    expect(profile?.data).toEqual({ theme: 'light', opened: { home: 2 } });
    expect(await documents().patch(99, { inc: { visits: 1 } })).toBe(0);
    expect(await documents().patch({ authorId: { in: [] } }, { inc: { visits: 1 } })).toBe(0);
  });

  it('are grouped', async () => {
    const rows = await documents().aggregate({
      select: { country: 'country', profiles: count(), visits: sum('visits'), average: mean('visits') },
      orderBy: { visits: 'desc' },
    });
    expect(rows).toEqual([
      { country: 'GB', profiles: 2, visits: 8, average: 4 },
      { country: 'NO', profiles: 1, visits: 7, average: 7 },
    ]);
  });

  it.each([
    [{}, 'the patch changes nothing'],
    [{ sett: { country: 'x' } }, 'Did you mean "set"?'],
    [{ set: { contry: 'x' } }, 'Did you mean "country"?'],
    [{ set: { country: null } }, 'Profile.country: it is not nullable'],
    [{ set: { id: 4 } }, 'never changes'],
    [{ set: { 'country.x': 1 } }, '"country" is of type string and has nothing inside'],
    [{ inc: { country: 1 } }, 'only numbers can be incremented'],
    [{ push: { visits: 1 } }, 'no array, so nothing can be pushed'],
    [{ unset: ['country'] }, 'not nullable, so it cannot be unset'],
    [{ set: { data: {} }, inc: { 'data.n': 1 } }, 'changes "data" and "data.n" at once'],
  ])('refuse the patch %j', async (patch, message) => {
    await expect(documents().patch(1, patch as never)).rejects.toThrow(message);
    await expect(documents().patch(1, patch as never)).rejects.toBeInstanceOf(InvalidQueryError);
  });

  it('refuse a forgotten target', async () => {
    await expect(documents().patch(undefined as never, { inc: { visits: 1 } })).rejects.toThrow(
      'the id or filter is undefined',
    );
  });
});

describe('relational queries', () => {
  beforeEach(async () => {
    await house.repository(Author).insert([
      { id: 1, name: 'Ada', home: { city: 'London', zip: null }, settings: { theme: 'dark' } },
      { id: 2, name: 'Bob', home: { city: 'Oslo', zip: null } },
    ]);
    await house.repository(Post).insert([
      { id: 1, title: 'a', author: 1, views: 3 },
      { id: 2, title: 'b', author: 1, views: 4 },
      { id: 3, title: 'c', author: 2, views: 5 },
      { id: 4, title: 'd', views: 100 },
    ]);
  });

  it('join and group, with rows typed to the selection', async () => {
    const rows = await relational(Post).query({
      select: { city: 'author.home.city', posts: count(), views: sum('views'), best: max('views') },
      where: { author: { exists: true } },
      having: { views: { gte: 5 } },
      orderBy: { views: 'desc' },
    });
    expect(rows).toEqual([
      { city: 'London', posts: 2, views: 7, best: 4 },
      { city: 'Oslo', posts: 1, views: 5, best: 5 },
    ]);
    const city: string | null | undefined = rows[0]?.city;
    expect(city).toBe('London');
    expect(await relational(Post).query({ select: { n: count(), authors: countDistinct('author') } })).toEqual([
      { n: 4, authors: 2 },
    ]);
    expect(
      await relational(Post).query({ select: { author: 'author', n: count() }, orderBy: { n: 'desc' }, limit: 1 }),
    ).toEqual([{ author: 1, n: 2 }]);
  });

  it.each([
    [
      { select: { c: 'author.profile.country' } },
      'Profile lives in store "document" and Author in "relational", and a join stays inside one store',
    ],
    [{ select: { c: 'author.posts.title' } }, 'a path goes over to-one relations only'],
    [{ select: { c: 'author.nam' } }, 'Author has no property "nam" (in the path "author.nam"). Did you mean "name"?'],
    [{ select: { c: 'author.home' } }, 'it is an object; name one of its properties'],
    [{ select: { s: sum('title') } }, '"sum" needs numbers'],
    [{ select: { n: count() }, having: { m: 1 } }, '"m" in having is not selected. Did you mean "n"?'],
    [{ select: { n: count(), title: 'title' }, having: { title: 'a' } }, 'it is a group key; filter it in where'],
    [{ select: { n: count() }, orderBy: { n: 'up' } }, "the direction is 'asc' or 'desc'"],
  ])('refuse %j', async (options, message) => {
    await expect(relational(Post).query(options as never)).rejects.toThrow(message);
  });

  it('say so where the store groups nothing', async () => {
    await expect(relational(Post).query({ select: { x: first('views') } })).rejects.toThrow(
      '"first" is computed over measurements only',
    );
    house = await new TestHouse(ENTITIES, { without: ['aggregate'] }).open();
    await expect(relational(Post).query({ select: { n: count() } })).rejects.toThrow(CapabilityError);
  });
});

describe('SQL', () => {
  const statements: { text: string; values: readonly unknown[] }[] = [];

  beforeEach(async () => {
    statements.length = 0;
    const store = memoryStore();
    const dialect: Store['relational'] = {
      async sql(text, values) {
        statements.push({ text, values });
        return [{ n: 1 }];
      },
      placeholder: (n) => `$${n}`,
      quote: (name) => `"${name.replaceAll('"', '""')}"`,
    };
    house.stores.set('relational', Object.assign(store, { relational: dialect }));
  });

  it('binds every value and quotes every name', async () => {
    const condition = fragment`${column(Post, 'views')} > ${10}`;
    const rows = await relational(Post).sql<{ n: number }>`select count(*) as ${identifier('a"b')} from ${table(Post)} p
      where p.${column(Post, 'author')} in (${list([1, 2])}) and ${condition} and title = ${"'; drop table"}`;
    expect(rows).toEqual([{ n: 1 }]);
    expect(statements).toEqual([
      {
        text: `select count(*) as "a""b" from "posts" p
      where p."author_id" in ($1, $2) and "views" > $3 and title = $4`,
        values: [1, 2, 10, "'; drop table"],
      },
    ]);
  });

  it('refuses what it cannot write', async () => {
    const posts = relational(Post);
    await expect(posts.sql`select ${undefined}`).rejects.toThrow('value 1 of the statement is undefined');
    await expect(posts.sql`select * from ${table(Profile)}`).rejects.toThrow('Profile lives in store "document"');
    await expect(posts.sql`select ${column(Post, 'titel' as never)}`).rejects.toThrow('Did you mean "title"?');
    await expect(posts.sql`select 1 where 1 in (${list([])})`).rejects.toThrow('is empty');
    house.stores.set('relational', memoryStore());
    await expect(posts.sql`select 1`).rejects.toThrow(CapabilityError);
    expect(() => new RelationalRepository(house.domain.of(Profile), house.source)).toThrow(ConfigurationError);
  });
});
