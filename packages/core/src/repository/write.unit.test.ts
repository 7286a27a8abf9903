/** Writes that pass the unit of work by: inserts, upserts, and updates, increments and deletions by filter. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InvalidQueryError, InvalidValueError, NotNullViolationError, UniqueViolationError } from '../errors/errors.js';
import { addDecimals } from '../store/value-order.js';
import { TestHouse } from './contexts.fixture.js';
import { Author, Book, ENTITIES, Post, Profile, Shelf } from './domain.fixture.js';

let house: TestHouse;

beforeEach(async () => {
  house = await new TestHouse(ENTITIES).open();
  await house.repository(Author).insert([
    { id: 1, name: 'Ada', age: 36, fee: '10.50' },
    { id: 2, name: 'Bob', age: null },
    { id: 3, name: 'Cleo', age: 20 },
  ]);
  await house.repository(Profile).insert([
    { id: 1, authorId: 1, country: 'GB' },
    { id: 2, authorId: 2, country: 'NO' },
  ]);
});

describe('insert', () => {
  it('gives entities with defaults, versions and times, and writes one batch', async () => {
    const posts = house.repository(Post);
    let made: Post | undefined;
    const calls = await house.calls(async () => {
      made = await posts.insert({ id: 1, title: 'x', author: 2 });
      await posts.insert([2, 3, 4].map((id) => ({ id, title: 'x' })));
    });
    expect(calls).toEqual(['insert Post', 'insert Post']);
    expect(made).toBeInstanceOf(Post);
    expect(made).toMatchObject({ id: 1, title: 'x', views: 0, section: null, deletedAt: null });
    expect(made?.author.key).toBe(2);
    const ada = await house.repository(Author).findById(1);
    expect(ada?.version).toBe(1);
    expect(ada?.createdAt).toBeInstanceOf(Date);
    expect(ada?.updatedAt).toEqual(ada?.createdAt);
    expect(ada?.languages).toEqual([]);
    expect(ada?.followers).toBe(0n);
    expect(await posts.insert([])).toEqual([]);
  });

  it('takes entities for references, and ids that the store makes', async () => {
    const shelf = await house.repository(Shelf).insert({ room: 'A', number: 1, label: 'a', position: 1 });
    const books = house.repository(Book);
    const [first, given, second] = await books.insert([
      { title: 'one', shelf },
      { id: 70, title: 'given' },
      { title: 'two' },
    ]);
    expect(first?.shelf.key).toEqual({ room: 'A', number: 1 });
    expect(given?.id).toBe(70);
    expect(new Set([first?.id, second?.id, 70]).size).toBe(3);
    expect((await books.find({ where: { id: second?.id ?? 0 } }))[0]?.title).toBe('two');
  });

  it('takes a detached entity with its references', async () => {
    const posts = house.repository(Post);
    await posts.insert({ id: 1, title: 'x', author: 2 });
    await posts.insert({ id: 2, title: 'y' });
    const found = await posts.find({ orderBy: { id: 'asc' } });
    await posts.delete({}, { hard: true });
    await posts.insert(found as never);
    expect(await posts.find({ select: ['id', 'author'], orderBy: { id: 'asc' } })).toEqual([
      { id: 1, author: 2 },
      { id: 2, author: null },
    ]);
  });

  it.each([
    ['a missing value', { id: 9 }, NotNullViolationError, 'Author.name has no value'],
    [
      'an unknown property',
      { id: 9, name: 'x', aeg: 3 },
      InvalidValueError,
      'Author has no property "aeg" to insert. Did you mean "age"?',
    ],
    ['a wrong type', { id: 9, name: 'x', age: 'old' }, InvalidValueError, 'age'],
    [
      'a collection',
      { id: 9, name: 'x', posts: [{}] },
      InvalidValueError,
      'Author.posts is kept elsewhere and cannot be inserted',
    ],
    ['nothing', undefined, InvalidValueError, 'entry 0 to insert is undefined'],
    ['a taken value', { id: 9, name: 'Ada' }, UniqueViolationError, /./],
  ])('refuses %s', async (_, data, type, message) => {
    const failure = await house
      .repository(Author)
      .insert(data as never)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(type);
    expect((failure as Error).message).toMatch(message);
    expect(await house.repository(Author).count()).toBe(3);
  });
});

describe('upsert', () => {
  it('inserts what is new and overwrites what is there, with its version', async () => {
    const authors = house.repository(Author);
    expect(
      await authors.upsert([
        { id: 1, name: 'Ada L.' },
        { id: 9, name: 'Zoe' },
      ]),
    ).toBe(2);
    expect(
      await authors.find({
        select: ['id', 'name', 'age', 'version'],
        where: { id: { in: [1, 9] } },
        orderBy: { id: 'asc' },
      }),
    ).toEqual([
      { id: 1, name: 'Ada L.', age: 36, version: 2 },
      { id: 9, name: 'Zoe', age: null, version: 1 },
    ]);
  });

  it('goes by another unique key, and sets what it is told to', async () => {
    const authors = house.repository(Author);
    await authors.upsert({ id: 50, name: 'Ada', age: 37, rating: 1 }, { on: ['name'], update: ['age'] });
    expect(await authors.findOneOrFail({ where: { name: 'Ada' } })).toMatchObject({ id: 1, age: 37, rating: null });
    expect(await authors.upsert({ id: 51, name: 'Ada', age: 1 }, { on: ['name'], update: [] })).toBe(0);
    expect(await authors.findById(1)).toMatchObject({ age: 37 });
  });

  it('refuses keys that are not unique, and twins', async () => {
    const authors = house.repository(Author);
    await expect(authors.upsert({ id: 7, name: 'x' }, { on: ['age'] })).rejects.toThrow(
      'needs a unique index on exactly these',
    );
    await expect(
      authors.upsert([
        { id: 7, name: 'x' },
        { id: 7, name: 'y' },
      ]),
    ).rejects.toThrow('two entries of one upsert have the same (id)');
    const plain = await new TestHouse(ENTITIES, { capabilities: { upsert: false } }).open();
    await expect(plain.repository(Author).upsert({ id: 1, name: 'x' })).rejects.toThrow(
      'upsert of Author needs something that store "relational"',
    );
  });
});

describe.each([
  ['in one statement', {}],
  ['one by one, where a store has no bulk writes', { capabilities: { bulkWrites: false } }],
])('writes by filter %s', (_, options) => {
  beforeEach(async () => {
    house = await new TestHouse(ENTITIES, options).open();
    await house.repository(Author).insert([
      { id: 1, name: 'Ada', age: 36, fee: '10.50', home: { city: 'London', zip: 'W1' } },
      { id: 2, name: 'Bob', age: null },
      { id: 3, name: 'Cleo', age: 20 },
    ]);
    await house.repository(Profile).insert([{ id: 2, authorId: 2, country: 'NO' }]);
    await house.repository(Post).insert([
      { id: 1, title: 'a', author: 1 },
      { id: 2, title: 'b', author: 2 },
    ]);
  });

  it('sets, with version and time of change', async () => {
    const authors = house.repository(Author);
    const before = await authors.findById(1);
    expect(
      await authors.update({ age: { gte: 30 } }, { age: null, home: { city: 'Paris' } as never, active: false }),
    ).toBe(1);
    const after = await authors.findById(1);
    expect(after).toMatchObject({ age: null, active: false, version: 2, home: { city: 'Paris', zip: 'W1' } });
    expect(Number(after?.updatedAt)).toBeGreaterThanOrEqual(Number(before?.updatedAt));
    expect(await authors.update({ id: 1 }, { home: null })).toBe(1);
    expect((await authors.findById(1))?.home).toBeNull();
  });

  it('filters over relations, in the same store and in another', async () => {
    const authors = house.repository(Author);
    expect(await authors.update({ profile: { country: 'NO' } }, { age: 1 })).toBe(1);
    expect(await authors.update({ posts: { title: 'a' } }, { age: 2 })).toBe(1);
    expect(await house.repository(Post).update({ author: { name: 'Bob' } }, { author: 1 })).toBe(1);
    expect(await house.repository(Post).count({ author: 1 })).toBe(2);
    expect(await authors.delete({ profile: { country: 'NO' } })).toBe(1);
    expect(await authors.count()).toBe(2);
  });

  it('increments numbers of every kind, absent ones from 0', async () => {
    const authors = house.repository(Author);
    expect(await authors.increment({}, { age: 2, followers: 5n, fee: '0.75' })).toBe(3);
    expect(await authors.find({ select: ['age', 'followers', 'fee', 'version'], orderBy: { id: 'asc' } })).toEqual([
      { age: 38, followers: 5n, fee: '11.25', version: 2 },
      { age: 2, followers: 5n, fee: '0.75', version: 2 },
      { age: 22, followers: 5n, fee: '0.75', version: 2 },
    ]);
  });

  it('asks nothing where nothing can match', async () => {
    const calls = await house.calls(() => house.repository(Author).delete({ id: { in: [] } }));
    expect(calls).toEqual([]);
  });
});

describe('mistaken writes', () => {
  const authors = () => house.repository(Author);
  it.each([
    [
      'no filter to update',
      () => authors().update(undefined as never, { age: 1 }),
      'update() of Author was given no filter',
    ],
    ['no filter to delete', () => authors().delete(undefined as never), 'Write {} to mean every Author'],
    ['null in it', () => authors().delete({ name: null } as never), 'is null'],
    ['nothing to set', () => authors().update({}, {}), 'the update sets nothing'],
    ['an id', () => authors().update({}, { id: 3 }), 'Author.id: it is an id of Author, which never changes'],
    ['a version', () => authors().update({}, { version: 3 }), 'it is the version, which grows by itself'],
    ['null', () => authors().update({}, { name: null } as never), 'Author.name: it is not nullable'],
    ['undefined', () => authors().update({}, { age: undefined } as never), 'Author.age: it is undefined'],
    ['a typo', () => authors().update({}, { aeg: 1 } as never), 'Did you mean "age"?'],
    ['a collection', () => authors().update({}, { posts: [] } as never), 'its key is kept elsewhere'],
    [
      'a text to increment',
      () => authors().increment({}, { name: 'x' }),
      'Author.name: it is of type string, and only numbers',
    ],
    [
      'create outside of a unit of work',
      async () => authors().create({ name: 'x' }),
      'create() of Author needs a running unit of work',
    ],
  ])('are refused: %s', async (_, write, message) => {
    await expect(write()).rejects.toThrow(message);
    expect(await authors().count()).toBe(3);
  });

  it('are InvalidQueryErrors with their property', async () => {
    await expect(authors().update({}, { id: 3 })).rejects.toBeInstanceOf(InvalidQueryError);
    await expect(authors().update({}, { id: 3 })).rejects.toMatchObject({ entity: 'Author', property: 'id' });
  });
});

describe('decimals', () => {
  it('are added exactly', () => {
    expect(addDecimals('0.1', '0.2')).toBe('0.3');
    expect(addDecimals('-0.05', '0.01')).toBe('-0.04');
    expect(addDecimals('999999999999999999.99', '0.01')).toBe('1000000000000000000.00');
    expect(addDecimals('1', '-3')).toBe('-2');
    expect(addDecimals('-1.5', '+1')).toBe('-0.5');
  });
});
