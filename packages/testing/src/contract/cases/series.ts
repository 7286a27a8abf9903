/** Time series: ranges, newest points, and windows compared with a plain computation. */
import assert from 'node:assert/strict';
import {
  count,
  first,
  InvalidQueryError,
  last,
  max,
  mean,
  min,
  percentile,
  type Storeweave,
  sum,
} from '@storeweave/core';
import { type ContractCase, can, has, model, test, transactions } from '../case.js';
import { micros } from '../domain/groups.js';
import { HourlyReading, Pulse, Reading } from '../domain/readings.js';
import { dataCalls } from '../recorder.js';
import { range, refused, there } from './assertions.js';

const needs = [model('timeseries')];
const windowed = [...needs, has('timeseries', 'series')];
const START = Date.UTC(2001, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Point {
  readonly at: Date;
  readonly depot: string;
  readonly sensor: string;
  readonly celsius: number | null;
  readonly samples: number;
}

/** Two days of points at two depots with gaps, absent values and several sensors in one minute. */
const points: readonly Point[] = range(300).flatMap((i): Point[] => {
  const at = new Date(START + i * 7 * MINUTE);
  const hour = at.getUTCHours();
  if (hour >= 4 && hour < 7) return [];
  const depot = i % 3 === 0 ? 'north' : 'south';
  const celsius = i % 11 === 0 ? null : Math.round(Math.sin(i) * 1000) / 100;
  return [
    { at, depot, sensor: 'a', celsius, samples: i % 5 },
    { at, depot, sensor: 'b', celsius: celsius === null ? null : -celsius, samples: 1 },
  ];
});

const load = (weave: Storeweave) => weave.repository(Reading).insert(points);

const functions = {
  mean: (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length,
  min: (values: number[]) => Math.min(...values),
  max: (values: number[]) => Math.max(...values),
  sum: (values: number[]) => values.reduce((a, b) => a + b, 0),
  p50: (values: number[]) => rank(values, 50),
  p90: (values: number[]) => rank(values, 90),
};

function rank(values: number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = ((sorted.length - 1) * percent) / 100;
  const low = there(sorted[Math.floor(at)]);
  return low + (there(sorted[Math.ceil(at)]) - low) * (at - Math.floor(at));
}

const near = (actual: unknown, expected: number | null, what: string) => {
  if (expected === null) assert.equal(actual, null, what);
  else
    assert.ok(
      typeof actual === 'number' && Math.abs(actual - expected) < 1e-9 * Math.max(1, Math.abs(expected)),
      `${what}: ${actual} is not ${expected}`,
    );
};

export const seriesCases: readonly ContractCase[] = [
  test('series: points are found by range, order and tags', needs, async ({ weave }) => {
    await load(weave);
    const series = weave.series(Reading);
    const from = new Date(START + 2 * HOUR);
    const to = new Date(START + 3 * HOUR);
    const inside = points.filter(({ at }) => at >= from && at < to);
    const found = await series.range({ from, to });
    assert.equal(found.length, inside.length);
    assert.deepEqual(
      found.map(({ at }) => at.getTime()),
      inside.map(({ at }) => at.getTime()),
    );
    const north = await series.range({ from, to, where: { depot: 'north', sensor: 'a' } });
    assert.deepEqual(
      north.map(({ celsius }) => celsius),
      inside.filter((each) => each.depot === 'north' && each.sensor === 'a').map(({ celsius }) => celsius),
    );
    const bound = there(inside[0]).at;
    assert.ok((await series.range({ from: bound, to: new Date(bound.getTime() + 1) })).length > 0, 'from is included');
    assert.equal(
      (await series.range({ from: new Date(bound.getTime() - 1), to: bound })).filter((each) => each.at >= bound)
        .length,
      0,
      'to is not',
    );
  }),

  test('series: the newest points, of all and of each tag', needs, async ({ weave }) => {
    await load(weave);
    const [newest] = await weave.series(Reading).last(1, { where: { sensor: 'a' } });
    assert.equal(there(newest).at.getTime(), there(points.at(-1)).at.getTime());
    const each = await weave.series(Reading).last(2, { per: ['depot'], where: { sensor: 'a' } });
    for (const depot of ['north', 'south']) {
      const expected = points
        .filter((point) => point.depot === depot && point.sensor === 'a')
        .slice(-2)
        .map(({ at }) => at.getTime());
      assert.deepEqual(
        each
          .filter((point) => point.depot === depot)
          .map(({ at }) => at.getTime())
          .sort(),
        expected,
      );
    }
  }),

  test('series: a point is its time and tags: written again it is overwritten', needs, async ({ weave }) => {
    const point = { at: new Date(START), depot: 'north', sensor: 'a', celsius: 1 };
    const repository = weave.repository(Reading);
    const found = async () =>
      (await repository.find({ orderBy: { sensor: 'asc' } })).map(({ sensor, celsius }) => [sensor, celsius]);
    await repository.insert([point, { ...point, sensor: 'b' }]);
    await repository.insert({ ...point, celsius: 2 });
    assert.deepEqual(await found(), [
      ['a', 2],
      ['b', 1],
    ]);
    await weave.transaction(async (uow) => void uow.create(Reading, { ...point, celsius: 3 }));
    assert.deepEqual((await found())[0], ['a', 3]);
    await repository.insert([
      { ...point, celsius: 4 },
      { ...point, celsius: null },
    ]);
    assert.deepEqual((await found())[0], ['a', null]);
  }),

  test(
    'series: a point that exists is overwritten or passed over, as told',
    [...needs, can('timeseries', 'upsert', (c) => c.upsert)],
    async ({ weave }) => {
      const point = { at: new Date(START), depot: 'north', sensor: 'a', celsius: 1 };
      const series = weave.series(Reading);
      assert.equal(await series.insert(point), 1);
      assert.equal(await series.insert({ ...point, celsius: 2 }, { existing: 'ignore' }), 0);
      assert.equal((await series.last())[0]?.celsius, 1);
      const both = [
        { ...point, celsius: 3 },
        { ...point, sensor: 'c' },
      ];
      assert.equal(await series.insert(both, { existing: 'update' }), 2);
      assert.deepEqual(
        (await series.range({ orderBy: { sensor: 'asc' } })).map(({ celsius }) => celsius),
        [3, 1],
      );
    },
  ),

  test(
    'series: points are written in units of work, and removed',
    [...needs, transactions('timeseries')],
    async ({ weave, calls }) => {
      const made = await calls(() =>
        weave.transaction(async (uow) => {
          for (const each of points) uow.create(Reading, each);
        }),
      );
      assert.equal(dataCalls(made).length, 1);
      assert.equal(await weave.repository(Reading).count(), points.length);
      await assert.rejects(
        weave.transaction(async (uow) => {
          uow.create(Reading, { at: new Date(0), depot: 'x', sensor: 'x', celsius: 1 });
          await uow.flush();
          throw new Error('no');
        }),
      );
      assert.equal(await weave.repository(Reading).count({ depot: 'x' }), 0);
      await weave.transaction(async (uow) =>
        uow.remove(await uow.repository(Reading).find({ where: { depot: 'north' } })),
      );
      assert.equal(await weave.repository(Reading).count(), points.filter(({ depot }) => depot !== 'north').length);
    },
  ),

  test('series: points of any year are kept and found', needs, async ({ weave }) => {
    const years = [1900, 1970, 1999, 2000, 2001, 2038, 2100];
    await weave
      .repository(Reading)
      .insert(years.map((year) => ({ at: new Date(Date.UTC(year, 5, 1)), depot: 'n', sensor: 's', celsius: year })));
    const found = await weave
      .series(Reading)
      .range({ from: new Date(Date.UTC(1999, 0, 1)), to: new Date(Date.UTC(2039, 0, 1)) });
    assert.deepEqual(
      found.map(({ celsius }) => celsius),
      [1999, 2000, 2001, 2038],
    );
  }),

  ...(['1h', '6h', '1d'] as const).map((every) =>
    test(`series: windows of ${every} by tag agree with a plain computation`, windowed, async ({ weave }) => {
      await load(weave);
      const length = { '1h': HOUR, '6h': 6 * HOUR, '1d': 24 * HOUR }[every];
      const rows = await weave.series(Reading).window({
        every,
        groupBy: ['depot'],
        where: { sensor: 'a' },
        select: {
          mean: mean('celsius'),
          min: min('celsius'),
          max: max('celsius'),
          sum: sum('celsius'),
          values: count('celsius'),
          points: count(),
          first: first('celsius'),
          last: last('celsius'),
          p50: percentile('celsius', 50),
          p90: percentile('celsius', 90),
          samples: sum('samples'),
        },
      });
      const expected = new Map<string, Point[]>();
      for (const point of points.filter(({ sensor }) => sensor === 'a')) {
        const key = `${Math.floor(point.at.getTime() / length) * length} ${point.depot}`;
        expected.set(key, [...(expected.get(key) ?? []), point]);
      }
      assert.equal(rows.length, expected.size);
      for (const row of rows) {
        const name = `${row.start.getTime()} ${row.depot}`;
        const members = there(expected.get(name), name);
        const values = members.flatMap(({ celsius }) => celsius ?? []);
        assert.equal(row.points, members.length, name);
        assert.equal(row.values, values.length, name);
        assert.equal(
          row.samples,
          members.reduce((total, { samples }) => total + samples, 0),
          name,
        );
        for (const [key, compute] of Object.entries(functions))
          near(row[key as keyof typeof functions], values.length === 0 ? null : compute(values), `${key} of ${name}`);
        near(row.first, values[0] ?? null, `first of ${name}`);
        near(row.last, values.at(-1) ?? null, `last of ${name}`);
      }
      const starts = rows.map(({ start }) => start.getTime());
      assert.deepEqual(
        starts,
        [...starts].sort((a, b) => a - b),
      );
    }),
  ),

  test('series: one window over everything', windowed, async ({ weave }) => {
    await load(weave);
    const [row, ...more] = await weave
      .series(Reading)
      .window({ where: { sensor: 'a' }, select: { mean: mean('celsius'), points: count() } });
    assert.deepEqual(more, []);
    const own = points.filter(({ sensor }) => sensor === 'a');
    assert.equal(there(row).points, own.length);
    near(there(row).mean, functions.mean(own.flatMap(({ celsius }) => celsius ?? [])), 'mean');
  }),

  test('series: gaps are filled with nulls, the value before, or a line', windowed, async ({ weave }) => {
    const at = (minute: number) => new Date(START + minute * MINUTE);
    await weave.repository(Reading).insert([
      { at: at(10), depot: 'n', sensor: 's', celsius: 10 },
      { at: at(11), depot: 'n', sensor: 's', celsius: 20 },
      { at: at(40), depot: 'n', sensor: 's', celsius: 45 },
      { at: at(20), depot: 's', sensor: 's', celsius: 1 },
    ]);
    const run = async (fill: 'none' | 'null' | 'previous' | 'linear') =>
      (
        await weave.series(Reading).window({
          from: at(0),
          to: at(60),
          every: '10m',
          fill,
          where: { depot: 'n' },
          select: { mean: mean('celsius') },
        })
      ).map((row) => row.mean);
    assert.deepEqual(await run('none'), [15, 45]);
    assert.deepEqual(await run('null'), [null, 15, null, null, 45, null]);
    assert.deepEqual(await run('previous'), [null, 15, 15, 15, 45, 45]);
    assert.deepEqual(await run('linear'), [null, 15, 25, 35, 45, null]);
    const groups = await weave.series(Reading).window({
      from: at(0),
      to: at(60),
      every: '30m',
      groupBy: ['depot'],
      fill: 'null',
      select: { mean: mean('celsius'), points: count() },
    });
    assert.deepEqual(
      groups.map(({ start, depot, mean: value }) => `${start.getUTCMinutes()} ${depot} ${value}`).sort(),
      ['0 n 15', '0 s 1', '30 n 45', '30 s null'],
    );
    await refused(InvalidQueryError, () =>
      weave.series(Reading).window({ every: '1h', fill: 'null', select: { mean: mean('celsius') } }),
    );
  }),

  test('series: order and limit of windows', windowed, async ({ weave }) => {
    await load(weave);
    const rows = await weave
      .series(Reading)
      .window({ every: '1d', order: 'desc', limit: 1, select: { points: count() } });
    assert.equal(rows.length, 1);
    assert.equal(there(rows[0]).start.getTime(), START + 24 * HOUR);
  }),

  test('series: weeks begin on Monday, months and years on their first day', windowed, async ({ weave }) => {
    const days = ['2001-01-01', '2001-01-07', '2001-01-08', '2001-02-28', '2001-03-01', '2002-01-01'];
    await weave
      .repository(Reading)
      .insert(days.map((day) => ({ at: new Date(`${day}T12:00:00Z`), depot: 'n', sensor: 's', celsius: 1 })));
    const starts = async (every: '1w' | '1mo' | '1y' | '2mo') =>
      (await weave.series(Reading).window({ every, select: { n: count() } })).map(
        ({ start, n }) => `${start.toISOString().slice(0, 10)} ${n}`,
      );
    assert.deepEqual(await starts('1w'), ['2001-01-01 2', '2001-01-08 1', '2001-02-26 2', '2001-12-31 1']);
    assert.deepEqual(await starts('1mo'), ['2001-01-01 3', '2001-02-01 1', '2001-03-01 1', '2002-01-01 1']);
    assert.deepEqual(await starts('2mo'), ['2001-01-01 4', '2001-03-01 1', '2002-01-01 1']);
    assert.deepEqual(await starts('1y'), ['2001-01-01 5', '2002-01-01 1']);
  }),

  test('series: days of a time zone follow its clock', windowed, async ({ weave }) => {
    // In Berlin the clock goes forward on 25 March 2001 and back on 28 October: days of 23 and 25 hours.
    const hours = (day: string, n: number) => range(n).map((i) => new Date(Date.parse(day) + i * HOUR));
    const all = [...hours('2001-03-24T20:00:00Z', 30), ...hours('2001-10-27T20:00:00Z', 30)];
    await weave.repository(Reading).insert(all.map((at) => ({ at, depot: 'n', sensor: 's', celsius: 1 })));
    const rows = await weave
      .series(Reading)
      .window({ every: { calendar: 'day', timeZone: 'Europe/Berlin' }, select: { n: count() } });
    assert.deepEqual(
      rows.map(({ start, n }) => `${start.toISOString()} ${n}`),
      [
        '2001-03-23T23:00:00.000Z 3',
        '2001-03-24T23:00:00.000Z 23',
        '2001-03-25T22:00:00.000Z 4',
        '2001-10-26T22:00:00.000Z 2',
        '2001-10-27T22:00:00.000Z 25',
        '2001-10-28T23:00:00.000Z 3',
      ],
    );
  }),

  test(
    'series: downsampling writes a coarser series, again and again',
    [...windowed, can('timeseries', 'upsert', (c) => c.upsert)],
    async ({ weave }) => {
      await load(weave);
      const run = () =>
        weave.series(Reading).downsample(HourlyReading, {
          every: '1h',
          where: { sensor: 'a' },
          select: { mean: mean('celsius'), highest: max('celsius') },
        });
      const written = await run();
      assert.equal(await weave.repository(HourlyReading).count(), written);
      assert.equal(await run(), written);
      assert.equal(await weave.repository(HourlyReading).count(), written);
      const windows = await weave
        .series(Reading)
        .window({ every: '1h', groupBy: ['depot'], where: { sensor: 'a' }, select: { mean: mean('celsius') } });
      const coarse = await weave.repository(HourlyReading).find();
      for (const { start, depot, mean: value } of windows)
        near(
          coarse.find((each) => each.at.getTime() === start.getTime() && each.depot === depot)?.mean ?? null,
          value,
          depot,
        );
    },
  ),

  test('series: the time of a window and the tags are typed as the class has them', windowed, async ({ weave }) => {
    await load(weave);
    const [row] = await weave
      .series(Reading)
      .window({ every: '1d', groupBy: ['depot', 'sensor'], select: { points: count() } });
    assert.ok(there(row).start instanceof Date);
    assert.equal(typeof there(row).sensor, 'string');
  }),

  test('series: points may be microseconds apart', [...windowed, micros('timeseries')], async ({ weave }) => {
    const start = BigInt(START) * 1_000n;
    await weave.repository(Pulse).insert(range(10).map((i) => ({ at: start + BigInt(i), source: 's', volts: i })));
    const found = await weave.series(Pulse).range({ from: start + 3n, to: start + 5n });
    assert.deepEqual(
      found.map(({ at, volts }) => [at - start, volts]),
      [
        [3n, 3],
        [4n, 4],
      ],
    );
    const [row] = await weave
      .series(Pulse)
      .window({ every: '1s', select: { n: count(), first: first('volts'), last: last('volts') } });
    assert.deepEqual(row, { start, n: 10, first: 0, last: 9 });
  }),

  test(
    'series: points are deleted by time',
    [...needs, can('timeseries', 'bulkWrites', (c) => c.bulkWrites)],
    async ({ weave }) => {
      await load(weave);
      const before = new Date(START + 24 * HOUR);
      const old = points.filter(({ at }) => at < before).length;
      assert.equal(await weave.repository(Reading).delete({ at: { lt: before } }), old);
      assert.equal(await weave.repository(Reading).count(), points.length - old);
    },
  ),
];
