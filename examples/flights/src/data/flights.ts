/**
 * Reads flights in chunks, in order of time, whatever the file's format. Times in the data are local to the airport of
 * departure and carry no zone; they are taken as UTC throughout, so that a day or week is that of the airport's clock.
 *
 * Nothing in the data names a single flight: two may leave the same airport for the same destination in the same
 * minute. `ordinal` counts these (0 for the first), so that time, origin, destination and ordinal identify a flight.
 * Counting needs the order of time and the flights of one minute, not all of them.
 */
import { DataError } from './data-error.js';
import type { FlightRecord } from './flight.js';
import { FLIGHT_SETS, type FlightSet } from './source.js';

export interface Flight extends FlightRecord {
  /** Position among the flights of the same minute, origin and destination, from 0. */
  readonly ordinal: number;
}

/** The flights of `set` in the folder `source`, in chunks of `size` (the last may be shorter). Throws `DataError`. */
export async function* readFlights(source: string, set: FlightSet, size: number): AsyncGenerator<Flight[]> {
  const { file } = FLIGHT_SETS[set];
  const records =
    set === '3m'
      ? (await import('./parquet.js')).readParquet(source, file)
      : (await import('./json.js')).readJson(source, file);
  let chunk: Flight[] = [];
  let row = 0;
  let minute = Number.NEGATIVE_INFINITY;
  const inMinute = new Map<string, number>();
  for await (const batch of records) {
    for (const record of batch) {
      row += 1;
      if (record.time < minute) throw new DataError(file, `flight ${row}`, 'departs before the one in front of it');
      if (record.time > minute) {
        minute = record.time;
        inMinute.clear();
      }
      const route = `${record.origin} ${record.destination}`;
      const ordinal = inMinute.get(route) ?? 0;
      inMinute.set(route, ordinal + 1);
      chunk.push({ ...record, ordinal });
      if (chunk.length === size) {
        yield chunk;
        chunk = [];
      }
    }
  }
  if (chunk.length > 0) yield chunk;
}
