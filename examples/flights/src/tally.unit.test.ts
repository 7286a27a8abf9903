/** Counting of routes and hours. */
import { expect, test } from 'vitest';
import { Tally } from './tally.js';

const flight = (origin: string, destination: string, hour: number, distance: number) => ({
  origin,
  destination,
  distance,
  delay: 0,
  ordinal: 0,
  time: Date.UTC(2001, 0, 1, hour),
});

test('routes are counted in each direction by itself', () => {
  const tally = new Tally();
  for (const one of [flight('A', 'B', 1, 10), flight('B', 'A', 2, 10), flight('A', 'B', 3, 10)]) tally.add(one);
  expect(tally.routes()).toEqual([
    { from: 'A', to: 'B', flights: 2, distance: 10 },
    { from: 'B', to: 'A', flights: 1, distance: 10 },
  ]);
});

test('a guide has the busiest hours and the longest routes, ties in a fixed order', () => {
  const tally = new Tally();
  for (const hour of [9, 9, 7, 7, 22, 4, 9]) tally.add(flight('A', `T${hour}`, hour, hour * 100));
  tally.add(flight('A', 'S22', 22, 2200));
  for (const n of [1, 2, 3]) tally.add(flight('A', `U${n}`, 0, n));
  expect(tally.guides().get('A')).toEqual({
    departures: 11,
    busiestHours: [0, 9, 7],
    longestRoutes: [
      { to: 'S22', miles: 2200 },
      { to: 'T22', miles: 2200 },
      { to: 'T9', miles: 900 },
      { to: 'T7', miles: 700 },
      { to: 'T4', miles: 400 },
    ],
  });
});
