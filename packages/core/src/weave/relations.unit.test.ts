import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidStateError } from '../errors/errors.js';
import { Author, Book, Chapter, Desk, Label, type Library, openLibrary, Praise, Reading } from './library.fixture.js';

let house: Library;
beforeEach(async () => {
  house = await openLibrary();
});
afterEach(async () => {
  await house.weave.close();
});

/** An author with books by title, written. */
async function author(name: string, ...titles: string[]): Promise<string> {
  const made = await house.weave.transaction(async (uow) => {
    const one = uow.create(Author, { name });
    for (const title of titles) uow.create(Book, { title, author: one });
    return one;
  });
  house.events.length = 0;
  house.batches.length = 0;
  return made.id;
}

async function titles(of: string): Promise<string[]> {
  const one = await house.weave.repository(Author).findById(of, { populate: ['books'] });
  return (one?.books.items ?? []).map((book) => book.title).toSorted();
}

const writes = () => house.events.filter((event) => /^(insert|update|delete) /.test(event));

describe('what is reached', () => {
  it('is added with its owner, over any number of steps', async () => {
    await house.weave.transaction(async (uow) => {
      const one = Object.assign(new Author(), { name: 'ada' });
      uow.add(one);
      const book = Object.assign(new Book(), { title: 'notes' });
      one.books.add(book);
      await uow.flush();
      const label = Object.assign(new Label(), { name: 'math' });
      book.labels.add(label);
    });
    const [book] = await house.weave.repository(Book).find({ populate: ['labels', 'author'] });
    expect(book?.labels.items.map((label) => label.name)).toEqual(['math']);
    expect(book?.author.value.name).toBe('ada');
  });
});

describe('one to many', () => {
  it('sets the reference of the other side, with the key that the store makes', async () => {
    await house.weave.transaction(async (uow) => {
      const one = uow.create(Author, { name: 'ada' });
      const book = Object.assign(new Book(), { title: 'x' });
      const chapter = Object.assign(new Chapter(), { title: 'first' });
      one.books.add(book);
      uow.add(book);
      book.chapters.add(chapter);
      await uow.flush();
      expect(book.author.get()).toBe(one);
      expect(chapter.bookId).toBe(book.id);
      expect(chapter.bookId).toBeTypeOf('number');
    });
    expect(writes()).toEqual(['insert Author', 'insert Book', 'insert Chapter']);
  });

  it('moves an entity from one owner to another in one update', async () => {
    const [a, b] = [await author('a', 'x', 'y'), await author('b')];
    await house.weave.transaction(async (uow) => {
      const one = await uow.repository(Author).findById(a, { populate: ['books'] });
      const two = await uow.repository(Author).findById(b);
      const book = one?.books.items.find(({ title }) => title === 'x');
      if (one === null || two === null || book === undefined) throw new Error('not found');
      one.books.remove(book);
      two.books.add(book);
    });
    expect(await titles(a)).toEqual(['y']);
    expect(await titles(b)).toEqual(['x']);
    expect(writes()).toEqual(['update Book']);
  });

  it('refuses to take out what cannot be without an owner', async () => {
    const id = await author('a', 'x');
    const change = house.weave.transaction(async (uow) => {
      const one = await uow.repository(Author).findById(id, { populate: ['books'] });
      one?.books.remove(...one.books.items);
    });
    await expect(change).rejects.toThrow(/Book.author is required/);
    expect(writes()).toEqual([]);
  });

  it('removes orphans where that is declared, and not what has moved', async () => {
    await author('a', 'x', 'y');
    await house.weave.transaction(async (uow) => {
      const [x, y] = await uow.repository(Book).find({ orderBy: { title: 'asc' }, populate: ['chapters'] });
      for (const title of ['one', 'two', 'three']) x?.chapters.add(uow.create(Chapter, { title } as never));
      await uow.flush();
      const [one, two] = x?.chapters.get() ?? [];
      if (one === undefined || two === undefined) throw new Error('not there');
      x?.chapters.remove(one, two);
      y?.chapters.add(two);
    });
    const chapters = await house.weave.repository(Chapter).find({ orderBy: { title: 'asc' } });
    expect(chapters.map(({ title }) => title)).toEqual(['three', 'two']);
  });

  it('set() unseen takes out what is stored, with one read for all owners', async () => {
    await author('a', 'x', 'y');
    await house.weave.transaction(async (uow) => {
      for (const book of await uow.repository(Book).find()) {
        book.chapters.add(uow.create(Chapter, { title: `${book.title}1` } as never));
        book.chapters.add(uow.create(Chapter, { title: `${book.title}2` } as never));
      }
    });
    house.events.length = 0;
    await house.weave.transaction({ flush: 'commit' }, async (uow) => {
      for (const book of await uow.repository(Book).find()) {
        book.chapters.set([uow.create(Chapter, { title: `${book.title}3` } as never)]);
      }
      expect(uow.plan().notes.join()).toMatch(/Book.chapters of 2 is read first/);
    });
    expect(house.events).toEqual(['begin', 'read Book', 'read Chapter', 'insert Chapter', 'delete Chapter', 'commit']);
    const left = await house.weave.repository(Chapter).find({ orderBy: { title: 'asc' } });
    expect(left.map(({ title }) => title)).toEqual(['x3', 'y3']);
  });
});

describe('where both sides say something', () => {
  it('the later change holds', async () => {
    const [a, b] = [await author('a', 'x'), await author('b')];
    await house.weave.transaction(async (uow) => {
      const [one, two] = await uow.repository(Author).findByIds([a, b]);
      const book = await uow.repository(Book).findOneOrFail();
      if (one === undefined || two === undefined) throw new Error('not there');
      one.books.add(book);
      book.author.set(two);
    });
    expect([await titles(a), await titles(b)]).toEqual([[], ['x']]);
    await house.weave.transaction(async (uow) => {
      const [one, two] = await uow.repository(Author).findByIds([a, b]);
      const book = await uow.repository(Book).findOneOrFail();
      if (one === undefined || two === undefined) throw new Error('not there');
      book.author.set(two);
      one.books.add(book);
    });
    expect([await titles(a), await titles(b)]).toEqual([['x'], []]);
  });
});

describe('one to one', () => {
  it('replaces what was on the far side, seen or not', async () => {
    const id = await author('a');
    await house.weave.transaction(async (uow) => {
      const one = await uow.repository(Author).findById(id);
      one?.desk.set(uow.create(Desk, { room: 'first' }));
    });
    await house.weave.transaction(async (uow) => {
      const one = await uow.repository(Author).findById(id);
      one?.desk.set(uow.create(Desk, { room: 'second' }));
    });
    const desks = await house.weave.repository(Desk).find({ orderBy: { room: 'asc' } });
    expect(desks.map((desk) => [desk.room, desk.authorId])).toEqual([
      ['first', null],
      ['second', id],
    ]);
    await house.weave.transaction(async (uow) => {
      const one = await uow.repository(Author).findById(id, { populate: ['desk'] });
      expect(one?.desk.value.room).toBe('second');
      one?.desk.set(null);
    });
    expect(await house.weave.repository(Desk).count({ authorId: { exists: true } })).toBe(0);
  });
});

describe('many to many', () => {
  it('writes and deletes links, from both sides, each once', async () => {
    await author('a', 'x', 'y');
    await house.weave.transaction(async (uow) => {
      const [x, y] = await uow.repository(Book).find({ orderBy: { title: 'asc' } });
      const label = uow.create(Label, { name: 'math' });
      if (x === undefined || y === undefined) throw new Error('not there');
      x.labels.add(label);
      label.books.add(x, y);
    });
    expect(
      house.batches.map((batch) => [batch.op, batch.entity.name, 'rows' in batch ? batch.rows.length : 0]),
    ).toEqual([
      ['insert', 'Label', 1],
      ['insert', 'Book.labels', 2],
    ]);
    await house.weave.transaction(async (uow) => {
      const label = await uow.repository(Label).findById('math', { populate: ['books'] });
      expect(label?.books.items).toHaveLength(2);
      label?.books.set(label.books.items.filter(({ title }) => title === 'y'));
    });
    const label = await house.weave.repository(Label).findById('math', { populate: ['books'] });
    expect(label?.books.items.map(({ title }) => title)).toEqual(['y']);
  });

  it('adding a link that is there already changes nothing', async () => {
    await author('a', 'x');
    for (let round = 0; round < 2; round++) {
      await house.weave.transaction(async (uow) => {
        const book = await uow.repository(Book).findOneOrFail();
        const label = (await uow.repository(Label).findById('math')) ?? uow.create(Label, { name: 'math' });
        book.labels.add(label);
      });
    }
    expect((await house.weave.repository(Book).findOneOrFail({ populate: ['labels'] })).labels.length).toBe(1);
  });
});

describe('related', () => {
  it('an undirected link goes away from either end', async () => {
    const [a, b] = [await author('a'), await author('b')];
    const both = async (run: (one: Author, two: Author) => void) =>
      house.weave.transaction(async (uow) => {
        const [one, two] = await uow.repository(Author).findByIds([a, b], { populate: ['friends'] });
        if (one !== undefined && two !== undefined) run(one, two);
      });
    await both((one, two) => one.friends.add(two));
    await both((one, two) => {
      expect([one.friends.get(), two.friends.get()]).toEqual([[two], [one]]);
      two.friends.remove(one);
    });
    await both((one, two) => expect([one.friends.get(), two.friends.get()]).toEqual([[], []]));
  });

  it('over a class of relationships makes and removes its entities', async () => {
    const [a, b] = [await author('a'), await author('b')];
    await house.weave.transaction(async (uow) => {
      const [one, two] = await uow.repository(Author).findByIds([a, b]);
      if (one !== undefined && two !== undefined) one.praised.add(two);
    });
    const [praise] = await house.weave.repository(Praise).find({ populate: ['from', 'to'] });
    expect([praise?.from.value.name, praise?.to.value.name, praise?.stars]).toEqual(['a', 'b', 1]);
    await house.weave.transaction(async (uow) => {
      const one = await uow.repository(Author).findById(a, { populate: ['praised'] });
      expect(one?.praised.items.map(({ name }) => name)).toEqual(['b']);
      one?.praised.remove(...one.praised.items);
    });
    expect(await house.weave.repository(Praise).count()).toBe(0);
  });

  it('goes with a removed end', async () => {
    const [a, b] = [await author('a'), await author('b')];
    await house.weave.transaction(async (uow) => {
      const [one, two] = await uow.repository(Author).findByIds([a, b]);
      if (one === undefined || two === undefined) throw new Error('not there');
      one.friends.add(two);
      one.praised.add(two);
    });
    house.events.length = 0;
    await house.weave.transaction(async (uow) => {
      uow.remove((await uow.repository(Author).findById(b)) ?? {});
    });
    expect(writes()).toEqual(['delete Author.friends', 'delete Praise', 'delete Author']);
  });
});

describe('a series', () => {
  it('writes points with the key of their owner, made in the same commit', async () => {
    const at = new Date('2026-01-01');
    await house.weave.transaction(async (uow) => {
      const one = uow.create(Author, { name: 'a' });
      one.readings.add({ at, pages: 3 }, { at: new Date(+at + 1), pages: 4 });
      expect(String(uow.plan())).toMatch(/insert Reading in timeseries {2}2 rows/);
      expect(String(uow.plan())).toMatch(/2 rows/);
    });
    const one = await house.weave.repository(Author).findOneOrFail({ populate: ['readings'] });
    expect(one.readings.items.map((point) => [point.authorId, point.pages])).toEqual([
      [one.id, 3],
      [one.id, 4],
    ]);
    expect(await one.readings.count()).toBe(2);
    expect((await one.readings.last())?.pages).toBe(4);
    expect(one.readings.items[0]).toBeInstanceOf(Reading);
  });

  it('gives its points back when the commit fails', async () => {
    const one = Object.assign(new Author(), { name: 'a' });
    const fail = house.weave.transaction(async (uow) => {
      uow.add(one);
      one.readings.add({ at: new Date(0), pages: 1 });
      await uow.flush();
      throw new Error('no');
    });
    await expect(fail).rejects.toThrow('no');
    expect(await house.weave.repository(Reading).count()).toBe(0);
    await house.weave.transaction(async (uow) => uow.add(one));
    expect(await house.weave.repository(Reading).count()).toBe(1);
  });
});

describe('order', () => {
  it('writes a row that refers to another of its class after it, in one batch', async () => {
    await house.weave.transaction(async (uow) => {
      const [c, b, a] = ['c', 'b', 'a'].map((name) => uow.create(Author, { name }));
      if (a === undefined || b === undefined || c === undefined) throw new Error('not made');
      c.mentor.set(b);
      b.mentor.set(a);
    });
    const [batch] = house.batches;
    if (batch?.op !== 'insert') throw new Error('no insert');
    expect(house.batches).toHaveLength(1);
    const name = batch.fields.findIndex((field) => field.name === 'name');
    expect(batch.rows.map((row) => row[name])).toEqual(['a', 'b', 'c']);
  });

  it('writes a circle of references as null first, then as it is, with one version', async () => {
    await house.weave.transaction(async (uow) => {
      const [a, b] = [uow.create(Author, { name: 'a' }), uow.create(Author, { name: 'b' })];
      a.mentor.set(b);
      b.mentor.set(a);
    });
    expect(writes()).toEqual(['insert Author', 'update Author']);
    const found = await house.weave.repository(Author).find({ orderBy: { name: 'asc' }, populate: ['mentor'] });
    expect(found.map((one) => [one.name, one.mentor.value.name, one.version])).toEqual([
      ['a', 'b', 1],
      ['b', 'a', 1],
    ]);
  });

  it('does not take a removed entity for a reference', async () => {
    const id = await author('a');
    const change = house.weave.transaction(async (uow) => {
      const one = await uow.repository(Author).findById(id);
      if (one === null) throw new Error('not there');
      uow.remove(one);
      uow.create(Book, { title: 'x', author: one });
    });
    await expect(change).rejects.toThrow(InvalidStateError);
  });
});

describe('JSON', () => {
  it('has loaded entities in full, others as keys, and no endless circle', async () => {
    const id = await author('a', 'x');
    const [one] = await house.weave.repository(Author).find({ populate: ['books.author'] });
    const json = JSON.parse(JSON.stringify(one)) as Record<string, unknown>;
    expect(json).toMatchObject({ name: 'a', books: [{ title: 'x', author: id }], mentor: null });
    expect(json).not.toHaveProperty('friends');
    const [book] = await house.weave.repository(Book).find();
    expect(JSON.parse(JSON.stringify(book))).toMatchObject({ title: 'x', author: id });
  });
});
