/**
 * The types of the public API, checked by the compiler: `tsc` over the project is the test, and running it only proves
 * that the file is there. What must not compile is in `decorators/fixtures`.
 */
import { describe, expectTypeOf, it } from 'vitest';
import type {
  Collection,
  CreateInput,
  Defaults,
  FindOptions,
  Found,
  IdOf,
  identity,
  Loaded,
  LoadedRef,
  ModelOf,
  model,
  OrderBy,
  optional,
  PopulatePath,
  PropertyPath,
  Ref,
  Selected,
  SelectPath,
  TimeSeries,
  UpdateInput,
  Where,
} from '../index.js';

interface Address {
  zip: string;
  position: { lat: number; lon: number } | null;
}

declare class User {
  declare readonly [model]: 'relational';
  declare readonly [optional]: Defaults<'role' | 'score'>;
  id: string;
  version: number;
  createdAt: Date;
  email: string;
  age: number | null;
  role: 'user' | 'admin';
  score: number;
  tags: string[];
  photo: Uint8Array;
  home: Address;
  settings: unknown;
  profile: Ref<Profile>;
  posts: Collection<Post>;
  friends: Collection<User>;
  logins: TimeSeries<Login>;
  greet(): string;
}

declare class Profile {
  id: string;
  bio: string;
  user: Ref<User>;
}

declare class Post {
  declare readonly [identity]: 'slug';
  slug: string;
  title: string;
  author: Ref<User>;
}

declare class Membership {
  declare readonly [identity]: 'tenant' | 'no';
  tenant: Ref<Post>;
  no: number;
}

declare class Login {
  at: Date;
  userId: string;
  duration: number;
}

const accepts = <T>(_: T): void => undefined;

describe('paths', () => {
  it('lead to values, into embedded objects, and over relations', () => {
    expectTypeOf<PropertyPath<Profile>>().toEqualTypeOf<'id' | 'bio'>();
    expectTypeOf<Extract<PropertyPath<User>, `home${string}`>>().toEqualTypeOf<
      'home' | 'home.zip' | 'home.position' | 'home.position.lat' | 'home.position.lon'
    >();
    expectTypeOf<Extract<PropertyPath<User>, 'greet' | 'posts' | 'tags' | 'photo' | 'settings'>>().toEqualTypeOf<
      'tags' | 'photo' | 'settings'
    >();
    accepts<PopulatePath<User>[]>([
      'profile',
      'posts.author',
      'friends.friends.friends',
      'friends.friends.friends.posts',
      'logins',
    ]);
    expectTypeOf<SelectPath<Profile>>().toEqualTypeOf<'id' | 'bio' | 'user'>();
  });
});

describe('identities', () => {
  it('are what the class says', () => {
    expectTypeOf<IdOf<User>>().toEqualTypeOf<string>();
    expectTypeOf<IdOf<Post>>().toEqualTypeOf<string>();
    expectTypeOf<IdOf<Membership>>().toEqualTypeOf<{ readonly tenant: string; readonly no: number }>();
    expectTypeOf<ModelOf<User>>().toEqualTypeOf<'relational'>();
    expectTypeOf<ModelOf<Login>>().toEqualTypeOf<'relational' | 'document' | 'graph' | 'timeseries'>();
  });
});

describe('filters', () => {
  it('take values, operators, nested objects, ids and filters of related entities', () => {
    accepts<Where<User>>({
      email: 'a',
      age: { gte: 18, not: { between: [20, 30] } },
      role: { in: ['user'] },
      createdAt: { lt: new Date() },
      tags: { contains: 'x' },
      home: { zip: { like: '1%' }, position: { exists: false } },
      settings: { theme: { eq: 'dark' } },
      profile: 'some-id',
      posts: { title: { ilike: '%x%' }, author: { id: 'u' } },
      logins: { duration: { gt: 3 } },
      or: [{ email: 'b' }, { and: [{ score: 1 }], not: { friends: { exists: true } } }],
    });
    accepts<Where<Membership>>({ tenant: { slug: 'x' }, no: 1 });
    accepts<OrderBy<User>>({ email: 'asc', home: { zip: { direction: 'desc', nulls: 'first' } } });
  });
});

describe('results', () => {
  it('know what was loaded', () => {
    type Deep = Loaded<User, 'profile' | 'friends.posts'>;
    expectTypeOf<Deep>().toExtend<User>();
    expectTypeOf<Deep['profile']>().toExtend<LoadedRef<Profile>>();
    expectTypeOf<Deep['profile']['value']['bio']>().toEqualTypeOf<string>();
    expectTypeOf<Deep['friends']['items'][number]['posts']['items'][number]['title']>().toEqualTypeOf<string>();
    expectTypeOf<Loaded<User>>().toEqualTypeOf<User>();
    expectTypeOf<Deep['posts']>().not.toHaveProperty('items');
  });

  it('are rows of what was selected', () => {
    expectTypeOf<Selected<User, 'email' | 'home.zip' | 'profile'>>().toEqualTypeOf<{
      email: string;
      home: { zip: string };
      profile: string | null;
    }>();
    expectTypeOf<Selected<User, 'home.position.lat'>['home']['position']>().toEqualTypeOf<{ lat: number } | null>();
  });

  it('follow from the options of a find', () => {
    const find = <const P extends PopulatePath<User> = never, const S extends SelectPath<User> = never>(
      _: FindOptions<User, P, S>,
    ): Found<User, P, S> => undefined as never;
    expectTypeOf(find).toBeFunction();
    const shape = () => {
      expectTypeOf(find({ where: { email: 'a' } })).toEqualTypeOf<User>();
      expectTypeOf(find({ populate: ['posts.author'] }).posts.items[0]?.author.value.email).toEqualTypeOf<
        string | undefined
      >();
      expectTypeOf(find({ related: { posts: { where: { title: 'x' }, limit: 3 } } }).posts.items).toEqualTypeOf<
        readonly Post[]
      >();
      expectTypeOf(find({ populate: ['posts.author'], related: { posts: { limit: 3 } } }).posts.length).toBeNumber();
      expectTypeOf(find({ select: ['email', 'age'] })).toEqualTypeOf<{ email: string; age: number | null }>();
    };
    expectTypeOf(shape).toBeFunction();
  });
});

describe('inputs', () => {
  it('require what nobody else fills in', () => {
    type Required = { [K in keyof CreateInput<User> as undefined extends CreateInput<User>[K] ? never : K]: true };
    expectTypeOf<keyof Required>().toEqualTypeOf<'email' | 'tags' | 'photo' | 'home'>();
    accepts<CreateInput<User>>({
      email: 'a',
      tags: [],
      photo: new Uint8Array(),
      home: { zip: '1', position: null },
      profile: 'an-id',
      posts: [],
    });
    accepts<UpdateInput<User>>({ email: 'b', age: null, profile: null });
    expectTypeOf<keyof UpdateInput<User>>().not.toEqualTypeOf<'posts'>();
  });
});
