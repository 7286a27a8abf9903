import {
  type EntityModel,
  type Field,
  InvalidQueryError,
  type Row,
  type SeriesFunction,
  type WindowRow,
  type WindowSpec,
} from '@storeweave/core';
import { memoryStore } from '@storeweave/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databases, type TestDatabase } from '../testing/databases.fixture.js';
import { HourlyReading, Pulse, Reading, seriesDomain } from '../testing/series-model.fixture.js';
import { PostgresSeriesStore } from './series-store.js';

const reading = seriesDomain.of(Reading);
const pulse = seriesDomain.of(Pulse);
const hourly = seriesDomain.of(HourlyReading);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (text: string) => Date.parse(text);

function field(entity: EntityModel, name: string): Field {
  const found = entity.fieldsByName.get(name);
  if (found === undefined) throw new Error(`${entity.name} has no ${name}`);
  return found;
}

const column = (alias: string, fn: SeriesFunction, name = 'value', entity = reading) => ({
  alias,
  function: fn,
  field: field(entity, name),
});

const base: WindowSpec = {
  entity: reading,
  groupBy: [],
  columns: [column('mean', 'mean')],
  fill: 'none',
  order: 'asc',
};

describe.each(databases)('PostgresSeriesStore on $name', ({ open }) => {
  let database: TestDatabase;
  let store: PostgresSeriesStore;

  beforeAll(async () => {
    database = await open();
    store = new PostgresSeriesStore(database.domain);
    await store.open({ name: 'timeseries', entities: seriesDomain.entities });
    await store.schema.apply(await store.schema.plan({}), {});
  });
  afterAll(async () => {
    await store.close();
    await database.close();
  });
  beforeEach(async () => {
    await database.ask('truncate readings, pulses, hourly_readings');
  });

  const insert = (rows: Row[], entity = reading) =>
    store.write({ op: 'insert', entity, fields: entity.fields, rows }, {});
  const point = (time: string | number, value: number | null, station = 'a', sensor = 1): Row =>
    reading.fields.map((each) => {
      if (each.name === 'at') return typeof time === 'number' ? time : at(time);
      if (each.name === 'station') return station;
      if (each.name === 'sensor') return sensor;
      return each.name === 'value' ? value : null;
    });
  const partitionsOf = async (table: string) =>
    (
      await database.ask(
        `select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = '${table}'::regclass order by 1`,
      )
    ).flat();

  it('has nothing left to plan after apply', async () => {
    expect(await store.schema.plan({})).toEqual([]);
  });

  it('makes partitions when points arrive, and only then', async () => {
    await insert([
      point('2001-01-31T23:59:59.999Z', 1),
      point('2001-02-01T00:00:00Z', 2),
      point('1969-12-31T23:00:00Z', 3),
    ]);
    expect(await partitionsOf('readings')).toEqual(
      expect.arrayContaining(['readings_p19691201', 'readings_p20010101', 'readings_p20010201']),
    );
    expect(await store.count(reading, undefined, {})).toBe(3);
  });

  it('sets the fields anew when a point is written again, in one batch or two', async () => {
    expect(await insert([point('2001-01-01T00:00:00Z', 1), point('2001-01-01T00:00:00Z', 2)])).toEqual({ count: 2 });
    await insert([point('2001-01-01T00:00:00Z', 5), point('2001-01-01T00:00:00Z', 6, 'a', 2)]);
    const rows = await store.read(
      {
        entity: reading,
        fields: [field(reading, 'sensor'), field(reading, 'value')],
        order: [{ on: { field: field(reading, 'sensor') }, direction: 'asc', nulls: 'last' }],
      },
      {},
    );
    expect(rows).toEqual([
      [1, 5],
      [2, 6],
    ]);
  });

  it('forgets partitions of a transaction that was rolled back', async () => {
    const transaction = await database.domain.begin({});
    await store.write(
      { op: 'insert', entity: reading, fields: reading.fields, rows: [point('2040-05-05T00:00:00Z', 1)] },
      { transaction },
    );
    await transaction.rollback();
    await insert([point('2040-05-06T00:00:00Z', 1)]);
    expect(await store.count(reading, undefined, {})).toBe(1);
  });

  it('forgets partitions of a savepoint that was rolled back', async () => {
    const transaction = await database.domain.begin({});
    const write = (time: string) =>
      store.write({ op: 'insert', entity: reading, fields: reading.fields, rows: [point(time, 1)] }, { transaction });
    await transaction.savepoint?.('one');
    await write('2041-05-05T00:00:00Z');
    await transaction.rollbackTo?.('one');
    await write('2041-05-06T00:00:00Z');
    await transaction.commit();
    expect(await store.count(reading, undefined, {})).toBe(1);
  });

  it('makes a partition that someone else has dropped', async () => {
    await insert([point('2042-05-05T00:00:00Z', 1)]);
    await insert([point('2042-05-06T00:00:00Z', 1)]);
    await database.ask('drop table readings_p20420501');
    await insert([point('2042-05-07T00:00:00Z', 1)]);
    expect(await store.count(reading, undefined, {})).toBe(1);
  });

  it('takes points of one new month from several writers at once', async () => {
    const writers = Array.from({ length: 4 }, (_, i) => insert([point(`2043-03-0${i + 1}T00:00:00Z`, i)]));
    await Promise.all(writers);
    expect(await store.count(reading, undefined, {})).toBe(4);
  });

  it('fits partitions of another unit between those that are there', async () => {
    const daily = new PostgresSeriesStore(database.domain, { partition: 'day' });
    await daily.open({ name: 'timeseries', entities: [pulse] });
    const rows = (text: string) => [
      pulse.fields.map((each) => ({ at: BigInt(at(text)) * 1000n + 7n, device: 'd', value: 1 })[each.name]),
    ];
    const write = (target: PostgresSeriesStore, text: string) =>
      target.write({ op: 'insert', entity: pulse, fields: pulse.fields, rows: rows(text) }, {});
    await write(daily, '2001-05-10T12:00:00Z');
    await write(store, '2001-05-09T12:00:00Z');
    await write(store, '2001-05-11T12:00:00Z');
    expect(await store.count(pulse, undefined, {})).toBe(3);
    expect(await partitionsOf('pulses')).toEqual(['pulses_p20010501', 'pulses_p20010510', 'pulses_p20010511']);
    await daily.close();
  });

  it('keeps microseconds', async () => {
    const time = 981_000_000_123_457n;
    await insert([pulse.fields.map((each) => ({ at: time, device: 'd', value: 1.5 })[each.name])], pulse);
    expect(await store.read({ entity: pulse, fields: [field(pulse, 'at')] }, {})).toEqual([[time]]);
    const [row] = await store.series.window(
      { ...base, entity: pulse, columns: [column('last', 'last', 'value', pulse)], every: { ms: 0.5 } },
      {},
    );
    expect(row).toEqual({ start: 981_000_000_123_000n, group: [], values: [1.5] });
  });

  it('aligns weeks to Monday and fixed windows to the epoch', async () => {
    await insert([point('2001-01-03T10:30:00Z', 1)]);
    const start = async (every: WindowSpec['every']) => (await store.series.window({ ...base, every }, {}))[0]?.start;
    expect(await start({ ms: 7 * DAY })).toBe(at('2001-01-01T00:00:00Z'));
    expect(await start({ ms: HOUR })).toBe(at('2001-01-03T10:00:00Z'));
    expect(await start({ calendar: 'week', count: 1, timeZone: 'America/New_York' })).toBe(at('2001-01-01T05:00:00Z'));
    expect(await start({ calendar: 'month', count: 5, timeZone: 'UTC' })).toBe(at('2000-11-01T00:00:00Z'));
    expect(await start(undefined)).toBe(at('2001-01-03T10:30:00Z'));
  });

  it('knows days of 23 and of 25 hours', async () => {
    const zone = { calendar: 'day', count: 1, timeZone: 'Europe/Berlin' } as const;
    const starts = await store.series.window(
      { ...base, every: zone, from: at('2001-03-23T23:00:00Z'), to: at('2001-03-27T00:00:00Z'), fill: 'null' },
      {},
    );
    expect(starts.map((row) => new Date(Number(row.start)).toISOString())).toEqual([
      '2001-03-23T23:00:00.000Z',
      '2001-03-24T23:00:00.000Z',
      '2001-03-25T22:00:00.000Z',
      '2001-03-26T22:00:00.000Z',
    ]);
  });

  it('refuses what it could only answer wrongly', async () => {
    const ask = (spec: Partial<WindowSpec>) => store.series.window({ ...base, ...spec }, {});
    await expect(ask({ fill: 'null' })).rejects.toThrow(/needs both ends/);
    await expect(ask({ columns: [column('x', 'mean', 'note')] })).rejects.toThrow(InvalidQueryError);
    await expect(ask({ columns: [column('x', { percentile: 101 })] })).rejects.toThrow(/0 to 100/);
    await expect(ask({ every: { ms: 0 } })).rejects.toThrow(/no length of time/);
    await expect(
      ask({ from: 0, to: 1, every: { ms: 1 }, fill: 'linear', columns: [column('x', 'last', 'note')] }),
    ).rejects.toThrow(/A line needs numbers/);
  });

  it('writes windows into a coarser measurement, again and again', async () => {
    await insert([
      point('2001-01-01T00:10:00Z', 1),
      point('2001-01-01T00:20:00Z', 3),
      point('2001-01-01T01:00:00Z', 9),
      point('2001-03-01T00:00:00Z', 4, 'b'),
    ]);
    const spec = {
      window: {
        ...base,
        every: { ms: HOUR },
        groupBy: [field(reading, 'station')],
        columns: [column('m', 'mean'), column('n', 'count')],
      },
      into: hourly,
      map: [
        { alias: 'm', field: field(hourly, 'mean') },
        { alias: 'n', field: field(hourly, 'points') },
      ],
    };
    expect(await store.series.downsample?.(spec, {})).toBe(3);
    await insert([point('2001-01-01T00:30:00Z', 5)]);
    expect(await store.series.downsample?.(spec, {})).toBe(3);
    const rows = await store.read(
      {
        entity: hourly,
        fields: ['at', 'station', 'mean', 'points'].map((name) => field(hourly, name)),
        order: [{ on: { field: field(hourly, 'at') }, direction: 'asc', nulls: 'last' }],
      },
      {},
    );
    expect(rows).toEqual([
      [at('2001-01-01T00:00:00Z'), 'a', 3, 3],
      [at('2001-01-01T01:00:00Z'), 'a', 9, 1],
      [at('2001-03-01T00:00:00Z'), 'b', 4, 1],
    ]);
    await expect(store.series.downsample?.({ ...spec, window: { ...spec.window, groupBy: [] } }, {})).rejects.toThrow(
      /its tag "station" would have no value/,
    );
  });

  it('reads only the partitions and the key that a question needs', async () => {
    await insert(Array.from({ length: 2000 }, (_, i) => point(at('2001-01-01T00:00:00Z') + i * HOUR, i, `s${i % 50}`)));
    await database.ask('analyze readings');
    const plan = (
      await database.ask(
        `explain select avg(value) from readings where station = 's7' and at >= '2001-02-03' and at < '2001-02-10'`,
      )
    )
      .flat()
      .join('\n');
    expect(plan).toContain('readings_p20010201');
    expect(plan).not.toContain('readings_p20010101');
    expect(plan).toMatch(/Index/);
  });

  it('answers windows as plain JavaScript does', async () => {
    const plain = memoryStore();
    await plain.open({ name: 'timeseries', entities: seriesDomain.entities });
    const functions: SeriesFunction[] = [
      'mean',
      'min',
      'max',
      'sum',
      'count',
      'first',
      'last',
      { percentile: 50 },
      { percentile: 95 },
    ];
    const from = at('2001-03-20T00:00:00Z');
    const points = fc.uniqueArray(
      fc.record({
        time: fc.integer({ min: 0, max: 14 * 24 * 4 }).map((quarter) => from + quarter * (HOUR / 4)),
        station: fc.constantFrom('a', 'b', 'c'),
        value: fc.option(
          fc.integer({ min: -500, max: 500 }).map((n) => n / 8),
          { nil: null },
        ),
        hits: fc.option(fc.integer({ min: -100, max: 100 }), { nil: null }),
        bytes: fc.option(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), { nil: null }),
        price: fc.option(
          fc.integer({ min: -99999, max: 99999 }).map((n) => (n / 100).toFixed(2)),
          { nil: null },
        ),
      }),
      { maxLength: 60, selector: ({ time }) => time },
    );
    const every = fc.constantFrom<WindowSpec['every']>(
      undefined,
      { ms: HOUR },
      { ms: 5 * HOUR },
      { ms: 7 * DAY },
      { calendar: 'day', count: 1, timeZone: 'Europe/Berlin' },
      { calendar: 'day', count: 3, timeZone: 'UTC' },
      { calendar: 'week', count: 2, timeZone: 'Asia/Kolkata' },
      { calendar: 'month', count: 1, timeZone: 'America/New_York' },
      { calendar: 'year', count: 3, timeZone: 'UTC' },
    );
    const specs = fc.record({
      every,
      fill: fc.constantFrom<WindowSpec['fill']>('none', 'null', 'previous', 'linear'),
      grouped: fc.boolean(),
      order: fc.constantFrom<WindowSpec['order']>('asc', 'desc'),
      columns: fc.array(fc.tuple(fc.constantFrom(...functions), fc.constantFrom('value', 'hits')), {
        minLength: 1,
        maxLength: 3,
      }),
      exact: fc.constantFrom('bytes', 'price'),
      low: fc.integer({ min: 0, max: 200 }),
      length: fc.integer({ min: 1, max: 200 }),
    });
    await fc.assert(
      fc.asyncProperty(points, specs, async (given, { every, fill, grouped, order, columns, exact, low, length }) => {
        await database.ask('truncate readings');
        await plain.bulk?.({ op: 'deleteWhere', entity: reading, where: { op: 'and', conditions: [] } }, {});
        const rows = given.map(
          (each): Row =>
            reading.fields.map(
              ({ name }) => (({ at: each.time, sensor: 1, note: null, ...each }) as Record<string, unknown>)[name],
            ),
        );
        for (const target of [store, plain])
          if (rows.length > 0)
            await target.write(
              { op: 'insert', entity: reading, fields: reading.fields, rows: rows.map((row) => [...row]) },
              {},
            );
        const spec: WindowSpec = {
          entity: reading,
          from: from + low * HOUR,
          to: from + (low + length) * HOUR,
          groupBy: grouped ? [field(reading, 'station')] : [],
          columns: [
            ...columns.map(([fn, name], i) => column(`c${i}`, fn, name)),
            ...(fill === 'linear' ? [] : [column('x', 'sum', exact), column('y', 'max', exact)]),
          ],
          fill,
          order,
          ...(every === undefined ? {} : { every }),
        };
        const ours = await store.series.window(spec, {});
        const theirs = (await plain.series?.window(spec, {})) ?? [];
        expectSame(ours, theirs);
        const starts = ours.map((row) => Number(row.start));
        expect(starts).toEqual([...starts].sort((a, b) => (order === 'asc' ? a - b : b - a)));
      }),
      { numRuns: 120 },
    );
  });
});

/** Sums of doubles may differ in the last digits, and groups of one window have no order. */
function expectSame(ours: readonly WindowRow[], theirs: readonly WindowRow[]): void {
  const name = (row: WindowRow) => [row.start, ...row.group].join(' ');
  const sorted = (rows: readonly WindowRow[]) => [...rows].sort((a, b) => (name(a) < name(b) ? -1 : 1));
  const [left, right] = [sorted(ours), sorted(theirs)];
  expect(left.map(name)).toEqual(right.map(name));
  const isNumber = (value: unknown) => typeof value === 'number' || (typeof value === 'string' && value !== '');
  left.forEach((row, i) => {
    row.values.forEach((value, j) => {
      const other = right[i]?.values[j];
      if (!isNumber(value) || !isNumber(other)) expect(value).toEqual(other);
      else expect(Math.abs(Number(value) - Number(other))).toBeLessThan(1e-6);
    });
  });
}
