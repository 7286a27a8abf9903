/** The readers give every record of the real files, and of broken ones the place and what is wrong there. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAirports } from './airports.js';
import { type Flight, readFlights } from './flights.js';
import { defaultSource } from './source.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storeweave-flights-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const HEADER = 'iata,name,city,state,country,latitude,longitude\n';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function airportsOf(csv: string) {
  await writeFile(join(folder, 'airports.csv'), csv);
  return all(readAirports(folder));
}

async function flightsOf(json: string, size = 100) {
  await writeFile(join(folder, 'flights-20k.json'), json);
  return all(readFlights(folder, '20k', size));
}

const flight = (values: object = {}) => ({
  date: '2001/01/01 10:00',
  delay: 1,
  distance: 100,
  origin: 'AAA',
  destination: 'BBB',
  ...values,
});

test('all airports of the real file, with quotes read and NA as unknown', async () => {
  const airports = await all(readAirports(defaultSource()));
  expect(airports).toHaveLength(3376);
  expect(airports.find(({ iata }) => iata === 'SFO')).toEqual({
    iata: 'SFO',
    name: 'San Francisco International',
    city: 'San Francisco',
    state: 'CA',
    country: 'USA',
    latitude: 37.61900194,
    longitude: -122.3748433,
  });
  expect(airports.find(({ iata }) => iata === 'DBN')?.name).toBe('W. H. "Bud" Barron');
  expect(airports.filter(({ city }) => city === null)).toHaveLength(12);
});

test.each([
  ['a missing value', 'AAA,,X,CA,USA,1,2\n', 'airports.csv, line 2: name has no value'],
  ['a wrong number', 'AAA,A,X,CA,USA,1,2\nBBB,B,X,CA,USA,north,2\n', "airports.csv, line 3: latitude is 'north'"],
  ['a number out of range', 'AAA,A,X,CA,USA,1,181\n', "airports.csv, line 2: longitude is '181'"],
  [
    'an airport twice',
    'AAA,A,X,CA,USA,1,2\nAAA,B,X,CA,USA,1,2\n',
    'airports.csv, line 3: airport AAA was already on line 2',
  ],
  ['too few columns', 'AAA,A,X,CA,USA,1,2\nBBB,B,X\n', 'airports.csv, line 3: Invalid Record Length'],
  ['an open quote', 'AAA,A,X,CA,USA,1,2\nBBB,"B,X,CA,USA,1,2\n', 'airports.csv, line 3: Quote Not Closed'],
])('a line with %s is named', async (_, lines, message) => {
  await expect(airportsOf(HEADER + lines)).rejects.toThrow(message);
});

test('a file without a column, an empty one and a missing one are told apart', async () => {
  await expect(airportsOf('iata,name\nAAA,A\n')).rejects.toThrow(
    'airports.csv, line 1: there is no column city, state',
  );
  await expect(airportsOf('')).rejects.toThrow('airports.csv: the file is empty');
  await expect(all(readAirports(join(folder, 'nowhere')))).rejects.toThrow(
    /nowhere.airports\.csv: there is no such file; --source DIR/,
  );
});

test('every real flight has an identity of its own', async () => {
  const chunks = await all(readFlights(defaultSource(), '20k', 6000));
  expect(chunks.map(({ length }) => length)).toEqual([6000, 6000, 6000, 2000]);
  const ids = chunks
    .flat()
    .map(({ time, origin, destination, ordinal }) => `${time} ${origin} ${destination} ${ordinal}`);
  expect(new Set(ids).size).toBe(20_000);
  expect(chunks.flat().filter(({ ordinal }) => ordinal > 0)).toHaveLength(2);
  expect(chunks[0]?.[0]).toEqual<Flight>({
    time: Date.UTC(2001, 0, 1, 0, 47),
    delay: 66,
    distance: 1750,
    origin: 'DTW',
    destination: 'LAS',
    ordinal: 0,
  });
});

test('flights of the same minute and route are counted, over the edge of a chunk too', async () => {
  const rows = [flight(), flight({ destination: 'CCC' }), flight(), flight(), flight({ date: '2001/01/01 10:01' })];
  const chunks = await flightsOf(JSON.stringify(rows), 2);
  expect(chunks.flat().map(({ ordinal }) => ordinal)).toEqual([0, 0, 1, 2, 0]);
});

test.each([
  ['a date that is none', flight({ date: 'yesterday' }), 'flight 2: the date is not a point in time'],
  ['a delay that is none', flight({ delay: 'late' }), "flight 2: the delay 'late' is not a whole number"],
  ['a negative distance', flight({ distance: -1 }), "flight 2: the distance '-1' is not a number of miles"],
  ['no destination', flight({ destination: '' }), 'flight 2: there is no destination'],
  ['an earlier time', flight({ date: '2000/12/31 23:59' }), 'flight 2: departs before the one in front of it'],
  ['nothing in it', null, 'flight 2: the date is not a point in time'],
])('a flight with %s is named', async (_, row, message) => {
  await expect(flightsOf(JSON.stringify([flight(), row]))).rejects.toThrow(`flights-20k.json, ${message}`);
});

test('a file that is cut off or missing says so', async () => {
  await expect(flightsOf('[{"date":')).rejects.toThrow('flights-20k.json: is not JSON');
  await writeFile(join(folder, 'flights-3m.parquet'), 'PAR1 this is cut off');
  await expect(all(readFlights(folder, '3m', 100))).rejects.toThrow(
    'flights-3m.parquet: is not a readable Parquet file',
  );
  await expect(all(readFlights(join(folder, 'nowhere'), '3m', 100))).rejects.toThrow('cannot be read; --source DIR');
});

test('the Parquet file is read group by group', async () => {
  const flights = readFlights(defaultSource(), '3m', 100_000);
  let seen = 0;
  for await (const chunk of flights) {
    if (seen === 0)
      expect(chunk[0]).toMatchObject({ time: Date.UTC(2001, 0, 1, 0, 1), delay: 33, distance: 2176, origin: 'LAS' });
    seen += chunk.length;
    if (seen >= 300_000) break; // into the second group
  }
  expect(seen).toBe(300_000);
});
