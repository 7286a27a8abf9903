/** Reads flights-20k.json: one array of records with dates as '2001/01/31 17:05'. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from './data-error.js';
import { type FlightRecord, problemOf } from './flight.js';

const DATE = /^(\d{4})\/(\d{2})\/(\d{2}) (\d{2}):(\d{2})$/;

export async function* readJson(source: string, file: string): AsyncGenerator<FlightRecord[]> {
  let text: string;
  try {
    text = await readFile(join(source, file), 'utf8');
  } catch (error) {
    throw new DataError(join(source, file), undefined, 'cannot be read; --source DIR names the folder with the data', {
      cause: error,
    });
  }
  let records: unknown;
  try {
    records = JSON.parse(text);
  } catch (error) {
    throw new DataError(file, undefined, `is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!Array.isArray(records)) throw new DataError(file, undefined, 'is not an array of flights');
  yield records.map((record: Record<string, unknown> | null, i) => {
    const flight = { ...record, time: toTime(record?.date) } as FlightRecord & { date?: unknown };
    const problem = problemOf(flight);
    if (problem !== undefined) throw new DataError(file, `flight ${i + 1}`, problem);
    const { time, delay, distance, origin, destination } = flight;
    return { time, delay, distance, origin, destination };
  });
}

function toTime(date: unknown): number {
  const parts = typeof date === 'string' ? DATE.exec(date)?.slice(1).map(Number) : undefined;
  if (parts === undefined) return Number.NaN;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = parts;
  return Date.UTC(year, month - 1, day, hour, minute);
}
