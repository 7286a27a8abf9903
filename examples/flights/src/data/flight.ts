/** A flight as the files have it, and what can be wrong with one. */
export interface FlightRecord {
  /** Scheduled departure, milliseconds since the epoch, to the minute. */
  readonly time: number;
  /** Arrival delay in minutes; negative for early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** The problem with a record, if there is one. */
export function problemOf(record: FlightRecord): string | undefined {
  if (!Number.isInteger(record.time)) return 'the date is not a point in time';
  if (!Number.isInteger(record.delay)) return `the delay '${record.delay}' is not a whole number of minutes`;
  if (!(Number.isInteger(record.distance) && record.distance >= 0))
    return `the distance '${record.distance}' is not a number of miles`;
  for (const end of ['origin', 'destination'] as const) {
    if (typeof record[end] !== 'string' || record[end] === '') return `there is no ${end}`;
  }
  return undefined;
}
