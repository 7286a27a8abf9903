/**
 * The questions of the job, each asked in the words of the model it is about. None of them asks once per row: the number
 * of queries is the same for ten airports and for ten thousand.
 */
import { count, mean, type Storeweave } from '@storeweave/core';
import { Airport, FlightDelay, LoadProgress, Route } from './model.js';

export interface Busy {
  readonly iata: string;
  readonly name: string;
  readonly city: string | null;
  readonly departures: number;
  /** Minutes. */
  readonly meanDelay: number;
}

/** A busy airport with what its guide says of it. */
export interface BusyWithGuide extends Busy {
  /** Hours of the day. */
  readonly busiestHours: readonly number[];
}

export interface Reach {
  readonly from: string;
  /** Airports that a flight goes to. */
  readonly direct: readonly string[];
  /** The first stops of shortest ways to airports two hops away: those that add most come first. */
  readonly stops: readonly { readonly iata: string; readonly name: string; readonly adds: readonly string[] }[];
}

export interface DayOfDelay {
  /** 'YYYY-MM-DD'. */
  readonly day: string;
  readonly meanDelay: number;
}

export interface WorstWeek {
  readonly iata: string;
  /** Its Monday, 'YYYY-MM-DD'. */
  readonly from: string;
  readonly meanDelay: number;
}

export interface Delays {
  readonly days: readonly DayOfDelay[];
  readonly worst: WorstWeek;
}

/** What `--json` prints. */
export interface Figures {
  readonly airports: number;
  readonly flights: number;
  readonly routes: number;
  readonly points: number;
  readonly busiest: readonly Busy[];
  readonly twoHops: { readonly from: string; readonly direct: number; readonly reachable: number };
  readonly worstWeek: WorstWeek;
}

/** How much there is. */
export async function totals(weave: Storeweave): Promise<Pick<Figures, 'airports' | 'flights' | 'routes' | 'points'>> {
  const loaded = await weave.repository(LoadProgress).findById('flights');
  return {
    airports: await weave.repository(Airport).count(),
    flights: loaded?.done ?? 0,
    routes: await weave.repository(Route).count(),
    points: await weave.repository(FlightDelay).count(),
  };
}

/** The airports with most departures: delays from the series, names from the table, hours from the documents. */
export async function busiestAirports(weave: Storeweave, limit: number): Promise<BusyWithGuide[]> {
  const groups = await weave.series(FlightDelay).window({
    groupBy: ['origin'],
    select: { departures: count(), meanDelay: mean('delay') },
  });
  groups.sort((a, b) => b.departures - a.departures || (a.origin < b.origin ? -1 : 1));
  const top = groups.slice(0, limit);
  const airports = await weave.repository(Airport).findByIds(
    top.map(({ origin }) => origin),
    { populate: ['guide'] },
  );
  const byIata = new Map(airports.map((airport) => [airport.iata, airport]));
  return top.map(({ origin, departures, meanDelay }) => {
    const airport = byIata.get(origin);
    if (airport === undefined) throw new Error(`Flights leave ${origin}, which is no airport.`);
    const { iata, name, city, guide } = airport;
    return { iata, name, city, departures, meanDelay: hundredths(meanDelay), busiestHours: guide.value.busiestHours };
  });
}

/** Where one can get from an airport with one stop at most, and over which stops. */
export async function twoHops(weave: Storeweave, from: string): Promise<Reach> {
  const ways = await weave.graph(Airport).traverse({ from, via: Route, depth: [1, 2] });
  const direct = ways.filter(({ depth }) => depth === 1).map(({ entity }) => entity.iata);
  const stops = new Map<string, { iata: string; name: string; adds: string[] }>();
  for (const { depth, entity, path } of ways) {
    const stop = path[1];
    if (depth !== 2 || stop === undefined) continue;
    const known = stops.get(stop.iata) ?? { iata: stop.iata, name: stop.name, adds: [] };
    known.adds.push(entity.iata);
    stops.set(stop.iata, known);
  }
  for (const { adds } of stops.values()) adds.sort();
  const byUse = [...stops.values()].sort((a, b) => b.adds.length - a.adds.length || (a.iata < b.iata ? -1 : 1));
  return { from, direct: direct.sort(), stops: byUse };
}

/** Mean delay of each day at an airport, and its worst week from Monday to Sunday. */
export async function delays(weave: Storeweave, origin: string): Promise<Delays> {
  const series = weave.series(FlightDelay);
  const select = { meanDelay: mean('delay') } as const;
  const days = await series.window({ where: { origin }, every: '1d', select });
  const weeks = await series.window({ where: { origin }, every: '1w', select });
  const [worst] = weeks.sort(
    (a, b) => (b.meanDelay ?? 0) - (a.meanDelay ?? 0) || a.start.getTime() - b.start.getTime(),
  );
  if (worst === undefined) throw new Error(`No flight leaves ${origin}.`);
  return {
    days: days.map(({ start, meanDelay }) => ({ day: isoDay(start), meanDelay: meanDelay ?? 0 })),
    worst: { iata: origin, from: isoDay(worst.start), meanDelay: hundredths(worst.meanDelay) },
  };
}

/** All figures of the job, as `--json` prints them. */
export async function figures(weave: Storeweave): Promise<Figures> {
  const busiest = await busiestAirports(weave, 10);
  const reach = await twoHops(weave, 'SFO');
  const { worst } = await delays(weave, 'ORD');
  return {
    ...(await totals(weave)),
    busiest: busiest.map(({ iata, name, city, departures, meanDelay }) => ({
      iata,
      name,
      city,
      departures,
      meanDelay,
    })),
    twoHops: { from: reach.from, direct: reach.direct.length, reachable: reach.direct.length + indirect(reach).length },
    worstWeek: worst,
  };
}

/** Airports that are two hops away and not one. */
export function indirect(reach: Reach): string[] {
  return reach.stops.flatMap(({ adds }) => adds);
}

function isoDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Means are given to the hundredth of a minute. */
function hundredths(value: number | null): number {
  return Math.round((value ?? 0) * 100) / 100;
}
