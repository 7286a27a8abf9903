/** Windows agree with those of the memory store to the last digit: random points, random questions. */
import type { Row, SeriesFunction, WindowRow, WindowSize, WindowSpec } from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { condition, fieldOf, points, START, sample } from './sample.fixture.js';
import { insert, openStore, serverOptions } from './store.fixture.js';
import type { InfluxdbStore } from './store.js';

const numbers = ['level', 'real', 'whole', 'big', 'exact'].map(fieldOf);
const any = [...numbers, ...['flag', 'word'].map(fieldOf)];
const required = fc.tuple(
  fc.constantFrom<SeriesFunction>('mean', 'sum', 'min', 'max', 'count', 'first', 'last'),
  fc.constant(fieldOf('level')),
);
const column = fc.oneof(
  required,
  fc.tuple(fc.constantFrom<SeriesFunction>('mean', 'sum', 'min', 'max'), fc.constantFrom(...numbers)),
  fc.tuple(
    fc.double({ min: 0, max: 100, noNaN: true }).map((percentile): SeriesFunction => ({ percentile })),
    fc.constantFrom(...numbers),
  ),
  fc.tuple(fc.constantFrom<SeriesFunction>('count', 'first', 'last'), fc.constantFrom(...any, fieldOf('at'))),
);
const every = fc.constantFrom<WindowSize | undefined>(
  undefined,
  { ms: 1 },
  { ms: 100 },
  { ms: 777 },
  { ms: 86_400_000 },
  { ms: 604_800_000 },
  { calendar: 'month', count: 5, timeZone: 'America/Sao_Paulo' },
);
const where = fc.option(condition, { nil: undefined });
const moment = fc.bigInt({ min: START - 100n, max: START + 6_000n }).map((ms) => ms * 1_000_000n + 3n);

const question: fc.Arbitrary<WindowSpec> = fc
  .record({
    every,
    where,
    ends: fc.option(fc.tuple(moment, moment), { nil: undefined }),
    groupBy: fc.subarray([fieldOf('place'), fieldOf('channel')]),
    columns: fc.oneof(
      fc.array(column, { minLength: 1, maxLength: 4 }),
      fc.array(required, { minLength: 1, maxLength: 4 }),
    ),
    // What the server decides by itself, it also computes.
    plain: fc.boolean(),
    fill: fc.constantFrom<WindowSpec['fill']>('none', 'null', 'previous', 'linear'),
    order: fc.constantFrom<WindowSpec['order']>('asc', 'desc'),
  })
  .map(({ ends, plain, every: size, where: filter, columns, fill, groupBy, order }): WindowSpec => {
    const [from, to] = ends === undefined ? [] : ends[0] < ends[1] ? ends : [ends[1], ends[0]];
    const canFill = from !== undefined && size !== undefined && (!('ms' in size) || size.ms > 50);
    const lines = columns.every(([fn, of]) => numbers.includes(of) || fn === 'count');
    return {
      entity: sample,
      groupBy,
      order,
      columns: columns.map(([fn, of], i) => ({ alias: `c${i}`, function: fn, field: of })),
      fill: canFill && (fill !== 'linear' || lines) ? fill : 'none',
      ...(from !== undefined && { from, to }),
      ...(size !== undefined && { every: size }),
      ...(filter !== undefined && !plain && { where: filter }),
    };
  });

/** Groups of one window may come in any order, and a zero with either sign. */
const canonical = (rows: readonly WindowRow[]) =>
  rows
    .map(({ start, group, values }) =>
      JSON.stringify([start, group, values], (_, v) => (typeof v === 'bigint' ? `${v}n` : v)),
    )
    .sort();

describe('windows', () => {
  let store: InfluxdbStore;
  beforeAll(async () => {
    store = await openStore(await serverOptions('windows'));
  });
  afterAll(() => store.close());

  it('are those of the memory store, to the digit', async () => {
    const { series } = store;
    await fc.assert(
      fc.asyncProperty(points, fc.array(question, { minLength: 8, maxLength: 8 }), async (rows: Row[], questions) => {
        await store.bulk({ op: 'deleteWhere', entity: sample, where: { op: 'and', conditions: [] } }, {});
        await insert(store, sample, rows);
        const reference = memoryStore();
        await reference.open({ name: 'timeseries', entities: [sample] });
        await reference.write({ op: 'insert', entity: sample, fields: sample.fields, rows }, {});
        for (const spec of questions) {
          const expected = (await reference.series?.window(spec, {})) ?? [];
          const found = await series.window(spec, {});
          expect(canonical(found)).toEqual(canonical(expected));
          expect(found.map(({ start }) => start)).toEqual(expected.map(({ start }) => start));
        }
      }),
      { numRuns: 30 },
    );
  }, 180_000);

  it('are the same over many slices', async () => {
    // Bursts and pauses, more than one slice of them.
    const rows = Array.from({ length: 130_000 }, (_, i): Row => {
      const at = (START + BigInt(i) + BigInt(Math.floor(i / 40_000)) * 900_000_000n) * 1_000_000n;
      const values: Record<string, unknown> = { at, place: `p${i % 3}`, channel: 1, level: Math.sin(i) };
      return sample.fields.map((of) => values[of.name] ?? null);
    });
    await store.bulk({ op: 'deleteWhere', entity: sample, where: { op: 'and', conditions: [] } }, {});
    await insert(store, sample, rows);
    const reference = memoryStore();
    await reference.open({ name: 'timeseries', entities: [sample] });
    await reference.write({ op: 'insert', entity: sample, fields: sample.fields, rows }, {});
    const level = fieldOf('level');
    const spec: WindowSpec = {
      entity: sample,
      every: { ms: 3_600_000 },
      groupBy: [],
      fill: 'none',
      order: 'asc',
      columns: [
        { alias: 'mean', function: 'mean', field: level },
        { alias: 'sum', function: 'sum', field: level },
        { alias: 'p99', function: { percentile: 99 }, field: level },
        { alias: 'n', function: 'count', field: level },
      ],
    };
    expect(await store.series.window(spec, {})).toEqual(await reference.series?.window(spec, {}));
    // What the server computes itself goes over its blocks and shards as if they were one.
    const groupBy = ['place', 'channel'].map(fieldOf);
    const whole: WindowSpec = {
      ...spec,
      groupBy,
      every: { ms: 8_640_000_000 },
      columns: spec.columns.filter(({ alias }) => alias !== 'p99'),
    };
    expect(canonical(await store.series.window(whole, {}))).toEqual(
      canonical((await reference.series?.window(whole, {})) ?? []),
    );
  }, 120_000);
});
