/**
 * One commit that touches all four models: shown as its plan, committed, read back joined, and taken back by another
 * commit, so that the figures of the next run are the same. What is added is marked by a code that no airport has; a job
 * that was killed in between leaves it behind, and the next one takes it away before it counts anything.
 */
import type { Storeweave } from '@storeweave/core';
import { Airport, AirportGuide, FlightDelay, Route } from './model.js';

/** Marks all that the showcase adds. */
const CODE = 'ZZZ';

export interface Showcase {
  /** What the commit was going to do, as text. */
  readonly plan: string;
  readonly milliseconds: number;
  /** What a fresh look finds afterwards, one line each. */
  readonly readBack: readonly string[];
}

export async function showcase(weave: Storeweave): Promise<Showcase> {
  let plan = '';
  const started = performance.now();
  await weave.transaction({ label: 'a new airport', actor: 'demo' }, async (uow) => {
    const airport = uow.create(Airport, {
      iata: CODE,
      name: 'Weavers Field',
      city: 'Loom',
      state: 'CA',
      country: 'USA',
      latitude: 37.5,
      longitude: -122,
    });
    airport.guide.set(
      uow.create(AirportGuide, {
        iata: CODE,
        location: { latitude: 37.5, longitude: -122 },
        departures: 1,
        busiestHours: [9],
        longestRoutes: [{ to: 'SFO', miles: 30 }],
      }),
    );
    uow.create(Route, { from: airport, to: 'SFO', flights: 1, distance: 30 });
    uow.create(FlightDelay, {
      time: new Date(Date.UTC(2001, 0, 1, 9)),
      origin: CODE,
      destination: 'SFO',
      ordinal: 0,
      delay: -4,
    });
    plan = uow.plan().toString();
  });
  const milliseconds = performance.now() - started;

  const airport = await weave.repository(Airport).findById(CODE, { populate: ['guide', 'destinations', 'departures'] });
  if (airport === null) throw new Error('What was committed a moment ago is not there.');
  const { guide, destinations, departures } = airport;
  const readBack = [
    `row       ${airport.iata} ${airport.name}, ${airport.city}`,
    `document  busiest at ${guide.value.busiestHours.join(', ')} o'clock, ${guide.value.departures} departure`,
    `edge      to ${destinations.items.map(({ iata, name }) => `${iata} ${name}`).join(', ')}`,
    `point     ${departures.items.map(({ time, delay }) => `${time.toISOString()}, delay ${delay} min`).join('; ')}`,
  ];
  await takeBack(weave);
  return { plan, milliseconds, readBack };
}

/** Deletes what a showcase has added, if it is there. */
export async function takeBack(weave: Storeweave): Promise<void> {
  // Points are added in units of work over several databases, and deleted in ones of their own.
  await weave.repository(FlightDelay).delete({ origin: CODE });
  await weave.transaction({ label: 'take the airport back' }, async (uow) => {
    await uow.repository(Route).delete({ from: CODE });
    await uow.repository(AirportGuide).delete({ iata: CODE });
    await uow.repository(Airport).delete({ iata: CODE });
  });
}
