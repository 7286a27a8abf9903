/**
 * What is counted while the flights pass by: how often each route is flown, and when flights leave each airport. Its
 * size depends on the number of routes and airports, not of flights.
 */
import type { Flight } from './data/flights.js';
import type { LongRoute } from './model.js';

export interface RouteCount {
  readonly from: string;
  readonly to: string;
  readonly flights: number;
  readonly distance: number;
}

export interface GuideFacts {
  readonly departures: number;
  readonly busiestHours: number[];
  readonly longestRoutes: readonly LongRoute[];
}

interface Departures {
  readonly hours: number[];
  /** Destination to its count of flights and distance in miles. */
  readonly to: Map<string, { flights: number; distance: number }>;
}

export class Tally {
  readonly #airports = new Map<string, Departures>();

  add({ origin, destination, distance, time }: Flight): void {
    let airport = this.#airports.get(origin);
    if (airport === undefined) {
      airport = { hours: new Array<number>(24).fill(0), to: new Map() };
      this.#airports.set(origin, airport);
    }
    const hour = new Date(time).getUTCHours();
    airport.hours[hour] = (airport.hours[hour] ?? 0) + 1;
    const route = airport.to.get(destination);
    if (route === undefined) airport.to.set(destination, { flights: 1, distance });
    else route.flights += 1;
  }

  /** Every route, in the order of its first flight's airport. */
  routes(): RouteCount[] {
    return [...this.#airports].flatMap(([from, { to }]) =>
      [...to].map(([destination, { flights, distance }]) => ({ from, to: destination, flights, distance })),
    );
  }

  /** Facts for the guide of each airport that a flight leaves. */
  guides(): Map<string, GuideFacts> {
    return new Map([...this.#airports].map(([iata, departures]) => [iata, facts(departures)]));
  }
}

function facts({ hours, to }: Departures): GuideFacts {
  const byCount = hours.map((flights, hour) => ({ hour, flights })).filter(({ flights }) => flights > 0);
  byCount.sort((a, b) => b.flights - a.flights || a.hour - b.hour);
  const routes = [...to].map(([iata, { distance }]) => ({ to: iata, miles: distance }));
  routes.sort((a, b) => b.miles - a.miles || (a.to < b.to ? -1 : 1));
  return {
    departures: hours.reduce((sum, flights) => sum + flights, 0),
    busiestHours: byCount.slice(0, 3).map(({ hour }) => hour),
    longestRoutes: routes.slice(0, 5),
  };
}
