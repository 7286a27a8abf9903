/** Random units of work against a plain model of what they mean, with nested parts and rollbacks at any point. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Author, Book, Label, openLibrary } from './library.fixture.js';
import type { Storeweave } from './storeweave.js';
import type { UnitOfWork } from './unit-of-work.js';

type Step =
  | {
      readonly do: 'author' | 'book' | 'rename' | 'move' | 'give' | 'remove' | 'tag' | 'untag';
      readonly n: number;
    }
  | { readonly do: 'flush' | 'find'; readonly n?: undefined }
  | { readonly do: 'nested'; readonly fails: boolean; readonly steps: readonly Step[] };

interface Model {
  readonly authors: Map<string, string>;
  /** Title of a book to its author's name and its labels. */
  readonly books: Map<string, { author: string; labels: Set<string> }>;
}

const { steps } = fc.letrec<{ steps: Step[]; step: Step }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 3 },
    fc.record({
      do: fc.constantFrom('author', 'book', 'rename', 'move', 'give', 'remove', 'tag', 'untag'),
      n: fc.nat(1_000),
    }),
    fc.record({ do: fc.constantFrom('flush', 'find') }),
    fc.record({ do: fc.constant('nested'), fails: fc.boolean(), steps: tie('steps') }),
  ) as fc.Arbitrary<Step>,
  steps: fc.array(tie('step'), { maxLength: 8 }),
}));

const units = fc.array(fc.record({ fails: fc.boolean(), steps }), { minLength: 1, maxLength: 4 });

class Stop extends Error {}
let serial = 0;

function copy(model: Model): Model {
  return {
    authors: new Map(model.authors),
    books: new Map([...model.books].map(([title, book]) => [title, { ...book, labels: new Set(book.labels) }])),
  };
}

function pick<T>(items: readonly T[], n: number): T | undefined {
  return items[n % Math.max(1, items.length)];
}

/** Does the steps in the unit of work and in the model; gives the model as it is then. */
async function run(uow: UnitOfWork, flush: 'auto' | 'commit', model: Model, list: readonly Step[]): Promise<Model> {
  let now = model;
  const author = (name: string) => uow.repository(Author).findOneOrFail({ where: { name }, populate: ['books'] });
  const book = (title: string) => uow.repository(Book).findOneOrFail({ where: { title }, populate: ['labels'] });
  for (const step of list) {
    // With 'commit' a find does not see what is pending, and the steps look up what the model says is there.
    if (step.do === 'flush' || flush === 'commit') await uow.flush();
    if (step.do === 'flush') continue;
    if (step.do === 'find') await uow.repository(Book).find({ populate: ['author', 'labels'] });
    else if (step.do === 'nested') {
      const before = copy(now);
      try {
        now = await uow.transaction(async (inner) => {
          const after = await run(inner, flush, copy(now), step.steps);
          if (step.fails) throw new Stop();
          return after;
        });
      } catch (error) {
        if (!(error instanceof Stop)) throw error;
        now = before;
      }
    } else if (step.n !== undefined) {
      const name = pick([...now.authors.keys()], step.n);
      const title = pick([...now.books.keys()], step.n >> 2);
      const stored = title === undefined ? undefined : now.books.get(title);
      const label = `l${step.n % 3}`;
      serial++;
      if (step.do === 'author') {
        uow.create(Author, { name: `a${serial}` });
        now.authors.set(`a${serial}`, `a${serial}`);
      } else if (step.do === 'book' && name !== undefined) {
        const one = await author(name);
        if (step.n % 2 === 0) uow.create(Book, { title: `b${serial}`, author: one });
        else one.books.add(Object.assign(new Book(), { title: `b${serial}` }));
        now.books.set(`b${serial}`, { author: name, labels: new Set() });
      } else if (step.do === 'rename' && title !== undefined && stored !== undefined) {
        (await book(title)).title = `r${serial}`;
        now.books.delete(title);
        now.books.set(`r${serial}`, stored);
      } else if (step.do === 'move' && title !== undefined && stored !== undefined && name !== undefined) {
        (await book(title)).author.set(await author(name));
        stored.author = name;
      } else if (step.do === 'give' && title !== undefined && stored !== undefined && name !== undefined) {
        (await author(name)).books.add(await book(title));
        stored.author = name;
      } else if (step.do === 'remove' && title !== undefined) {
        uow.remove(await book(title));
        now.books.delete(title);
      } else if (step.do === 'tag' && title !== undefined && stored !== undefined) {
        const one = (await uow.repository(Label).findById(label)) ?? uow.create(Label, { name: label });
        (await book(title)).labels.add(one);
        stored.labels.add(label);
      } else if (step.do === 'untag' && title !== undefined && stored !== undefined) {
        const one = await book(title);
        one.labels.remove(...one.labels.get().filter((item) => item.name === label));
        stored.labels.delete(label);
      }
    }
  }
  return now;
}

async function stored(weave: Storeweave): Promise<unknown> {
  const authors = await weave.repository(Author).find();
  const books = await weave.repository(Book).find({ populate: ['author', 'labels'] });
  return {
    authors: authors.map(({ name }) => name).toSorted(),
    books: books
      .map((book) => [book.title, book.author.value.name, book.labels.items.map(({ name }) => name).toSorted()])
      .toSorted(),
  };
}

function meant(model: Model): unknown {
  return {
    authors: [...model.authors.keys()].toSorted(),
    books: [...model.books].map(([title, book]) => [title, book.author, [...book.labels].toSorted()]).toSorted(),
  };
}

describe('random units of work', () => {
  it.each(['auto', 'commit'] as const)('leave what they mean, with flush %s', async (flush) => {
    await fc.assert(
      fc.asyncProperty(units, async (list) => {
        const { weave } = await openLibrary();
        let model: Model = { authors: new Map(), books: new Map() };
        for (const unit of list) {
          const before = copy(model);
          try {
            model = await weave.transaction({ flush }, async (uow) => {
              const after = await run(uow, flush, copy(model), unit.steps);
              if (unit.fails) throw new Stop();
              return after;
            });
          } catch (error) {
            if (!(error instanceof Stop)) throw error;
            model = before;
          }
          expect(await stored(weave)).toEqual(meant(model));
        }
        await weave.close();
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });
});
