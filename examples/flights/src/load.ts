/**
 * Loads the data through units of work, a chunk each. What a chunk adds and how far the part has come are written in one,
 * whatever databases they are in, so that a job that is killed anywhere goes on, when it is started again, behind the last
 * chunk that was committed: nothing is missing and nothing is there twice.
 */
import type { Storeweave, UnitOfWork } from '@storeweave/core';
import { readAirports } from './data/airports.js';
import { DataError } from './data/data-error.js';
import { readFlights } from './data/flights.js';
import { FLIGHT_SETS } from './data/source.js';
import { Airport, AirportGuide, FlightDelay, LoadProgress, Route } from './model.js';
import type { Options } from './options.js';
import type { Progress } from './progress.js';
import type { Places } from './stores.js';
import { type GuideFacts, type RouteCount, Tally } from './tally.js';

/** What the loading has done. */
export interface LoadReport {
  /** Records written by this run; 0 where an earlier one had loaded everything. */
  readonly loaded: number;
  /** Records that were there before. */
  readonly found: number;
  readonly seconds: number;
}

/** What is there does not go with what was asked for; nothing was changed. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

type Part = 'airports' | 'flights' | 'routes' | 'guides';

const PARTS: readonly Part[] = ['airports', 'flights', 'routes', 'guides'];

/** Loads what is not there yet. Throws `DataError`, `RefusedError`, and the errors of the stores. */
export async function load(
  weave: Storeweave,
  places: Places,
  options: Options,
  progress: Progress,
  signal: AbortSignal,
): Promise<LoadReport> {
  const started = performance.now();
  const before = await progressRows(weave);
  refuseOtherFlights(before, places, options);
  const loader = new Loader(weave, options, progress, signal, before);
  if (!PARTS.every((part) => loader.isComplete(part))) await loadParts(loader, options);
  return { loaded: loader.loaded, found: loader.found, seconds: (performance.now() - started) / 1000 };
}

async function loadParts(loader: Loader, { source, flights, chunk }: Options): Promise<void> {
  const places = new Map<string, { latitude: number; longitude: number }>();
  const airports = [];
  for await (const airport of readAirports(source)) {
    airports.push(airport);
    places.set(airport.iata, { latitude: airport.latitude, longitude: airport.longitude });
  }
  await loader.run('airports', airports.length, inChunks(airports, chunk), (uow, some) =>
    uow.repository(Airport).insert(some),
  );

  // All flights pass by, those that are loaded already too: the routes and guides are counted from them.
  const tally = new Tally();
  const counted = (async function* () {
    for await (const flights_ of readFlights(source, flights, chunk)) {
      for (const flight of flights_) tally.add(flight);
      yield flights_;
    }
  })();
  await loader.run('flights', FLIGHT_SETS[flights].flights, counted, async (uow, some) => {
    await uow.series(FlightDelay).insert(
      some.map(({ time, origin, destination, ordinal, delay }) => ({
        time: new Date(time),
        origin,
        destination,
        ordinal,
        delay,
      })),
    );
  });

  const routes: RouteCount[] = tally.routes();
  await loader.run('routes', routes.length, inChunks(routes, chunk), (uow, some) => uow.repository(Route).insert(some));

  const guides: [string, GuideFacts][] = [...tally.guides()];
  await loader.run('guides', guides.length, inChunks(guides, chunk), (uow, some) => {
    const written = some.map(([iata, facts]) => {
      const location = places.get(iata);
      if (location === undefined)
        throw new DataError('airports.csv', undefined, `flights leave ${iata}, which is not in it`);
      return { iata, location, ...facts };
    });
    return uow.repository(AirportGuide).insert(written);
  });
}

/** Writes parts, chunk by chunk, and knows how far each has come. */
class Loader {
  loaded = 0;
  readonly found: number;
  readonly #done: Map<string, LoadProgress>;

  constructor(
    private readonly weave: Storeweave,
    private readonly options: Options,
    private readonly progress: Progress,
    private readonly signal: AbortSignal,
    before: readonly LoadProgress[],
  ) {
    this.#done = new Map(before.map((row) => [row.part, row]));
    this.found = before.reduce((sum, { done }) => sum + done, 0);
  }

  isComplete(part: Part): boolean {
    return this.#done.get(part)?.complete ?? false;
  }

  /** Writes the records of a part that are not there yet. `chunks` gives all of them, in an order that never changes. */
  async run<T>(
    part: Part,
    total: number,
    chunks: AsyncIterable<readonly T[]> | Iterable<readonly T[]>,
    write: (uow: UnitOfWork, records: readonly T[]) => Promise<unknown>,
  ): Promise<void> {
    const before = this.#done.get(part)?.done ?? 0;
    const complete = this.isComplete(part);
    if (!complete) this.progress.start(part, before, total);
    let seen = 0;
    try {
      for await (const chunk of chunks) {
        this.signal.throwIfAborted();
        const rest = chunk.slice(Math.max(0, before - seen));
        seen += chunk.length;
        if (complete || rest.length === 0) continue;
        await this.weave.transaction({ label: `load ${part}`, flush: 'commit' }, async (uow) => {
          await write(uow, rest);
          await this.#note(uow, part, seen - rest.length, seen, false);
        });
        this.loaded += rest.length;
        this.progress.advance(rest.length);
      }
      if (!complete) await this.weave.transaction((uow) => this.#note(uow, part, seen, seen, true));
    } finally {
      if (!complete) this.progress.end();
    }
  }

  /** Moves the progress of a part from one count to the next, which fails where another job has moved it meanwhile. */
  async #note(uow: UnitOfWork, part: Part, from: number, to: number, complete: boolean): Promise<void> {
    const row =
      (await uow.repository(LoadProgress).findById(part)) ??
      uow.create(LoadProgress, { part, flights: this.options.flights, done: 0, complete: false });
    if (row.done !== from) {
      throw new RefusedError(
        `Another job is loading ${part} at the same time: it is at ${row.done}, this one at ${from}.`,
      );
    }
    row.done = to;
    row.complete = complete;
  }
}

async function progressRows(weave: Storeweave): Promise<LoadProgress[]> {
  return weave.repository(LoadProgress).find();
}

function refuseOtherFlights(before: readonly LoadProgress[], { where }: Places, options: Options): void {
  const other = before.find((row) => row.flights !== options.flights);
  if (other === undefined) return;
  throw new RefusedError(
    `The data in ${where} was loaded with --flights ${other.flights}, and --flights ${options.flights} was asked for. ` +
      'Use another place, or --fresh to start over.',
  );
}

/** Deletes all that an earlier run has loaded. */
export async function startOver(weave: Storeweave): Promise<void> {
  // The count first: it must never speak of what is gone. Millions of points are not deleted in one unit of work.
  for (const entity of [LoadProgress, FlightDelay, Route, AirportGuide, Airport]) {
    await weave.repository<object>(entity).delete({});
  }
}

function* inChunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
