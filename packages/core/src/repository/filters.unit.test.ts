/**
 * Random filters over random rows, compared with a predicate written in plain JavaScript: what a filter means does not
 * depend on how it was put together.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestHouse } from './contexts.fixture.js';
import { Author, ENTITIES } from './domain.fixture.js';

interface Person {
  readonly id: number;
  readonly name: string;
  readonly age: number | null;
  readonly rating: number | null;
  readonly active: boolean;
  readonly born: Date | null;
  readonly languages: string[];
  readonly home: { readonly city: string | null; readonly zip: string | null } | null;
}

/** A filter, and what it means. */
interface Case {
  readonly where: object;
  readonly matches: (person: Person) => boolean;
}

const age = fc.integer({ min: 0, max: 5 });
const city = fc.constantFrom('Oslo', 'Oulu', 'Rome');
const day = fc.integer({ min: 0, max: 4 }).map((n) => new Date(Date.UTC(2000, 0, 1 + n)));

const person = fc.record({
  name: fc.constantFrom('Ann', 'ann', 'Bo', 'B%o', 'C_d', ''),
  age: fc.option(age),
  rating: fc.option(fc.constantFrom(0.5, 1, 1.5)),
  active: fc.boolean(),
  born: fc.option(day),
  languages: fc.uniqueArray(fc.constantFrom('en', 'fr', 'no'), { maxLength: 3 }),
  home: fc.option(fc.record({ city: fc.option(city), zip: fc.constantFrom('1', '2') })),
});

const compare = (op: string, a: number, b: number) =>
  ({ eq: a === b, gt: a > b, gte: a >= b, lt: a < b, lte: a <= b })[op] === true;

const leaf: fc.Arbitrary<Case> = fc.oneof(
  fc
    .tuple(fc.constantFrom('eq', 'gt', 'gte', 'lt', 'lte'), age)
    .map(([op, n]): Case => ({ where: { age: { [op]: n } }, matches: (p) => p.age !== null && compare(op, p.age, n) })),
  age.map((n): Case => ({ where: { age: { ne: n } }, matches: (p) => p.age !== n })),
  fc
    .array(age, { maxLength: 3 })
    .map((list): Case => ({ where: { age: { in: list } }, matches: (p) => p.age !== null && list.includes(p.age) })),
  fc
    .array(age, { maxLength: 3 })
    .map(
      (list): Case => ({ where: { age: { notIn: list } }, matches: (p) => p.age === null || !list.includes(p.age) }),
    ),
  fc.tuple(age, age).map(
    ([a, b]): Case => ({
      where: { age: { between: [a, b] } },
      matches: (p) => p.age !== null && p.age >= a && p.age <= b,
    }),
  ),
  fc
    .boolean()
    .map((wanted): Case => ({ where: { rating: { exists: wanted } }, matches: (p) => (p.rating !== null) === wanted })),
  fc.boolean().map((wanted): Case => ({ where: { active: wanted }, matches: (p) => p.active === wanted })),
  day.map((d): Case => ({ where: { born: { gte: d } }, matches: (p) => p.born !== null && p.born >= d })),
  fc
    .constantFrom('en', 'fr')
    .map((l): Case => ({ where: { languages: { contains: l } }, matches: (p) => p.languages.includes(l) })),
  city.map((c): Case => ({ where: { home: { city: c } }, matches: (p) => p.home?.city === c })),
  fc
    .boolean()
    .map((wanted): Case => ({ where: { home: { exists: wanted } }, matches: (p) => (p.home !== null) === wanted })),
  fc.constant<Case>({ where: { name: { like: 'A%' } }, matches: (p) => p.name.startsWith('A') }),
  fc.constant<Case>({ where: { name: { ilike: 'a__%' } }, matches: (p) => /^a../i.test(p.name) }),
  fc.constant<Case>({ where: { name: { like: 'B\\%%' } }, matches: (p) => p.name.startsWith('B%') }),
  fc.constant<Case>({ where: { name: { contains: '_' } }, matches: (p) => p.name.includes('_') }),
  fc.tuple(age, city).map(
    ([n, c]): Case => ({
      where: { age: { gte: n }, home: { city: { ne: c } } },
      matches: (p) => p.age !== null && p.age >= n && p.home?.city !== c,
    }),
  ),
);

const { filter } = fc.letrec<{ filter: Case }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('filter'), { maxLength: 3 }).map(
      (parts): Case => ({
        where: { and: parts.map((p) => p.where) },
        matches: (p) => parts.every((part) => part.matches(p)),
      }),
    ),
    fc.array(tie('filter'), { maxLength: 3 }).map(
      (parts): Case => ({
        where: { or: parts.map((p) => p.where) },
        matches: (p) => parts.some((part) => part.matches(p)),
      }),
    ),
    tie('filter').map((inner): Case => ({ where: { not: inner.where }, matches: (p) => !inner.matches(p) })),
  ),
}));

describe('a filter', () => {
  it('matches what its meaning says, in finds, counts and writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(person, { maxLength: 12 }),
        fc.array(filter, { minLength: 1, maxLength: 6 }),
        async (people, filters) => {
          const house = await new TestHouse(ENTITIES).open();
          const rows: Person[] = people.map((one, id) => ({ ...one, id, name: `${one.name}${id}` }));
          const repository = house.repository(Author);
          await repository.insert(rows);
          const stored = (await repository.find({ orderBy: { id: 'asc' } })) as unknown as Person[];
          for (const { where, matches } of filters) {
            const expected = stored.filter(matches).map((one) => one.id);
            const found = await repository.find({ where: where as never, orderBy: { id: 'asc' } });
            expect(found.map((one) => one.id)).toEqual(expected);
            expect(await repository.count(where as never)).toBe(expected.length);
          }
          const [first] = filters;
          if (first !== undefined) {
            const expected = stored.filter((one) => !first.matches(one)).map((one) => one.id);
            await repository.delete(first.where as never);
            expect((await repository.find({ orderBy: { id: 'asc' } })).map((one) => one.id)).toEqual(expected);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
