/** Where the data files are: in the npm package vega-datasets, or in a folder that has files of the same names. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Which flights: 20,000 of the first quarter of 2001, or 3,000,000 of its first half. */
export type FlightSet = '20k' | '3m';

export const FLIGHT_SETS: Readonly<Record<FlightSet, { file: string; flights: number }>> = {
  '20k': { file: 'flights-20k.json', flights: 20_000 },
  '3m': { file: 'flights-3m.parquet', flights: 3_000_000 },
};

/** The folder with the files that come with the example. */
export function defaultSource(): string {
  return join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data');
}
