import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidStateError, InvalidValueError, NotNullViolationError, OptimisticLockError } from '../errors/errors.js';
import { Collection } from '../relations/collection.js';
import { Ref } from '../relations/ref.js';
import { TimeSeries } from '../relations/time-series.js';
import { Address, Author, Book, Chapter, Label, type Library, openLibrary } from './library.fixture.js';

let house: Library;
beforeEach(async () => {
  house = await openLibrary();
});
afterEach(async () => {
  await house.weave.close();
});

async function seed(): Promise<string> {
  const [author] = await house.weave.repository(Author).insert([{ name: 'ada' }]);
  if (author === undefined) throw new Error('nothing was inserted');
  house.batches.length = 0;
  house.events.length = 0;
  return author.id;
}

describe('create', () => {
  it('gives an instance of the class with defaults, an id and containers', async () => {
    await house.weave.transaction(async (uow) => {
      const author = uow.create(Author, { name: 'ada', home: { city: 'London' } as Address });
      expect(author).toBeInstanceOf(Author);
      expect(Object.getPrototypeOf(author)).toBe(Author.prototype);
      expect(author.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      expect(author.rank).toBe(7);
      expect(author.languages).toEqual(['en']);
      expect(author.settings).toEqual({ theme: 'light' });
      expect(author.born).toBeNull();
      expect(author.home).toBeInstanceOf(Address);
      expect(author.home?.label).toBe('London');
      expect(author.books).toBeInstanceOf(Collection);
      expect(author.books.get()).toEqual([]);
      expect(author.desk).toBeInstanceOf(Ref);
      expect(author.desk.get()).toBeNull();
      expect(author.readings).toBeInstanceOf(TimeSeries);
      expect(author.version).toBeUndefined();
    });
  });

  it('does not share defaults between entities', async () => {
    await house.weave.transaction(async (uow) => {
      const [a, b] = [uow.create(Author, { name: 'a' }), uow.create(Author, { name: 'b' })];
      a.settings.theme = 'dark';
      a.languages.push('fr');
      expect(b.settings.theme).toBe('light');
      expect(b.languages).toEqual(['en']);
    });
    const [, b] = await house.weave.repository(Author).find({ orderBy: { name: 'asc' } });
    expect(b?.settings.theme).toBe('light');
  });

  it('makes ids that sort by creation', async () => {
    await house.weave.transaction(async (uow) => {
      const ids = Array.from({ length: 2_000 }, () => uow.create(Author, { name: 'x' }).id);
      expect(ids.toSorted()).toEqual(ids);
      expect(new Set(ids).size).toBe(2_000);
    });
  });

  it('takes an entity or its id for a reference, and arrays for collections', async () => {
    const id = await seed();
    await house.weave.transaction(async (uow) => {
      const author = uow.create(Author, { name: 'bob', books: [uow.create(Book, { title: 'one' } as never)] });
      expect(author.books.get()).toHaveLength(1);
      uow.create(Book, { title: 'two', author: id });
    });
    const books = await house.weave.repository(Book).find({ orderBy: { title: 'asc' }, populate: ['author'] });
    expect(books.map((book) => [book.title, book.author.value.name])).toEqual([
      ['one', 'bob'],
      ['two', 'ada'],
    ]);
  });

  it('refuses what a relation cannot take', async () => {
    await house.weave.transaction(async (uow) => {
      expect(() => uow.create(Book, { title: 'x', author: { name: 'no' } as never })).toThrow(InvalidValueError);
      expect(() => uow.create(Author, { name: 'x', books: 7 as never })).toThrow(InvalidValueError);
      expect(() => uow.create(Author, { name: 'x', desk: 'an id' as never })).toThrow(/its key is kept in the Desk/);
    });
  });
});

describe('add', () => {
  it('completes an entity that the application constructed', async () => {
    const author = new Author();
    author.name = 'grace';
    await house.weave.transaction(async (uow) => {
      uow.add(author);
      expect(author.rank).toBe(7);
      expect(author.books).toBeInstanceOf(Collection);
      expect(uow.contains(author)).toBe(true);
    });
    expect(author.version).toBe(1);
    expect(await house.weave.repository(Author).count()).toBe(1);
  });

  it('takes over entities of an earlier unit of work with what changed since', async () => {
    await seed();
    const author = await house.weave.repository(Author).findOneOrFail();
    author.name = 'changed';
    await house.weave.transaction(async (uow) => uow.add(author));
    expect(author.version).toBe(2);
    expect((await house.weave.repository(Author).findOneOrFail()).name).toBe('changed');
  });

  it('refuses an entity that another open unit of work has, and a twin', async () => {
    await seed();
    await using session = house.weave.session();
    const mine = await session.repository(Author).findOneOrFail();
    const other = await house.weave.repository(Author).findOneOrFail();
    await house.weave.transaction(async (uow) => {
      expect(() => uow.add(mine)).toThrow(/another unit of work/);
      await uow.repository(Author).find();
      expect(() => uow.add(other)).toThrow(/Another instance of Author/);
    });
  });

  it('keeps an entity that was to be removed', async () => {
    await seed();
    await house.weave.transaction(async (uow) => {
      const author = await uow.repository(Author).findOneOrFail();
      uow.remove(author);
      expect(uow.contains(author)).toBe(false);
      uow.add(author);
    });
    expect(await house.weave.repository(Author).count()).toBe(1);
  });
});

describe('identity', () => {
  it('is one instance for each row, as it is', async () => {
    const id = await seed();
    await house.weave.transaction(async (uow) => {
      const author = await uow.repository(Author).findOneOrFail();
      author.rank = 1;
      expect(await uow.repository(Author).findById(id)).toBe(author);
      const [again] = await uow.repository(Author).find();
      expect(again).toBe(author);
      expect(again?.rank).toBe(1);
    });
  });

  it('moves to an id that the store makes', async () => {
    await house.weave.transaction(async (uow) => {
      const book = uow.create(Book, { title: 'x', author: uow.create(Author, { name: 'a' }) });
      expect(book.id).toBeUndefined();
      await uow.flush();
      expect(book.id).toBeTypeOf('number');
      expect(await uow.repository(Book).findById(book.id)).toBe(book);
    });
  });

  it('does not change', async () => {
    await seed();
    const change = house.weave.transaction(async (uow) => {
      (await uow.repository(Author).findOneOrFail()).id = '018f3c5e-0000-7000-8000-000000000000';
    });
    await expect(change).rejects.toThrow(/the id of a stored entity stays/);
  });
});

describe('changes', () => {
  it('are found by themselves, in place and inside embedded objects', async () => {
    await house.weave.transaction(async (uow) => {
      uow.create(Author, {
        name: 'ada',
        born: new Date(0),
        photo: Uint8Array.of(1, 2, 3),
        settings: { theme: 'x', deep: { list: [1] } },
        home: { city: 'London', zip: null } as Address,
      });
    });
    const mutations: [string, (author: Author) => void][] = [
      ['born', (author) => author.born?.setUTCFullYear(1815)],
      ['photo', (author) => author.photo?.set([9], 1)],
      ['settings', (author) => author.settings.deep?.list.push(2)],
      ['languages', (author) => author.languages.push('fr')],
      ['home.zip', (author) => author.home && Object.assign(author.home, { zip: 'W1' })],
    ];
    for (const [field, mutate] of mutations) {
      await house.weave.transaction({ flush: 'commit' }, async (uow) => {
        const author = await uow.repository(Author).findOneOrFail();
        expect(uow.plan().isEmpty).toBe(true);
        mutate(author);
        expect(uow.plan().operations.map((operation) => operation.fields)).toEqual([[field, 'version', 'updatedAt']]);
      });
    }
    const after = await house.weave.repository(Author).findOneOrFail();
    expect(after.born?.getUTCFullYear()).toBe(1815);
    expect(after.photo).toEqual(Uint8Array.of(1, 9, 3));
    expect(after.settings).toEqual({ theme: 'x', deep: { list: [1, 2] } });
    expect(after.languages).toEqual(['en', 'fr']);
    expect(after.home?.zip).toBe('W1');
    expect(after.version).toBe(6);
  });

  it('of different fields share one batch, where untouched fields are undefined', async () => {
    await house.weave.repository(Author).insert([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
    house.batches.length = 0;
    await house.weave.transaction(async (uow) => {
      const [a, b] = await uow.repository(Author).find({ orderBy: { name: 'asc' } });
      if (a !== undefined) a.rank = 1;
      if (b !== undefined) b.name = 'beta';
    });
    expect(house.batches).toHaveLength(1);
    const [batch] = house.batches;
    if (batch?.op !== 'update') throw new Error('no update');
    expect(batch.fields.map((field) => field.name)).toEqual(['name', 'rank', 'version', 'updatedAt']);
    expect(batch.rows.map((row) => row.slice(0, 3))).toEqual([
      [undefined, 1, 2],
      ['beta', undefined, 2],
    ]);
    expect(batch.versions).toEqual([1, 1]);
  });

  it('of a relation property itself are refused, and not taken for nothing', async () => {
    await seed();
    for (const name of ['mentor', 'books', 'readings'] as const) {
      const change = house.weave.transaction(async (uow) => {
        Object.assign(await uow.repository(Author).findOneOrFail(), { [name]: name === 'mentor' ? null : [] });
      });
      await expect(change).rejects.toThrow(new RegExp(`Author.${name} holds no .* any more`));
    }
  });

  it('that are taken back are none', async () => {
    await seed();
    await house.weave.transaction(async (uow) => {
      const author = await uow.repository(Author).findOneOrFail();
      author.name = 'x';
      author.name = 'ada';
    });
    expect(house.batches).toEqual([]);
  });

  it('to nothing of a required property are refused', async () => {
    await seed();
    const change = house.weave.transaction(async (uow) => {
      (await uow.repository(Author).findOneOrFail()).name = null as never;
    });
    await expect(change).rejects.toThrow(NotNullViolationError);
    const creation = house.weave.transaction(async (uow) => uow.create(Author, {} as never));
    await expect(creation).rejects.toThrow(/Author.name has no value/);
    expect(house.batches).toEqual([]);
  });
});

describe('managed values', () => {
  it('are the version and the times', async () => {
    const author = await house.weave.transaction(async (uow) => uow.create(Author, { name: 'ada' }));
    expect(author.version).toBe(1);
    expect(author.createdAt).toEqual(author.updatedAt);
    const before = author.updatedAt.getTime();
    await new Promise((resolve) => setTimeout(resolve, 3));
    await house.weave.transaction(async (uow) => {
      uow.add(author);
      author.rank = 2;
    });
    expect(author.version).toBe(2);
    expect(author.createdAt.getTime()).toBe(before);
    expect(author.updatedAt.getTime()).toBeGreaterThan(before);
  });

  it('a stale version ends the commit, and names entity, key and version', async () => {
    const id = await seed();
    const author = await house.weave.repository(Author).findOneOrFail();
    await house.weave.repository(Author).update({ id }, { rank: 99 });
    author.name = 'late';
    const error = await house.weave
      .transaction(async (uow) => {
        uow.create(Author, { name: 'other' });
        uow.add(author);
      })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OptimisticLockError);
    expect(error).toMatchObject({ entity: 'Author', key: id });
    expect(String(error)).toContain('expected version 1');
    expect(await house.weave.repository(Author).count()).toBe(1);
    expect(author).toMatchObject({ version: 1, name: 'late' });
  });

  it('a version that the application sets is the expected one', async () => {
    await seed();
    const change = house.weave.transaction(async (uow) => {
      const author = await uow.repository(Author).findOneOrFail();
      author.version = 4;
      author.name = 'from a form that is out of date';
    });
    await expect(change).rejects.toThrow(/expected version 4/);
  });

  it('a soft deletion is an update, and the entity is gone from finds', async () => {
    const label = await house.weave.transaction(async (uow) => uow.create(Label, { name: 'new' }));
    await house.weave.transaction(async (uow) => {
      uow.remove(label);
      await uow.flush();
      expect(uow.contains(label)).toBe(false);
      expect(await uow.repository(Label).find()).toEqual([]);
    });
    expect(label.deletedAt).toBeInstanceOf(Date);
    expect(label.version).toBe(2);
    expect(await house.weave.repository(Label).count({}, { withDeleted: true })).toBe(1);
  });
});

describe('remove', () => {
  it('of an entity that was never written writes nothing', async () => {
    await house.weave.transaction(async (uow) => {
      uow.remove(uow.create(Author, { name: 'x' }));
    });
    expect(house.batches).toEqual([]);
  });

  it('of an unknown entity is refused', async () => {
    await house.weave.transaction(async (uow) => {
      expect(() => uow.remove(Object.assign(new Author(), { id: 'x' }))).toThrow(InvalidStateError);
    });
  });

  it('takes along what is declared, of every owner in one read', async () => {
    await house.weave.transaction(async (uow) => {
      const author = uow.create(Author, { name: 'ada' });
      for (const title of ['one', 'two', 'three']) {
        const book = uow.create(Book, { title, author });
        book.chapters.add(uow.create(Chapter, { title: `of ${title}` } as never));
        book.labels.add(uow.create(Label, { name: title }));
      }
    });
    house.events.length = 0;
    await house.weave.transaction(async (uow) => {
      uow.remove(await uow.repository(Book).find());
    });
    expect(house.events).toEqual([
      'begin',
      'read Book',
      'read Chapter',
      'read Book.labels',
      'delete Book.labels',
      'delete Chapter',
      'delete Book',
      'commit',
    ]);
    expect(await house.weave.repository(Chapter).count()).toBe(0);
    expect(await house.weave.repository(Label).count()).toBe(3);
    expect(await house.weave.repository(Author).count()).toBe(1);
  });
});

describe('detach and refresh', () => {
  it('a refresh forgets changes and relations', async () => {
    await seed();
    await house.weave.transaction(async (uow) => {
      const author = await uow.repository(Author).findOneOrFail({ populate: ['books'] });
      author.name = 'x';
      author.books.add(Object.assign(new Book(), { title: 'x' }));
      await uow.refresh(author);
      expect(author.name).toBe('ada');
      expect(author.books.isLoaded).toBe(false);
      expect(uow.plan().isEmpty).toBe(true);
    });
    expect(house.batches).toEqual([]);
  });

  it('a refresh of what is gone says so', async () => {
    const id = await seed();
    await house.weave.transaction(async (uow) => {
      const author = await uow.repository(Author).findOneOrFail();
      await uow.repository(Author).delete({ id });
      await expect(uow.refresh(author)).rejects.toThrow(/not in the store/);
      await expect(uow.refresh(new Author())).rejects.toThrow(InvalidStateError);
    });
  });
});
