/** Populate over memory stores: the number of queries, cycles, limits per owner, links either way, and the mistakes. */
import { describe, expect, it } from 'vitest';
import { RelationNotLoadedError } from '../errors/errors.js';
import { TestHouse } from './contexts.fixture.js';
import { Author, Book, ENTITIES, Label, Post, Profile, Read, Shelf } from './domain.fixture.js';

/** `n` authors with two posts each, a profile, labels on every post, friends in a ring, and reads of every post. */
async function houseOf(n: number, options: ConstructorParameters<typeof TestHouse>[1] = {}) {
  const house = await new TestHouse(ENTITIES, options).open();
  const all = Array.from({ length: n }, (_, at) => at + 1);
  await house.repository(Author).insert(all.map((id) => ({ id, name: `author ${id}` })));
  await house.repository(Profile).insert(all.map((id) => ({ id, authorId: id, country: id % 2 === 0 ? 'NO' : 'GB' })));
  await house.repository(Post).insert(
    all.flatMap((id) => [
      { id: id * 10, title: `a${id}`, author: id, views: 1 },
      { id: id * 10 + 1, title: `b${id}`, author: id, views: 2 },
      { id: id * 10 + 2, title: `c${id}`, author: id, views: 3 },
    ]),
  );
  await house.repository(Label).insert([{ name: 'red' }, { name: 'blue' }]);
  await house.repository(Read).insert(
    all.flatMap((id) =>
      [2, 1].map((hour) => ({
        at: new Date(Date.UTC(2024, 0, 1, hour)),
        post: id * 10,
        device: 'phone',
        seconds: hour,
      })),
    ),
  );
  await link(
    house,
    'FRIEND',
    all.map((id) => [id, (id % n) + 1]),
  );
  await link(
    house,
    'post_labels',
    all.flatMap((id) => [
      [id * 10, 'red'],
      [id * 10, 'blue'],
      [id * 10 + 1, 'red'],
    ]),
  );
  await link(
    house,
    'RECOMMENDS',
    all.map((id) => [id, 10]),
  );
  return house;
}

async function link(house: TestHouse, source: string, rows: (string | number)[][]) {
  const entity = house.domain.entities.find((one) => one.kind === 'link' && one.source === source);
  if (entity === undefined) throw new Error(`no link ${source}`);
  await house.store(entity).write({ op: 'insert', entity, fields: entity.fields, rows }, {});
}

const PATHS = ['posts', 'posts.labels', 'posts.reads', 'profile', 'friends', 'friends.profile', 'recommended'] as const;

describe('the number of queries', () => {
  it.each([10, 1_000])('does not depend on the number of entities (%i)', async (n) => {
    const house = await houseOf(n);
    const calls = await house.calls(async () => {
      const authors = await house.repository(Author).find({ populate: PATHS });
      expect(authors).toHaveLength(n);
      for (const author of authors) expect(author.posts.length).toBe(3);
    });
    expect(calls.toSorted()).toEqual(
      [
        'read Author',
        'read Author.friends', // links; the friends themselves are all known by then …
        'read Author', // … but a link's targets are always asked for, as they may be deleted
        'read Author.recommended',
        'read Label',
        'read Post',
        'read Post', // recommended
        'read Post.labels',
        'read Profile',
        'read Read',
      ].toSorted(),
    );
  });

  it('asks for each key once', async () => {
    const house = await houseOf(10);
    const posts = house.repository(Post);
    const calls = await house.calls(() => posts.find({ populate: ['author'] }));
    expect(calls).toEqual(['read Post', 'read Author']);
    const read = house.stores.get('relational')?.calls.find((call) => call.entity === 'Author');
    expect(read?.rows).toBe(10);
  });
});

describe('what is loaded', () => {
  it('joins all four stores', async () => {
    const house = await houseOf(3);
    const author = await house.repository(Author).findOneOrFail({ where: { id: 1 }, populate: PATHS });
    expect(author.posts.items.map((post) => post.title).toSorted()).toEqual(['a1', 'b1', 'c1']);
    const [first] = author.posts.items.filter((post) => post.id === 10);
    expect(first?.labels.items.map((label) => label.name).toSorted()).toEqual(['blue', 'red']);
    expect(first?.reads.items.map((read) => read.seconds)).toEqual([1, 2]);
    expect(author.profile.value.country).toBe('GB');
    expect(author.friends.items.map((friend) => friend.id).toSorted()).toEqual([2, 3]);
    expect(author.friends.items.map((friend) => friend.profile.value.country).toSorted()).toEqual(['GB', 'NO']);
    expect(author.recommended.items.map((post) => post.id)).toEqual([10]);
  });

  it('gives the same instance wherever a cycle closes', async () => {
    const house = await houseOf(3);
    const authors = await house.repository(Author).find({ populate: ['friends.friends', 'posts.author'] });
    const [ada] = authors;
    for (const friend of ada?.friends ?? []) expect(authors).toContain(friend);
    expect(ada?.posts.items[0]?.author.value).toBe(ada);
  });

  it('marks empty relations loaded and leaves others alone', async () => {
    const house = await new TestHouse(ENTITIES).open();
    await house.repository(Author).insert({ id: 1, name: 'Ada' });
    const author = await house.repository(Author).findOneOrFail({ populate: ['posts', 'profile', 'friends'] });
    expect(author.posts.items).toEqual([]);
    expect(author.profile.get()).toBeNull();
    expect(author.friends.length).toBe(0);
    expect(() => author.recommended.get()).toThrow(RelationNotLoadedError);
    await house.repository(Post).insert({ id: 1, title: 'x' });
    const post = await house.repository(Post).findOneOrFail({ populate: ['author'] });
    expect(post.author.get()).toBeNull();
  });

  it('follows both sides of a many-to-many', async () => {
    const house = await houseOf(2);
    const red = await house.repository(Label).findById('red', { populate: ['posts'] });
    expect(red?.posts.items.map((post) => post.id).toSorted()).toEqual([10, 11, 20, 21]);
  });

  it('follows composite keys', async () => {
    const house = await new TestHouse(ENTITIES).open();
    const shelves = house.repository(Shelf);
    await shelves.insert([
      { room: 'A', number: 1, label: 'a', position: 1 },
      { room: 'A', number: 2, label: 'a', position: 2 },
    ]);
    const books = await house.repository(Book).insert([
      { title: 'one', shelf: { room: 'A', number: 1 } },
      { title: 'two', shelf: { room: 'A', number: 2 } },
      { title: 'three', shelf: { room: 'A', number: 1 } },
    ]);
    expect(books.map((book) => typeof book.id)).toEqual(['number', 'number', 'number']);
    const [first, second] = await shelves.find({ populate: ['books'], orderBy: { number: 'asc' } });
    expect(first?.books.items.map((book) => book.title)).toEqual(['one', 'three']);
    expect(second?.books.items.map((book) => book.title)).toEqual(['two']);
    const two = await house
      .repository(Book)
      .findOneOrFail({ where: { shelf: { room: 'A', number: 2 } }, populate: ['shelf'] });
    expect(two.shelf.value.position).toBe(2);
    expect(await shelves.findById({ room: 'A', number: 2 })).toMatchObject({ position: 2 });
    await expect(shelves.findById({ room: 'A' } as never)).rejects.toThrow('Shelf.number: the id is undefined');
  });

  it('keeps a reference to a softly deleted entity readable, and collections without it', async () => {
    const house = await houseOf(2);
    await house.repository(Post).delete({ id: 10 });
    const author = await house
      .repository(Author)
      .findOneOrFail({ where: { id: 1 }, populate: ['posts', 'recommended'] });
    expect(author.posts.items.map((post) => post.id).toSorted()).toEqual([11, 12]);
    expect(author.recommended.items).toEqual([]);
  });
});

describe('filters, orders and limits of populated relations', () => {
  it.each([
    ['by the store', {}],
    ['by the core', { capabilities: { limitPerGroup: false } }],
  ])('cuts per owner %s', async (_, options) => {
    const house = await houseOf(5, options);
    const authors = await house.repository(Author).find({
      related: { posts: { orderBy: { views: 'desc' }, limit: 2 } },
      populate: ['posts', 'posts.labels'],
    });
    for (const author of authors) expect(author.posts.items.map((post) => post.views)).toEqual([3, 2]);
    const offset = await house
      .repository(Author)
      .find({ related: { posts: { orderBy: { views: 'desc' }, limit: 1, offset: 1 } } });
    expect(offset.map((author) => author.posts.items.map((post) => post.views))).toEqual(Array(5).fill([2]));
  });

  it('cuts links per owner', async () => {
    const house = await houseOf(5);
    const authors = await house
      .repository(Author)
      .find({ related: { friends: { orderBy: { id: 'desc' }, limit: 1 } }, orderBy: { id: 'asc' } });
    expect(authors.map((author) => author.friends.items.map((friend) => friend.id))).toEqual([[5], [3], [4], [5], [4]]);
  });

  it('filters, over relations too, and refuses to change what it did not load whole', async () => {
    const house = await houseOf(4);
    const [author] = await house.repository(Author).find({
      where: { id: 1 },
      related: {
        friends: { where: { profile: { country: 'NO' } } },
        'friends.posts': { where: { views: { gte: 3 } } },
      },
    });
    expect(author?.friends.items.map((friend) => friend.id).toSorted()).toEqual([2, 4]);
    expect(author?.friends.items[0]?.posts.items.map((post) => post.views)).toEqual([3]);
  });

  it('limits a series', async () => {
    const house = await houseOf(3);
    const posts = await house.repository(Post).find({
      where: { title: { like: 'a%' } },
      related: { reads: { orderBy: { at: 'desc' }, limit: 1 } },
    });
    for (const post of posts) expect(post.reads.items.map((read) => read.seconds)).toEqual([2]);
  });
});

describe('mistakes', () => {
  it.each([
    [{ populate: ['postss'] }, 'Author: it has no relation "postss" to populate (in "postss"). Did you mean "posts"?'],
    [
      { populate: ['posts.autor'] },
      'Post: it has no relation "autor" to populate (in "posts.autor"). Did you mean "author"?',
    ],
    [{ populate: ['name'] }, 'Author: name is not a relation and needs no populate'],
    [{ populate: 'posts' }, 'Author: populate takes a list of paths'],
    [{ related: { posts: { order: {} } } }, 'related["posts"] knows where, orderBy, limit and offset, and not "order"'],
    [
      { related: { profile: { limit: 1 } } },
      'related["profile"] is a to-one relation, which has nothing to filter or cut',
    ],
    [{ populate: ['posts'], select: ['name'] }, 'select gives plain rows and populate fills entities'],
  ])('%j', async (options, message) => {
    const house = await new TestHouse(ENTITIES).open();
    await expect(house.repository(Author).find(options as never)).rejects.toThrow(message);
  });
});

describe('containers by themselves', () => {
  it('load, count and range', async () => {
    const house = await houseOf(3);
    const author = await house.repository(Author).findOneOrFail({ where: { id: 1 } });
    expect(await author.posts.count()).toBe(3);
    expect(await author.friends.count()).toBe(2);
    expect((await author.posts.load()).map((post) => post.id).toSorted()).toEqual([10, 11, 12]);
    expect((await author.profile.load())?.country).toBe('GB');
    const post = await house.repository(Post).findOneOrFail({ where: { id: 10 } });
    expect((await post.author.load())?.name).toBe('author 1');
    expect((await post.reads.range({ from: new Date(Date.UTC(2024, 0, 1, 2)) })).length).toBe(1);
    expect((await post.reads.last())?.seconds).toBe(2);
    expect(await post.reads.count()).toBe(2);
  });
});
