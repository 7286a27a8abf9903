/** What the compiler knows of a repository: results narrowed by populate and select, and mistakes that do not compile. */
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import type { Collection, LoadedCollection } from '../relations/collection.js';
import type { LoadedRef, Ref } from '../relations/ref.js';
import { count, mean, sum } from './aggregation.js';
import { TestHouse } from './contexts.fixture.js';
import { Author, City, ENTITIES, Post, type Profile, Read, Route, type Shelf } from './domain.fixture.js';
import { GraphRepository } from './graph-repository.js';
import { RelationalRepository } from './relational-repository.js';
import type { Repository } from './repository.js';
import { SeriesRepository } from './series-repository.js';

let house: TestHouse;

beforeAll(async () => {
  house = await new TestHouse(ENTITIES).open();
});

describe('types', () => {
  it('are narrowed by populate', async () => {
    const [author] = await house.repository(Author).find({ populate: ['posts.labels', 'profile'] });
    expect(author).toBeUndefined();
    type Found = NonNullable<typeof author>;
    expectTypeOf<Found['profile']>().toExtend<LoadedRef<Profile>>();
    expectTypeOf<Found['posts']>().toExtend<LoadedCollection<Post>>();
    expectTypeOf<Found['posts']['items'][number]['labels']>().toExtend<LoadedCollection<object>>();
    expectTypeOf<Found['friends']>().toEqualTypeOf<Collection<Author>>();
    expectTypeOf<Found['posts']['items'][number]['author']>().toEqualTypeOf<Ref<Author>>();
    expectTypeOf<Found>().toExtend<Author>();
  });

  it('are narrowed by select', async () => {
    const rows = await house.repository(Author).find({ select: ['name', 'home.city'] });
    expect(rows).toEqual([]);
    expectTypeOf(rows).items.toExtend<{ name: string; home: { city: string | null } | null }>();
    expectTypeOf<'age' extends keyof (typeof rows)[number] ? true : false>().toEqualTypeOf<false>();
    const posts = await house.repository(Post).find({ select: ['author'] });
    expectTypeOf(posts).items.toEqualTypeOf<{ author: number | null }>();
  });

  it('say what an insert gives and ids are', async () => {
    const repository = house.repository(Post);
    expectTypeOf(repository.insert<{ id: 1; title: 'x' }>).returns.resolves.toEqualTypeOf<Post>();
    expectTypeOf(repository.insert<{ id: 1; title: 'x' }[]>).returns.resolves.toEqualTypeOf<Post[]>();
    expectTypeOf<Parameters<Repository<Post>['findById']>[0]>().toEqualTypeOf<number>();
    expectTypeOf<Parameters<Repository<Shelf>['findById']>[0]>().toEqualTypeOf<{
      readonly room: string;
      readonly number: number;
    }>();
  });

  it("of the models' repositories follow what is asked", async () => {
    const posts = new RelationalRepository<Post>(house.domain.of(Post), house.source);
    const rows = await posts.query({ select: { city: 'author.home.city', n: count(), views: sum('views') } });
    expect(rows).toEqual([]);
    expectTypeOf(rows).items.toEqualTypeOf<{ city: string | null; n: number; views: number | null }>();
    const reads = new SeriesRepository<Read>(house.domain.of(Read), house.source);
    const windows = await reads.window({ every: '1h', groupBy: ['post'], select: { m: mean('seconds'), n: count() } });
    expectTypeOf(windows).items.toExtend<{ start: Date; post: number; m: number | null; n: number }>();
    const cities = new GraphRepository<City>(house.domain.of(City), house.source);
    const [walk] = await cities.traverse({ from: 'A', via: Route, where: { distance: { gt: 1 } } });
    expectTypeOf<NonNullable<typeof walk>['edges']>().toEqualTypeOf<readonly Route[]>();
    expectTypeOf<NonNullable<typeof walk>['entity']>().toEqualTypeOf<City>();
  });

  it('refuse mistakes', () => {
    const repository = house.repository(Author);
    const never = (): unknown => [
      // @ts-expect-error no such property
      repository.find({ where: { nmae: 'x' } }),
      // @ts-expect-error wrong type
      repository.find({ where: { age: 'x' } }),
      // @ts-expect-error null is no comparand
      repository.find({ where: { age: null } }),
      // @ts-expect-error no such relation
      repository.find({ populate: ['postss'] }),
      // @ts-expect-error no such relation of a relation
      repository.find({ populate: ['posts.autor'] }),
      // @ts-expect-error no such property to select
      repository.find({ select: ['nmae'] }),
      // @ts-expect-error nothing to sort by
      repository.find({ orderBy: { nmae: 'asc' } }),
      // @ts-expect-error a property is missing
      repository.insert({ age: 3 }),
      // @ts-expect-error only numbers
      repository.increment({}, { active: 1 }),
      // @ts-expect-error a text is no id of Author
      repository.findById('x'),
    ];
    expect(never).toBeTypeOf('function');
  });
});
