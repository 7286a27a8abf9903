/** What goes in comes out, whatever is in it: through line protocol, the server, and the answer's CSV. */
import { compileDomain, Field, InvalidValueError, Measurement, type Row, Tag, Timestamp } from '@storeweave/core';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { InfluxdbOptions } from './options.js';
import { everything, insert, model, openStore, Sample, serverOptions } from './store.fixture.js';
import type { InfluxdbStore } from './store.js';

const sample = model(Sample);
const at = (name: string) => sample.fields.findIndex((field) => field.name === name);

/** Characters that some layer on the way takes for its own, among others. */
const nasty = fc.constantFrom(
  ...[' ', ',', '=', '"', "'", '\\', '\n', '\r', '\t', '\u0000', '\u007f', '%', '~', '$', '{', '}', '#', '|', '/'],
  ...['\ufeff', '\u2028', 'é', '漢', '🧵', 'a', '0', 'N', 'i'],
);
const text = fc.oneof(
  fc.array(nasty, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    ' ',
    '\\',
    '\\\\',
    '"',
    '%~',
    '%~%',
    '#datatype',
    'true',
    '1',
    'error',
    'a\\ b',
    '\\,',
    '\\=',
    'x\\',
  ),
);
const float = fc.double({ noNaN: true, noDefaultInfinity: true });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const decimal = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.bigInt({ min: 0n, max: 10n ** 12n }))
  .map(([negative, whole, fraction]) => `${negative ? '-' : ''}${whole}.${fraction}`);
const nanos = fc.oneof(
  fc.bigInt({ min: -9_223_372_036_854_775_806n, max: 9_223_372_036_854_775_805n }),
  fc.constantFrom(0n, -1n, 1n, -9_223_372_036_854_775_806n, 9_223_372_036_854_775_805n),
  fc.bigInt({ min: 1_600_000_000_000_000_000n, max: 1_600_000_000_000_000_100n }),
);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 3 });

const row: fc.Arbitrary<Row> = fc
  .record({
    at: nanos,
    place: text,
    channel: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    level: float,
    real: maybe(float),
    whole: maybe(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
    big: maybe(int64),
    flag: maybe(fc.boolean()),
    word: maybe(text),
    exact: maybe(decimal),
  })
  .map((values) => sample.fields.map((field) => values[field.name as keyof typeof values]));

const identity = (each: Row) => JSON.stringify([String(each[at('at')]), each[at('place')], each[at('channel')]]);
const byIdentity = (rows: readonly Row[]) => new Map(rows.map((each) => [identity(each), each]));

describe('points', () => {
  let store: InfluxdbStore;
  let options: InfluxdbOptions;
  beforeAll(async () => {
    options = await serverOptions('fidelity');
    store = await openStore(options);
  });
  afterAll(() => store.close());
  beforeEach(() => store.bulk({ op: 'deleteWhere', entity: sample, where: { op: 'and', conditions: [] } }, {}));

  it('come back as they were written', async () => {
    const expected = new Map<string, Row>();
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 60 }), async (rows) => {
        const { count } = await insert(store, sample, rows);
        expect(count).toBe(byIdentity(rows).size);
        for (const [key, each] of byIdentity(rows)) expected.set(key, each);
        const found = byIdentity(await everything(store, sample));
        expect(found.size).toBe(expected.size);
        for (const [key, each] of expected) expect(found.get(key), key).toEqual(each);
      }),
      { numRuns: 40 },
    );
  }, 180_000);

  it('are found, counted and deleted by each tag and by their key', async () => {
    const place = sample.fields[at('place')];
    if (place === undefined) throw new Error('no field');
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(text, { minLength: 2, maxLength: 8 }), async (places) => {
        const rows = places.flatMap((name) => [
          sample.fields.map((field) => ({ at: 5n, place: name, channel: 1, level: 1 })[field.name] ?? null),
          sample.fields.map((field) => ({ at: 6n, place: name, channel: 1, level: 2 })[field.name] ?? null),
        ]);
        await insert(store, sample, rows);
        for (const [i, name] of places.entries()) {
          const where = { op: 'eq', on: { field: place }, value: name } as const;
          const found = await store.read({ entity: sample, fields: [place], where }, {});
          expect(found).toEqual([[name], [name]]);
          expect(await store.count(sample, where, {})).toBe(2);
          const keys = [sample.ids.map((field) => ({ at: 5n, place: name, channel: 1 })[field.name])];
          expect(await store.write({ op: 'delete', entity: sample, keys }, {})).toMatchObject({ count: 1, missed: [] });
          expect(await store.bulk({ op: 'deleteWhere', entity: sample, where }, {})).toBe(1);
          expect((await everything(store, sample)).length).toBe(2 * (places.length - i - 1));
        }
      }),
      { numRuns: 25 },
    );
  }, 180_000);

  it('are the same where requests and answers are compressed', async () => {
    const compressed = await openStore({ ...options, gzip: true });
    const rows = fc.sample(row, 300);
    await insert(compressed, sample, rows);
    const found = byIdentity(await everything(compressed, sample));
    for (const [key, each] of byIdentity(rows)) expect(found.get(key), key).toEqual(each);
    await compressed.close();
  });

  it('are found by thousands of tags at once', async () => {
    const place = sample.fields[at('place')];
    if (place === undefined) throw new Error('no field');
    const rows = Array.from({ length: 6_000 }, (_, i) =>
      sample.fields.map((field) => ({ at: 5n, place: `p${i}`, channel: 1, level: i })[field.name] ?? null),
    );
    await insert(store, sample, rows);
    for (const size of [2_000, 5_000]) {
      const values = rows.slice(0, size).map((each) => each[at('place')]);
      const where = { op: 'in', on: { field: place }, values } as const;
      expect(await store.count(sample, where, {})).toBe(size);
    }
  });

  it('that cannot be kept are refused by name, and nothing of their batch is sent', async () => {
    const good = { at: 1n, place: 'p', channel: 1, level: 1 };
    for (const [property, value] of [
      ['level', Number.NaN],
      ['level', Number.POSITIVE_INFINITY],
      ['place', 'half \ud800'],
      ['word', '\udfff'],
      ['place', 'x'.repeat(70_000)],
      ['at', 9_223_372_036_854_775_806n],
      ['word', 'x'.repeat(1_048_577)],
      ['at', -9_223_372_036_854_775_807n],
    ] as const) {
      const bad = { ...good, [property]: value } as Record<string, unknown>;
      const rows = [good, bad].map((each) =>
        sample.fields.map((field) => (each as Record<string, unknown>)[field.name] ?? null),
      );
      const error = await insert(store, sample, rows).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error, property).toBeInstanceOf(InvalidValueError);
      expect((error as InvalidValueError).key, property).toEqual(sample.ids.map((field) => bad[field.name]));
      expect(await everything(store, sample)).toEqual([]);
    }
  });

  it('may have a text of a megabyte, and none that is longer', async () => {
    const long = 'Straße 漢字 🧵 "quoted" '.repeat(36_000);
    await insert(store, sample, [
      sample.fields.map((field) => ({ at: 1n, place: 'p', channel: 1, level: 1, word: long })[field.name] ?? null),
    ]);
    expect((await everything(store, sample))[0]?.[at('word')]).toBe(long);
  });

  it('lose a value that is written over with none, and only that', async () => {
    const point = { at: 1n, place: 'p', channel: 1, level: 1, real: 2, word: '' };
    const rowOf = (values: object) =>
      sample.fields.map((field) => (values as Record<string, unknown>)[field.name] ?? null);
    await insert(store, sample, [rowOf(point)]);
    await insert(store, sample, [rowOf({ ...point, real: null, whole: 3 })]);
    expect(await everything(store, sample)).toEqual([rowOf({ ...point, real: null, whole: 3 })]);
    await insert(store, sample, [rowOf({ ...point, word: null })]);
    expect(await everything(store, sample)).toEqual([rowOf({ ...point, word: null })]);
  });
});

@Measurement()
class Millis {
  @Timestamp() at!: Date;
  @Tag() source!: string;
  @Field('timestamp') seen!: Date;
}

@Measurement()
class Micros {
  @Timestamp({ precision: 'us' }) at!: bigint;
  @Tag() source!: string;
  @Field('timestamp', { precision: 'us' }) seen!: bigint;
}

@Measurement()
class Nanos {
  @Timestamp({ precision: 'ns' }) at!: bigint;
  @Tag() source!: string;
  @Field('timestamp', { precision: 'ns' }) seen!: bigint;
}

describe('times', () => {
  it.each([
    [Millis, 1_000n],
    [Micros, 1_000_000n],
    [Nanos, 1_000_000_000n],
  ] as const)('are kept in every precision', async (kind, perSecond) => {
    const entity = compileDomain([kind]).of(kind);
    const store = await openStore(await serverOptions('times'), [entity]);
    const times = [
      -9_223_372_036n * perSecond,
      -1n,
      0n,
      1n,
      1_700_000_000n * perSecond + 1n,
      9_223_372_036n * perSecond,
    ];
    const rows = times.map((time) =>
      entity.fields.map((field) => (field.type !== 'timestamp' ? 's' : kind === Millis ? Number(time) : time)),
    );
    await insert(store, entity, [...rows].reverse());
    expect(await everything(store, entity)).toEqual(rows);
    await store.close();
  });
});
