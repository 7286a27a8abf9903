/** Keyset pages compared with slices of a sorted list: ties, absent values, mixed directions, either way; and streams. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestHouse } from './contexts.fixture.js';
import { Author, ENTITIES, Post, Shelf } from './domain.fixture.js';
import type { Page } from './page.js';

type Key = 'age' | 'rating' | 'active' | 'name' | 'id' | 'city';
interface Part {
  readonly key: Key;
  readonly direction: 'asc' | 'desc';
  readonly nulls: 'first' | 'last';
}

const author = fc.record({
  age: fc.option(fc.integer({ min: 0, max: 2 })),
  rating: fc.option(fc.constantFrom(0.5, 1)),
  active: fc.boolean(),
  home: fc.option(fc.record({ city: fc.option(fc.constantFrom('a', 'b')), zip: fc.constant('1') })),
});

const part: fc.Arbitrary<Part> = fc.record({
  key: fc.constantFrom<Key>('age', 'rating', 'active', 'name', 'id', 'city'),
  direction: fc.constantFrom('asc', 'desc'),
  nulls: fc.constantFrom('first', 'last'),
});

const keyOf = (row: Author, key: Key) => (key === 'city' ? (row.home?.city ?? null) : row[key]);

function sorted(rows: readonly Author[], order: readonly Part[]): number[] {
  const compare = (a: Author, b: Author): number => {
    for (const { key, direction, nulls } of [...order, { key: 'id', direction: 'asc', nulls: 'last' } as const]) {
      const [left, right] = [keyOf(a, key), keyOf(b, key)];
      if (left === right) continue;
      if (left === null || right === null) return (left === null) === (nulls === 'first') ? -1 : 1;
      return (left < right ? -1 : 1) * (direction === 'asc' ? 1 : -1);
    }
    return 0;
  };
  return rows.toSorted(compare).map((row) => row.id);
}

const orderBy = (order: readonly Part[]) =>
  order.map(({ key, direction, nulls }) =>
    key === 'city' ? { home: { city: { direction, nulls } } } : { [key]: { direction, nulls } },
  );

async function houseOf(rows: readonly object[], options: ConstructorParameters<typeof TestHouse>[1] = {}) {
  const house = await new TestHouse(ENTITIES, options).open();
  await house
    .repository(Author)
    .insert(rows.map((row, at) => ({ ...row, id: at, name: `n${(at * 7) % rows.length} ${at}` })));
  return house;
}

describe('pages', () => {
  it('put together are the sorted list, forwards and backwards', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(author, { maxLength: 15 }),
        fc.uniqueArray(part, { maxLength: 3, selector: ({ key }) => key }),
        fc.integer({ min: 1, max: 5 }),
        async (rows, order, size) => {
          const authors = (await houseOf(rows)).repository(Author);
          const expected = sorted(await authors.find(), order);
          const forwards: number[] = [];
          let after: string | null = null;
          for (let more = true; more; ) {
            const page: Page<Author> = await authors.page({
              orderBy: orderBy(order),
              first: size,
              after,
              totalCount: true,
            });
            expect(page.totalCount).toBe(rows.length);
            expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
            forwards.push(...page.items.map((item) => item.id));
            more = page.pageInfo.hasNextPage;
            after = page.pageInfo.endCursor;
          }
          expect(forwards).toEqual(expected);
          const backwards: number[] = [];
          let before: string | null = null;
          for (let more = true; more; ) {
            const page: Page<Author> = await authors.page({ orderBy: orderBy(order), last: size, before });
            backwards.unshift(...page.items.map((item) => item.id));
            more = page.pageInfo.hasPreviousPage;
            before = page.pageInfo.startCursor;
          }
          expect(backwards).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('skip and repeat nothing when rows come and go in between', async () => {
    const house = await houseOf(Array.from({ length: 6 }, () => ({})));
    const authors = house.repository(Author);
    const first = await authors.page({ first: 3 });
    await authors.delete({ id: 0 });
    const second = await authors.page({ first: 3, after: first.pageInfo.endCursor });
    expect(second.items.map((item) => item.id)).toEqual([3, 4, 5]);
    expect(second.pageInfo.hasNextPage).toBe(false);
  });

  it('work with selections and composite ids', async () => {
    const house = await new TestHouse(ENTITIES).open();
    const shelves = house.repository(Shelf);
    await shelves.insert(
      ['A', 'B'].flatMap((room) => [1, 2, 3].map((number) => ({ room, number, label: room, position: number }))),
    );
    const first = await shelves.page({ first: 4, select: ['position'] });
    expect(first.items).toEqual([{ position: 1 }, { position: 2 }, { position: 3 }, { position: 1 }]);
    const second = await shelves.page({ first: 4, after: first.pageInfo.endCursor, select: ['position'] });
    expect(second.items).toEqual([{ position: 2 }, { position: 3 }]);
  });

  it('refuse cursors that are not of this list', async () => {
    const house = await houseOf([{}, {}, {}]);
    const authors = house.repository(Author);
    const { endCursor } = (await authors.page({ first: 1, orderBy: { age: 'asc' } })).pageInfo;
    await expect(authors.page({ first: 1, after: endCursor })).rejects.toThrow('belongs to another entity or order');
    await expect(authors.page({ first: 1, orderBy: { age: 'desc' }, after: endCursor })).rejects.toThrow(
      'belongs to another entity or order',
    );
    await expect(house.repository(Post).page({ first: 1, after: endCursor })).rejects.toThrow(
      'belongs to another entity or order',
    );
    await expect(authors.page({ first: 1, after: 'nonsense' })).rejects.toThrow('"after" is not a cursor');
    const [version, print] = JSON.parse(Buffer.from(endCursor ?? '', 'base64url').toString());
    const altered = Buffer.from(JSON.stringify([version, print, 'x', 'y'])).toString('base64url');
    await expect(authors.page({ first: 1, orderBy: { age: 'asc' }, after: altered })).rejects.toThrow('was altered');
  });

  it('refuse contradicting options', async () => {
    const authors = (await houseOf([{}])).repository(Author);
    await expect(authors.page({})).rejects.toThrow('either first (with after) or last (with before)');
    await expect(authors.page({ first: 1, last: 1 })).rejects.toThrow('either first');
    await expect(authors.page({ first: 0 })).rejects.toThrow('first is a whole number from 1 on');
    await expect(authors.page({ first: 1, before: 'x' })).rejects.toThrow('"before" goes with last');
    await expect(authors.page({ first: 10_001 })).rejects.toThrow('at most 10000 items');
    await expect(authors.page({ first: 1, limit: 3 } as never)).rejects.toThrow('neither limit, offset nor lock');
  });
});

describe('streams', () => {
  it.each([
    ['by the store', {}],
    ['page by page', { without: ['stream'] }],
  ] as const)('give every entity once, %s', async (_, options) => {
    const house = await houseOf(
      Array.from({ length: 25 }, (_, at) => ({ age: at % 3 })),
      { ...options, without: [...('without' in options ? options.without : [])] },
    );
    const ids: number[] = [];
    for await (const item of house
      .repository(Author)
      .stream({ batchSize: 4, orderBy: { age: 'desc' }, populate: ['posts'] })) {
      expect(item.posts.length).toBe(0);
      ids.push(item.id);
    }
    expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, at) => at));
    const limited: number[] = [];
    for await (const row of house.repository(Author).stream({ batchSize: 4, limit: 6, offset: 1, select: ['id'] }))
      limited.push(row.id);
    expect(limited).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('ask for no more than what is taken', async () => {
    const house = await houseOf(
      Array.from({ length: 50 }, () => ({})),
      { without: ['stream'] },
    );
    const calls = await house.calls(async () => {
      for await (const item of house.repository(Author).stream({ batchSize: 5 })) if (item.id === 7) break;
    });
    expect(calls).toEqual(['read Author', 'read Author']);
  });

  it('populate each chunk with one query', async () => {
    const house = await houseOf(Array.from({ length: 20 }, () => ({})));
    const calls = await house.calls(async () => {
      for await (const item of house.repository(Author).stream({ batchSize: 10, populate: ['posts'] })) void item;
    });
    expect(calls.filter((call) => call === 'read Post')).toHaveLength(2);
  });
});
