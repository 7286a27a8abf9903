/** Finds over memory stores: filters over every kind of member, orders, selections, and the errors of mistaken ones. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InvalidQueryError } from '../errors/errors.js';
import { settle } from '../query/semi-join.js';
import { compileWhere } from '../query/where.js';
import { TestHouse } from './contexts.fixture.js';
import { Author, Book, ENTITIES, Label, Post, Profile, Shelf } from './domain.fixture.js';

async function publishingHouse() {
  const house = await new TestHouse(ENTITIES).open();
  await house.repository(Author).insert([
    {
      id: 1,
      name: 'Ada',
      age: 36,
      rating: 4.5,
      settings: { theme: 'dark', size: { width: 10 } },
      languages: ['en', 'fr'],
      home: { city: 'London', zip: 'W1' },
    },
    { id: 2, name: 'Bob', age: null, rating: 3, settings: { theme: 'light' }, languages: ['en'], home: null },
    { id: 3, name: 'Cleo', age: 20, rating: null, settings: null, home: { city: 'Cairo', zip: null } },
  ]);
  await house.repository(Post).insert([
    { id: 10, title: 'Engines', author: 1, views: 5 },
    { id: 11, title: 'Notes', author: 1, views: 7 },
    { id: 12, title: 'Ships', author: 3, views: 1 },
    { id: 13, title: 'Nobody', views: 0 },
  ]);
  await house.repository(Profile).insert([
    { id: 100, authorId: 1, country: 'GB' },
    { id: 101, authorId: 2, country: 'NO' },
  ]);
  return house;
}

let house: TestHouse;

beforeEach(async () => {
  house = await publishingHouse();
});

async function link(source: string, rows: (string | number)[][]) {
  const entity = house.domain.entities.find((one) => one.kind === 'link' && one.source === source);
  if (entity === undefined) throw new Error(`no link ${source}`);
  await house.store(entity).write({ op: 'insert', entity, fields: entity.fields, rows }, {});
}

const names = async (where: Parameters<typeof find>[0]) => (await find(where)).map((author) => author.name);
const find = (where: NonNullable<Parameters<ReturnType<typeof authors>['find']>[0]>['where']) =>
  authors().find({ where, orderBy: { id: 'asc' } });
const authors = () => house.repository(Author);

describe('filters', () => {
  it.each([
    ['a bare value', { name: 'Ada' }, ['Ada']],
    ['several operators', { age: { gte: 20, lt: 36 } }, ['Cleo']],
    ['between', { age: { between: [20, 36] } }, ['Ada', 'Cleo']],
    ['in', { id: { in: [1, 3, 99] } }, ['Ada', 'Cleo']],
    ['ne of an absent value', { age: { ne: 36 } }, ['Bob', 'Cleo']],
    ['absence', { age: { exists: false } }, ['Bob']],
    ['not, the exact complement', { not: { age: { gt: 30 } } }, ['Bob', 'Cleo']],
    ['not on a property', { age: { not: { gt: 30 } } }, ['Bob', 'Cleo']],
    ['or', { or: [{ name: 'Bob' }, { age: 20 }] }, ['Bob', 'Cleo']],
    ['an empty or', { or: [] }, []],
    ['like', { name: { like: '%o%' } }, ['Bob', 'Cleo']],
    ['an element of an array', { languages: { contains: 'fr' } }, ['Ada']],
    ['an embedded property', { home: { city: 'Cairo' } }, ['Cleo']],
    ['an absent embedded object', { home: { exists: false } }, ['Bob']],
    ['a present embedded object', { home: { exists: true } }, ['Ada', 'Cleo']],
    ['inside json', { settings: { theme: 'dark' } }, ['Ada']],
    ['deep inside json', { settings: { size: { width: { gt: 5 } } } }, ['Ada']],
    ['json as a whole', { settings: { eq: { theme: 'light' } } }, ['Bob']],
    ['an empty list matches nothing', { id: { in: [] } }, []],
    ['an empty list excludes nothing', { id: { notIn: [] } }, ['Ada', 'Bob', 'Cleo']],
    ['a relation in the same store', { posts: { title: 'Ships' } }, ['Cleo']],
    ['a relation that is not there', { posts: { exists: false } }, ['Bob']],
    ['a relation to another store', { profile: { country: 'NO' } }, ['Bob']],
    ['the complement of one', { not: { profile: { country: 'NO' } } }, ['Ada', 'Cleo']],
  ] as const)('%s', async (_, where, expected) => {
    expect(await names(where as never)).toEqual(expected);
  });

  it('takes an entity, an id or a nested filter for a reference', async () => {
    const [ada] = await find({ name: 'Ada' });
    const titles = async (where: object) =>
      (await house.repository(Post).find({ where, orderBy: { id: 'asc' } })).map((post) => post.title);
    expect(await titles({ author: 1 })).toEqual(['Engines', 'Notes']);
    expect(await titles({ author: ada })).toEqual(['Engines', 'Notes']);
    expect(await titles({ author: { in: [1, 3] } })).toEqual(['Engines', 'Notes', 'Ships']);
    expect(await titles({ author: { name: 'Cleo' } })).toEqual(['Ships']);
    expect(await titles({ author: { exists: false } })).toEqual(['Nobody']);
    expect(await titles({ author: { ne: 1 } })).toEqual(['Ships', 'Nobody']);
    expect(await titles({ author: { profile: { country: 'GB' } } })).toEqual(['Engines', 'Notes']);
  });

  it('asks the other store for keys once, and not at all where the key is in the row', async () => {
    const calls = await house.calls(() => names({ profile: { country: 'NO' } }));
    expect(calls.toSorted()).toEqual(['read Author', 'read Profile']);
    expect(await house.calls(() => house.repository(Post).find({ where: { author: { id: 1 } } }))).toEqual([
      'read Post',
    ]);
    expect(await house.calls(() => names({ id: { in: [] } }))).toEqual([]);
  });

  it('follows links through the graph and through tables, either way', async () => {
    await link('FRIEND', [
      [1, 2],
      [3, 1],
    ]);
    await link('RECOMMENDS', [[2, 12]]);
    await house.repository(Label).insert([{ name: 'red' }, { name: 'blue' }]);
    await link('post_labels', [
      [10, 'red'],
      [12, 'blue'],
    ]);
    expect(await names({ friends: { name: 'Ada' } })).toEqual(['Bob', 'Cleo']);
    expect(await names({ friends: { id: 2 } })).toEqual(['Ada']);
    expect(await names({ friends: { exists: true } })).toEqual(['Ada', 'Bob', 'Cleo']);
    expect(await names({ friends: { profile: { country: 'NO' } } })).toEqual(['Ada']);
    expect(await names({ recommended: { author: { name: 'Cleo' } } })).toEqual(['Bob']);
    expect(await names({ posts: { labels: { name: 'red' } } })).toEqual(['Ada']);
    expect(await names({ not: { posts: { labels: { exists: true } } } })).toEqual(['Bob']);
    const labels = house.repository(Label);
    expect((await labels.find({ where: { posts: { title: 'Ships' } } })).map((label) => label.name)).toEqual(['blue']);
    const calls = await house.calls(() => names({ friends: { id: { in: [1, 2] } } }));
    expect(calls.toSorted()).toEqual(['read Author', 'read Author.friends', 'read Author.friends']);
  });

  it('refuses more keys than it can look up', async () => {
    const condition = compileWhere(house.domain.of(Author), { profile: { id: { gte: 0 } } });
    const within = (limit: number) => settle(house.context(), house.domain.of(Author), condition, {}, limit);
    expect(await within(2)).toMatchObject({ op: 'in', values: [1, 2] });
    await expect(within(1)).rejects.toThrow(
      'The filter on Author.profile matches more than 1 keys of Profile in store "document", too many to look up in store "relational". Narrow the filter, or start from Profile and populate.',
    );
  });

  it('works on stores that cannot filter over relations', async () => {
    const plain = await new TestHouse(ENTITIES, { capabilities: { relationFilters: false } }).open();
    await plain.repository(Author).insert([
      { id: 1, name: 'Ada' },
      { id: 2, name: 'Bob' },
    ]);
    await plain.repository(Post).insert([{ id: 1, title: 'x', author: 2 }]);
    const found = await plain.repository(Author).find({ where: { posts: { title: 'x' } } });
    expect(found.map((author) => author.name)).toEqual(['Bob']);
  });
});

describe('mistaken filters', () => {
  it.each([
    ['an unknown property', { nmae: 'x' }, 'Author has no property "nmae" (in a filter). Did you mean "name"?'],
    [
      'null',
      { name: null },
      'Author.name: the value to compare with is null. Leave it out to match everything, or ask for absence with { name: { exists: false } }.',
    ],
    ['undefined', { name: undefined }, /Author\.name: the value to compare with is undefined/],
    ['null in an operator', { age: { gt: null } }, /Author\.age: the comparand of "gt" is null/],
    ['null in a list', { id: { in: [1, null] } }, /Author\.id: an element of "in" is null/],
    ['null for a relation', { profile: null }, /Author\.profile: the filter on the relation is null/],
    ['a wrong type', { age: 'old' }, /Author\.age: the value to compare with does not fit its type integer/],
    [
      'an operator on a wrong type',
      { active: { gt: true } },
      'Author.active: "gt" has no meaning for type boolean. Use eq, ne, in or exists.',
    ],
    ['like on a number', { age: { like: '3%' } }, /Author\.age: "like" has no meaning for type integer/],
    ['an unknown operator', { age: { gtt: 3 } }, 'Author.age: "gtt" is not an operator. Did you mean "gt"?'],
    [
      'an embedded typo',
      { home: { ctiy: 'x' } },
      'Author has no property "home.ctiy" (in a filter). Did you mean "home.city"?',
    ],
    [
      'a typo over a relation',
      { posts: { titel: 'x' } },
      'Post has no property "titel" (in a filter). Did you mean "title"?',
    ],
    ['no bounds', { age: { between: [1] } }, /"between" takes two bounds/],
    ['no filter at all', 'Ada', 'Author: a filter is an object of properties, and this is "Ada".'],
  ])('%s', async (_, where, message) => {
    const failure = await find(where as never).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InvalidQueryError);
    expect((failure as Error).message).toMatch(
      message instanceof RegExp ? message : new RegExp(`^${escaped(message)}$`),
    );
  });

  it('names the entity and the property', async () => {
    await expect(find({ home: { ctiy: 'x' } } as never)).rejects.toMatchObject({
      entity: 'Author',
      property: 'home.ctiy',
    });
  });

  it('refuses misspelt options', async () => {
    await expect(authors().find({ order: { id: 'asc' } } as never)).rejects.toThrow(
      'there is no option "order" here. Did you mean "orderBy"?',
    );
    await expect(authors().find({ limit: -1 })).rejects.toThrow('limit of find is a whole number from 0 on');
  });
});

describe('orders and selections', () => {
  it('puts absent values last in both directions unless told otherwise', async () => {
    const sorted = async (orderBy: object) => (await authors().find({ orderBy })).map((author) => author.name);
    expect(await sorted({ age: 'asc' })).toEqual(['Cleo', 'Ada', 'Bob']);
    expect(await sorted({ age: 'desc' })).toEqual(['Ada', 'Cleo', 'Bob']);
    expect(await sorted({ age: { direction: 'asc', nulls: 'first' } })).toEqual(['Bob', 'Cleo', 'Ada']);
    expect(await sorted([{ home: { city: 'asc' } }, { id: 'desc' }])).toEqual(['Cleo', 'Ada', 'Bob']);
  });

  it('sorts by the key of a reference and by nothing else of it', async () => {
    const posts = await house.repository(Post).find({ orderBy: { author: { id: 'desc' }, id: 'asc' } as never });
    expect(posts.map((post) => post.id)).toEqual([12, 10, 11, 13]);
    await expect(house.repository(Post).find({ orderBy: { author: { name: 'asc' } } as never })).rejects.toThrow(
      'Post.author: only the key of a to-one relation can be sorted by',
    );
    await expect(authors().find({ orderBy: { languages: 'asc' } })).rejects.toThrow(
      'values of type string[] have no order',
    );
  });

  it('gives plain rows of what is selected, and reads no more', async () => {
    const rows = await authors().find({
      select: ['name', 'home.city', 'settings.theme' as never],
      orderBy: { id: 'asc' },
    });
    expect(rows).toEqual([
      { name: 'Ada', home: { city: 'London' }, settings: { theme: 'dark' } },
      { name: 'Bob', home: null, settings: { theme: 'light' } },
      { name: 'Cleo', home: { city: 'Cairo' }, settings: { theme: null } },
    ]);
    expect(rows[0]).not.toBeInstanceOf(Author);
    const posts = await house
      .repository(Post)
      .find({ select: ['id', 'author'], where: { id: { gte: 12 } }, orderBy: { id: 'asc' } });
    expect(posts).toEqual([
      { id: 12, author: 3 },
      { id: 13, author: null },
    ]);
    await house.repository(Shelf).insert({ room: 'A', number: 1, label: 'a', position: 1 });
    await house.repository(Book).insert([{ title: 'x', shelf: { room: 'A', number: 1 } }, { title: 'y' }]);
    expect(await house.repository(Book).find({ select: ['shelf'], orderBy: { id: 'asc' } })).toEqual([
      { shelf: { room: 'A', number: 1 } },
      { shelf: null },
    ]);
    const author: number | null = posts[0]?.author ?? null;
    expect(author).toBe(3);
  });

  it('reads by id in the order asked, and passes over what is not there', async () => {
    const found = await authors().findByIds([3, 99, 1, 3]);
    expect(found.map((author) => author.id)).toEqual([3, 1, 3]);
    expect(await authors().findById(99)).toBeNull();
    await expect(authors().findById(undefined as never)).rejects.toThrow('Author: the id is undefined');
    await expect(authors().findOneOrFail({ where: { name: 'Zoe' } })).rejects.toThrow(
      'No Author in store "relational" matches the filter {"name":"Zoe"}',
    );
  });

  it('counts', async () => {
    expect(await authors().count({ age: { exists: true } })).toBe(2);
    expect(await authors().exists({ name: 'Ada' })).toBe(true);
    expect(await authors().exists({ name: 'Zoe' })).toBe(false);
    const plain = await new TestHouse([Label, Post, ...ENTITIES], { without: ['count'] }).open();
    await plain.repository(Label).insert([{ name: 'a' }, { name: 'b' }] as never);
    expect(await plain.repository(Label).count()).toBe(2);
  });
});

describe('softly deleted entities', () => {
  it('are seen only where asked for, also over relations', async () => {
    const posts = house.repository(Post);
    expect(await posts.delete({ id: 12 })).toBe(1);
    expect(await posts.count()).toBe(3);
    expect(await posts.count({}, { withDeleted: true })).toBe(4);
    expect((await posts.find({ withDeleted: 'only' })).map((post) => post.id)).toEqual([12]);
    expect(await names({ posts: { title: 'Ships' } })).toEqual([]);
    expect(await posts.delete({ id: 12 }, { hard: true })).toBe(1);
    expect(await posts.count({}, { withDeleted: true })).toBe(3);
    await expect(authors().find({ withDeleted: 'only' })).rejects.toThrow('has no @SoftDelete property');
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
