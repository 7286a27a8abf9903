/**
 * The figures of the job by other means: straight from the files with plain loops, sharing no code with the job. The
 * tests hold the job against these.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Figures } from './questions.js';

const DAY = 86_400_000;

interface Row {
  readonly at: number;
  readonly delay: number;
  readonly origin: string;
  readonly destination: string;
}

const file = (name: string) =>
  createRequire(import.meta.url)
    .resolve('vega-datasets')
    .replace(/build.index\.js$/, `data/${name}`);

async function rows20k(): Promise<Row[]> {
  const raw = JSON.parse(await readFile(file('flights-20k.json'), 'utf8')) as (Row & { date: string })[];
  return raw.map((row) => ({ ...row, at: Date.parse(`${row.date.replaceAll('/', '-').replace(' ', 'T')}:00Z`) }));
}

async function rows3m(): Promise<Row[]> {
  const raw = await parquetReadObjects({ file: await asyncBufferFromFile(file('flights-3m.parquet')), compressors });
  return raw.map((row) => ({
    at: Number(row.date),
    delay: Number(row.delay),
    origin: row.origin,
    destination: row.destination,
  }));
}

export async function figuresFromFiles(set: '20k' | '3m'): Promise<Figures> {
  const rows = set === '3m' ? await rows3m() : await rows20k();
  const lines = (await readFile(file('airports.csv'), 'utf8')).trim().split('\n').slice(1);
  // Good enough for the two columns that are asked for: no comma is quoted before the city of a busy airport.
  const names = new Map(lines.map((line) => [line.split(',')[0], line.split(',').slice(1, 3)]));

  const departures = byOrigin(rows);
  const busiest = [...departures]
    .map(([iata, own]) => ({
      iata,
      name: names.get(iata)?.[0] ?? '',
      city: names.get(iata)?.[1] ?? null,
      departures: own.length,
      meanDelay: hundredths(own.reduce((sum, row) => sum + row.delay, 0) / own.length),
    }))
    .sort((a, b) => b.departures - a.departures || (a.iata < b.iata ? -1 : 1))
    .slice(0, 10);

  const next = new Map<string, Set<string>>();
  for (const row of rows) next.set(row.origin, (next.get(row.origin) ?? new Set()).add(row.destination));
  const direct = new Set(next.get('SFO'));
  const reachable = new Set(direct);
  for (const stop of direct) for (const end of next.get(stop) ?? []) reachable.add(end);
  reachable.delete('SFO');

  const weeks = new Map<number, number[]>();
  for (const row of departures.get('ORD') ?? []) {
    const day = Math.floor(row.at / DAY);
    const monday = day - ((new Date(row.at).getUTCDay() + 6) % 7);
    const delays = weeks.get(monday);
    if (delays === undefined) weeks.set(monday, [row.delay]);
    else delays.push(row.delay);
  }
  const [worst] = [...weeks]
    .map(([monday, delays]) => ({ monday, mean: delays.reduce((sum, delay) => sum + delay, 0) / delays.length }))
    .sort((a, b) => b.mean - a.mean);
  if (worst === undefined) throw new Error('no flight leaves ORD');

  return {
    airports: lines.length,
    flights: rows.length,
    routes: [...next.values()].reduce((sum, ends) => sum + ends.size, 0),
    points: rows.length,
    busiest,
    twoHops: { from: 'SFO', direct: direct.size, reachable: reachable.size },
    worstWeek: {
      iata: 'ORD',
      from: new Date(worst.monday * DAY).toISOString().slice(0, 10),
      meanDelay: hundredths(worst.mean),
    },
  };
}

function byOrigin(rows: Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.origin);
    if (group === undefined) groups.set(row.origin, [row]);
    else group.push(row);
  }
  return groups;
}

const hundredths = (value: number) => Math.round(value * 100) / 100;
