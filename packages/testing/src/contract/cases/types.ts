/** What goes in comes out: every type of property, its extremes, absence, changes and clearing. */
import assert from 'node:assert/strict';
import type { EntityClass, Storeweave } from '@storeweave/core';
import { type ContractCase, model, type Need, test } from '../case.js';
import {
  allTypes,
  arrays,
  type EntityModelName,
  entityModels,
  listSpecimens,
  microSpecimens,
  micros,
  nanoSpecimens,
  nanos,
  specimens,
} from '../domain/groups.js';
import { PointSpecimen } from '../domain/specimen.js';

const LONG_TEXT = `${'Straße ñ 漢字 🧵 '.repeat(2_000)}end`;
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i);

const scalars: Record<string, readonly unknown[]> = {
  word: ['', 'plain', "it's", 'back\\slash', 'tab\tnew\nline', '漢字 🧵 ñ', 'e\u0301', '%_', '$1 ? :x', 'null'],
  short: ['12345678', '🧵🧵🧵🧵🧵🧵🧵🧵'],
  body: ['', LONG_TEXT],
  whole: [0, 1, -1, 2_147_483_647, -2_147_483_648],
  big: [0n, -1n, 9_007_199_254_740_993n, 9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n],
  real: [0, 0.1, -1.5, 1e-300, 1.7976931348623157e308, 5e-324, Number.MAX_SAFE_INTEGER],
  exact: ['0', '0.1', '-12345678901234567890.123456789', '99999999999999999999999999999999999999'],
  money: ['0.00', '12.50', '-9999999999.99', '9999999999.99'],
  flag: [true, false],
  day: ['1970-01-01', '2001-02-28', '2024-02-29', '0001-01-01', '9999-12-31'],
  instant: [
    new Date(0),
    new Date('2001-01-01T00:00:00.001Z'),
    new Date('1969-07-20T20:17:40.123Z'),
    new Date('9999-12-31T23:59:59.999Z'),
  ],
  token: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  data: [
    {},
    [],
    'text',
    '',
    0,
    -1.5e10,
    true,
    false,
    [null, 1, 'two', { three: [3] }],
    { a: null, b: { c: { d: [] } }, ключ: '🧵', '': 'empty', 'a.b': 1, "it's": '$1' },
    { text: 'back\\slash "quoted"', big: Number.MAX_SAFE_INTEGER, small: 1e-7 },
  ],
  blob: [new Uint8Array(), EVERY_BYTE, new Uint8Array(100_000).fill(7)],
  level: ['low', 'mid', 'high'],
  grade: [1, 2, 3],
  link: [new URL('https://example.org/a?b=c#d')],
};

const lists: Record<string, readonly unknown[]> = {
  words: [
    [],
    ['a'],
    ['', 'with,comma', '"quoted"', 'back\\slash', '{brace}', 'NULL', '漢字 🧵', ' '],
    ['same', 'same'],
  ],
  wholes: [[], [0, -1, 2_147_483_647]],
  bigs: [[], [9_223_372_036_854_775_807n, -1n]],
  reals: [[], [0.1, -1e300]],
  exacts: [[], ['0.1', '-12345678901234567890.5']],
  flags: [[], [true, false, true]],
  days: [[], ['2024-02-29', '1970-01-01']],
  instants: [[], [new Date(0), new Date('2001-01-01T00:00:00.001Z')]],
  tokens: [[], ['00000000-0000-0000-0000-000000000000']],
  levels: [[], ['high', 'low']],
};

interface Kept {
  id: string;
  [property: string]: unknown;
}

const plain = (value: unknown): unknown =>
  value instanceof URL ? value.href : value instanceof Uint8Array ? [...value] : value;

/** Writes one entity per value, reads them back, moves each to the next value, clears it, all through a unit of work. */
function roundTrip(
  name: string,
  needs: readonly Need[],
  entity: EntityClass,
  property: string,
  values: readonly unknown[],
): ContractCase {
  return test(name, needs, async ({ weave }) => {
    const Kept = entity as EntityClass<Kept>;
    const ids = await weave.transaction(async (uow) => {
      const made = values.map((value) => uow.create(Kept, { [property]: value } as never));
      await uow.flush();
      return made.map((each) => each.id);
    });
    await expectValues(weave, Kept, property, ids, values);
    const moved = [...values.slice(1), values[0]];
    await weave.transaction(async (uow) => {
      const found = await uow.repository(Kept).findByIds(ids as never);
      assert.equal(uow.plan().isEmpty, true, `reading ${property} makes no change`);
      for (const each of found) each[property] = moved[ids.indexOf(each.id)];
    });
    await expectValues(weave, Kept, property, ids, moved);
    await weave.transaction(async (uow) => {
      for (const each of await uow.repository(Kept).findByIds(ids as never)) each[property] = null;
    });
    await expectValues(
      weave,
      Kept,
      property,
      ids,
      ids.map(() => null),
    );
  });
}

async function expectValues(
  weave: Storeweave,
  entity: EntityClass<Kept>,
  property: string,
  ids: readonly string[],
  values: readonly unknown[],
): Promise<void> {
  const found = await weave.repository(entity).findByIds(ids as never);
  const byId = new Map(found.map((each) => [each.id, each[property]]));
  for (const [i, id] of ids.entries()) {
    assert.ok(byId.has(id), `entity ${i} is there`);
    assert.deepEqual(plain(byId.get(id)), plain(values[i]), `${property} number ${i}`);
  }
}

function typesOf(on: EntityModelName): ContractCase[] {
  const needs = [model(on), allTypes(on)];
  return [
    ...Object.entries(scalars).map(([property, values]) =>
      roundTrip(`types/${on}: ${property} keeps its values`, needs, specimens[on], property, values),
    ),
    ...Object.entries(lists).map(([property, values]) =>
      roundTrip(
        `types/${on}: a list of ${property} keeps its values`,
        [...needs, arrays(on)],
        listSpecimens[on],
        property,
        values,
      ),
    ),
    roundTrip(`types/${on}: microseconds are kept`, [model(on), micros(on)], microSpecimens[on], 'instant', [
      0n,
      1n,
      -1n,
      1_700_000_000_000_001n,
      -62_135_596_800_000_000n,
    ]),
    roundTrip(`types/${on}: nanoseconds are kept`, [model(on), nanos(on)], nanoSpecimens[on], 'instant', [
      0n,
      1n,
      -1n,
      1_700_000_000_000_000_001n,
    ]),
    test(`types/${on}: insert without a unit of work keeps every type`, needs, async ({ weave }) => {
      const repository = weave.repository(specimens[on]);
      const one = Object.fromEntries(Object.entries(scalars).map(([property, values]) => [property, values.at(-1)]));
      const [given] = await repository.insert([one as never, {}]);
      const found = await repository.findOneOrFail({ where: { word: { exists: true } } });
      for (const [property, value] of Object.entries(one))
        assert.deepEqual(plain((found as unknown as Kept)[property]), plain(value), property);
      assert.ok(given !== undefined);
      const bare = await repository.findOneOrFail({ where: { word: { exists: false } } });
      for (const property of Object.keys(one)) assert.equal((bare as unknown as Kept)[property], null, property);
    }),
    test(`types/${on}: what is loaded shares nothing with what was written`, needs, async ({ weave }) => {
      const data = { list: [1] };
      const blob = Uint8Array.of(1);
      await weave.repository(specimens[on]).insert({ data, blob });
      data.list.push(2);
      blob[0] = 9;
      const found = await weave.repository(specimens[on]).findOneOrFail({});
      assert.deepEqual(found.data, { list: [1] });
      assert.deepEqual([...(found.blob ?? [])], [1]);
    }),
    test(`types/${on}: a change inside json, bytes or a Date is noticed`, needs, async ({ weave }) => {
      await weave
        .repository(specimens[on])
        .insert({ data: { list: [1] }, blob: Uint8Array.of(1), instant: new Date(0) });
      await weave.transaction(async (uow) => {
        const found = await uow.repository(specimens[on]).findOneOrFail({});
        (found.data as { list: number[] }).list.push(2);
        (found.blob as Uint8Array)[0] = 2;
        found.instant?.setTime(5);
      });
      const found = await weave.repository(specimens[on]).findOneOrFail({});
      assert.deepEqual(found.data, { list: [1, 2] });
      assert.deepEqual([...(found.blob ?? [])], [2]);
      assert.equal(found.instant?.getTime(), 5);
    }),
  ];
}

const pointCases: readonly ContractCase[] = [
  test('types/timeseries: points keep tags, times and fields', [model('timeseries')], async ({ weave }) => {
    const points = [
      {
        at: new Date(0),
        series: 'a b,c=d',
        channel: 0,
        real: 0.1,
        whole: 1,
        big: 9_007_199_254_740_993n,
        flag: true,
        word: '"quoted" 漢字',
      },
      {
        at: new Date('2001-01-01T00:00:00.001Z'),
        series: '漢字',
        channel: -1,
        real: -1e300,
        whole: -5,
        big: -1n,
        flag: false,
        word: '',
      },
      {
        at: new Date('2001-01-01T00:00:00.001Z'),
        series: '漢字',
        channel: 2,
        real: null,
        whole: 0,
        big: null,
        flag: null,
        word: null,
      },
    ];
    await weave.repository(PointSpecimen).insert(points);
    const found = await weave.repository(PointSpecimen).find({ orderBy: { channel: 'asc' } });
    const seen = found.map(({ at, series, channel, real, whole, big, flag, word }) => ({
      at,
      series,
      channel,
      real,
      whole,
      big,
      flag,
      word,
    }));
    assert.deepEqual(seen, [points[1], points[0], points[2]]);
  }),
];

export const typeCases: readonly ContractCase[] = [...entityModels.flatMap(typesOf), ...pointCases];
