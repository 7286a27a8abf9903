/** Every operator on every type it is meaningful for, the rules for absent values, json, logic and relations. */
import assert from 'node:assert/strict';
import { type EntityClass, InvalidQueryError, InvalidValueError } from '@storeweave/core';
import { type ContractCase, test } from '../case.js';
import {
  allTypes,
  arrays,
  articles,
  basics,
  type EntityModelName,
  entityModels,
  listSpecimens,
  specimens,
} from '../domain/groups.js';
import { refused } from './assertions.js';

interface Marked {
  id: string;
  [property: string]: unknown;
}

/** An operator, what it is given, and the entities that it finds. */
type Row = [operator: string, comparand: unknown, found: string];

/** Three values in ascending order, for entities a, b and c; a fourth, d, has none. */
const ordered: Record<string, readonly [unknown, unknown, unknown]> = {
  body: ['apple', 'banana', 'cherry'],
  whole: [-5, 0, 70],
  big: [-5n, 0n, 9_007_199_254_740_993n],
  real: [-0.5, 0, 1e10],
  exact: ['-10.5', '2', '10'],
  money: ['-2.50', '9.00', '10.00'],
  day: ['1999-12-31', '2000-01-01', '2000-01-02'],
  instant: [new Date(-1), new Date(0), new Date('2020-01-01T00:00:00.001Z')],
  token: [
    '00000000-0000-0000-0000-000000000001',
    '00000000-0000-0000-0000-00000000000a',
    'f0000000-0000-0000-0000-000000000000',
  ],
};

const equatable: Record<string, readonly [unknown, unknown, unknown]> = {
  ...ordered,
  level: ['low', 'mid', 'high'],
  grade: [1, 2, 3],
  blob: [Uint8Array.of(0), Uint8Array.of(1), Uint8Array.of(0, 0)],
};

function filtersOf(on: EntityModelName): ContractCase[] {
  const needs = [...basics(on), allTypes(on)];
  const Specimen = specimens[on] as unknown as EntityClass<Marked>;

  /** One case for one property: entities a, b, c with the values, d without. */
  const operators = (property: string, values: readonly unknown[], expected: (v: readonly unknown[]) => Row[]) =>
    test(`filters/${on}: operators on ${property}`, needs, async ({ weave }) => {
      const repository = weave.repository(Specimen);
      await repository.insert([
        ...values.map((value, i) => ({ short: 'abc'[i], [property]: value })),
        { short: 'd' },
      ] as never);
      for (const [operator, comparand, found] of expected(values)) {
        const where = { [property]: operator === '' ? comparand : { [operator]: comparand } };
        const rows = await repository.find({ where: where as never, orderBy: { short: 'asc' } as never });
        assert.equal(rows.map((each) => each.short).join(''), found, `${property} ${operator}`);
        const complement = await repository.find({
          where: { not: where } as never,
          orderBy: { short: 'asc' } as never,
        });
        const rest = [...'abcd'].filter((each) => !found.includes(each)).join('');
        assert.equal(complement.map((each) => each.short).join(''), rest, `not ${property} ${operator}`);
      }
    });

  return [
    ...Object.entries(equatable).map(([property, values]) =>
      operators(property, values, ([a, b, c]) => [
        ['', b, 'b'],
        ['eq', a, 'a'],
        ['ne', a, 'bcd'],
        ['in', [a, c], 'ac'],
        ['notIn', [a, c], 'bd'],
        ['in', [], ''],
        ['notIn', [], 'abcd'],
        ['exists', true, 'abc'],
        ['exists', false, 'd'],
        ['not', b, 'acd'],
        ['not', { in: [a, b] }, 'cd'],
        ...(property in ordered
          ? ([
              ['gt', a, 'bc'],
              ['gte', b, 'bc'],
              ['lt', c, 'ab'],
              ['lte', a, 'a'],
              ['between', [a, b], 'ab'],
              ['between', [c, a], ''],
              ['not', { gt: a }, 'ad'],
            ] satisfies Row[])
          : []),
      ]),
    ),
    operators('flag', [true, false, true], () => [
      ['', true, 'ac'],
      ['ne', true, 'bd'],
      ['in', [false], 'b'],
      ['exists', false, 'd'],
    ]),
    operators('word', ['under_score', '100% Wool', 'back\\slash'], () => [
      ['like', '%score', 'a'],
      ['like', 'under\\_score', 'a'],
      ['like', 'under_score', 'a'],
      ['like', '100\\% %', 'b'],
      ['like', '100%', 'b'],
      ['like', '% wool', ''],
      ['ilike', '% WOOL', 'b'],
      ['like', 'back\\\\slash', 'c'],
      ['like', '____', ''],
      ['like', '%', 'abc'],
      ['contains', 'er_s', 'a'],
      ['contains', '%', 'b'],
      ['contains', '\\', 'c'],
      ['contains', 'Under', ''],
      ['contains', '', 'abc'],
    ]),
    operators(
      'data',
      [{ n: 5, s: 'x', list: [1, 'two'], deep: { flag: true } }, { n: 50, s: 'xyz', list: [], none: null }, ['n', 1]],
      () => [
        ['n', 5, 'a'],
        ['n', { gt: 5 }, 'b'],
        ['n', { gte: 5, lt: 100 }, 'ab'],
        ['n', '5', ''],
        ['n', { ne: 5 }, 'bcd'],
        ['n', { in: [5, 50] }, 'ab'],
        ['s', { like: 'x%' }, 'ab'],
        ['s', { contains: 'yz' }, 'b'],
        ['s', { gt: 'x' }, 'b'],
        ['deep', { flag: true }, 'a'],
        ['deep', { exists: true }, 'a'],
        ['none', { exists: true }, ''],
        ['list', { '1': 'two' }, 'a'],
        ['contains', { n: 5 }, 'a'],
        ['contains', { deep: { flag: true }, list: ['two'] }, 'a'],
        ['contains', ['n'], 'c'],
        ['eq', { s: 'x', n: 5, deep: { flag: true }, list: [1, 'two'] }, 'a'],
        ['exists', false, 'd'],
      ],
    ),
    test(`filters/${on}: contains and equality on lists`, [...needs, arrays(on)], async ({ weave }) => {
      const repository = weave.repository(listSpecimens[on]);
      await repository.insert([
        { words: ['a', 'b'], wholes: [1, 2] },
        { words: ['b', "it's"], wholes: [2, 3] },
        { words: [], wholes: [] },
        {},
      ]);
      const count = (where: Parameters<typeof repository.count>[0]) => repository.count(where);
      assert.equal(await count({ words: { contains: 'b' } }), 2);
      assert.equal(await count({ words: { contains: ['b', "it's"] } }), 1);
      assert.equal(await count({ wholes: { contains: 3 } }), 1);
      assert.equal(await count({ words: { eq: ['a', 'b'] } }), 1);
      assert.equal(await count({ words: { eq: ['b', 'a'] } }), 0);
      assert.equal(await count({ words: { eq: [] } }), 1);
      assert.equal(await count({ words: { exists: false } }), 1);
      assert.equal(await count({ not: { words: { contains: 'b' } } }), 2);
    }),

    test(`filters/${on}: and, or, not nest`, needs, async ({ weave }) => {
      const repository = weave.repository(articles[on]);
      await repository.insert([
        { sku: 'a', name: 'x', stock: 1, maker: 'm' },
        { sku: 'b', name: 'x', stock: 2 },
        { sku: 'c', name: 'y', stock: 3 },
      ]);
      const skus = async (where: Parameters<typeof repository.count>[0]) =>
        (await repository.find({ where, orderBy: { sku: 'asc' } })).map((each) => each.sku).join('');
      assert.equal(await skus({ name: 'x', stock: 2 }), 'b');
      assert.equal(await skus({ or: [{ name: 'y' }, { stock: 1 }] }), 'ac');
      assert.equal(await skus({ name: 'x', or: [{ stock: 2 }, { stock: 3 }] }), 'b');
      assert.equal(await skus({ not: { or: [{ name: 'y' }, { maker: 'm' }] } }), 'b');
      assert.equal(await skus({ and: [{ name: 'x' }, { not: { stock: 1 } }] }), 'b');
      assert.equal(await skus({ or: [] }), '');
      assert.equal(await skus({ and: [] }), 'abc');
      assert.equal(await skus({}), 'abc');
      assert.equal(await skus({ not: {} }), '');
    }),

    test(`filters/${on}: null and undefined are errors and never everything`, needs, async ({ weave }) => {
      const repository = weave.repository(articles[on]);
      await repository.insert({ sku: 'a', name: 'A' });
      for (const absent of [null, undefined]) {
        for (const where of [
          { maker: absent },
          { maker: { eq: absent } },
          { stock: { in: [1, absent] } },
          { stock: { between: [1, absent] } },
          { size: { width: absent } },
          { details: { key: absent } },
          { and: [{ name: absent }] },
          { not: { name: absent } },
        ]) {
          await refused(InvalidQueryError, () => repository.find({ where: where as never }));
          await refused(InvalidQueryError, () => repository.count(where as never));
          await refused(InvalidQueryError, () => repository.delete(where as never));
          await refused(InvalidQueryError, () => repository.update(where as never, { stock: 9 }));
        }
      }
      assert.equal(await repository.count({ stock: 0 }), 1);
    }),

    test(`filters/${on}: what is not a filter says what is wrong`, needs, async ({ weave }) => {
      const repository = weave.repository(articles[on]);
      const error = await refused(InvalidQueryError, () => repository.find({ where: { nam: 'x' } as never }));
      assert.match(error.message, /nam.*name/s);
      await refused(InvalidQueryError, () => repository.find({ where: { name: { equals: 'x' } } as never }));
      await refused(InvalidQueryError, () => repository.find({ where: { stock: { like: '1%' } } as never }));
      await refused(InvalidQueryError, () => repository.find({ where: { stock: {} } as never }));
      await assert.rejects(
        () => repository.find({ where: { stock: 'many' } as never }),
        (thrown: unknown) => thrown instanceof InvalidQueryError || thrown instanceof InvalidValueError,
      );
    }),

    test(`filters/${on}: a value never becomes part of a statement`, needs, async ({ weave }) => {
      const repository = weave.repository(articles[on]);
      const nasty = [
        `'; drop table articles; --`,
        '"',
        '\\',
        '$1',
        '?',
        ':name',
        '{{x}}',
        '` or 1=1',
        'a\u0001b',
        "');",
      ];
      await repository.insert(nasty.map((name, i) => ({ sku: `${i}`, name, details: { [name]: name } })));
      for (const [i, name] of nasty.entries()) {
        assert.deepEqual(
          (await repository.find({ where: { name } })).map((each) => each.sku),
          [`${i}`],
          name,
        );
        assert.deepEqual(
          (await repository.find({ where: { details: { [name]: name } } })).map((each) => each.sku),
          [`${i}`],
          name,
        );
      }
    }),
  ];
}

export const filterCases: readonly ContractCase[] = entityModels.flatMap(filtersOf);
