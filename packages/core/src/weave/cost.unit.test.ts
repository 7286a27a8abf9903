import { describe, expect, it } from 'vitest';
import { Author, Book, Chapter, Label, openLibrary } from './library.fixture.js';

/** What a commit over most of the library sends, for so many authors. */
async function callsFor(count: number): Promise<Record<string, string[]>> {
  const { weave, events } = await openLibrary();
  const during = async (run: () => Promise<unknown>): Promise<string[]> => {
    events.length = 0;
    await run();
    return [...events];
  };
  const created = await during(() =>
    weave.transaction(async (uow) => {
      let previous: Author | undefined;
      for (let i = 0; i < count; i++) {
        const author = uow.create(Author, { name: `a${String(i).padStart(5, '0')}` });
        const book = uow.create(Book, { title: `b${i}`, author });
        book.chapters.add(uow.create(Chapter, { title: 'c' } as never));
        book.labels.add(uow.create(Label, { name: `l${i}` }));
        author.readings.add({ at: new Date(i), pages: i });
        if (previous !== undefined) {
          author.friends.add(previous);
          author.mentor.set(previous);
        }
        previous = author;
      }
    }),
  );
  const changed = await during(() =>
    weave.transaction(async (uow) => {
      const authors = await uow.repository(Author).find({ populate: ['books'] });
      for (const [at, author] of authors.entries()) {
        if (at % 2 === 0) author.name += '!';
        else author.rank = at;
        for (const book of author.books) book.chapters.set([]);
      }
    }),
  );
  const removed = await during(() => weave.transaction(async (uow) => uow.remove(await uow.repository(Book).find())));
  await weave.close();
  return { created, changed, removed };
}

describe('the number of calls of a commit', () => {
  it('does not depend on the number of entities', async () => {
    const [ten, thousand] = [await callsFor(10), await callsFor(1_000)];
    expect(thousand).toEqual(ten);
    expect(ten.created?.toSorted()).toEqual([
      'begin',
      'commit',
      'insert Author',
      'insert Author.friends',
      'insert Book',
      'insert Book.labels',
      'insert Chapter',
      'insert Label',
      'insert Reading',
    ]);
    expect(ten.changed).toEqual([
      'begin',
      'read Author',
      'read Book',
      'read Chapter',
      'update Author',
      'delete Chapter',
      'commit',
    ]);
    expect(ten.removed).toEqual([
      'begin',
      'read Book',
      'read Chapter',
      'read Book.labels',
      'delete Book.labels',
      'delete Book',
      'commit',
    ]);
  });
});
