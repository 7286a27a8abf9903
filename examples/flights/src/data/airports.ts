/** Reads airports.csv, line by line. A line that is broken ends the reading with its number and what is wrong with it. */
import { createReadStream } from 'node:fs';
import { basename, join } from 'node:path';
import { type CsvError, parse } from 'csv-parse';
import { DataError } from './data-error.js';

export interface AirportRecord {
  readonly iata: string;
  readonly name: string;
  /** Unknown for a few air bases and islands, where the file says NA. */
  readonly city: string | null;
  readonly state: string | null;
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
}

const COLUMNS = ['iata', 'name', 'city', 'state', 'country', 'latitude', 'longitude'] as const;

type Column = (typeof COLUMNS)[number];

/** All airports of the folder's airports.csv, in the order of the file. Throws `DataError`. */
export async function* readAirports(source: string): AsyncGenerator<AirportRecord> {
  const file = join(source, 'airports.csv');
  const name = basename(file);
  const input = createReadStream(file);
  const parser = parse({ info: true, skip_empty_lines: true, bom: true });
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);

  let header: string[] | undefined;
  const seen = new Map<string, number>();
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (header === undefined) {
        header = record;
        const missing = COLUMNS.filter((column) => !record.includes(column));
        if (missing.length > 0) throw new DataError(name, 'line 1', `there is no column ${missing.join(', ')}`);
        continue;
      }
      const place = `line ${info.lines}`;
      const airport = toAirport(header, record, (problem) => new DataError(name, place, problem));
      const before = seen.get(airport.iata);
      if (before !== undefined)
        throw new DataError(name, place, `airport ${airport.iata} was already on line ${before}`);
      seen.set(airport.iata, info.lines);
      yield airport;
    }
  } catch (error) {
    throw readable(error, file, name);
  } finally {
    input.destroy();
  }
  if (header === undefined) throw new DataError(name, undefined, 'the file is empty');
}

function toAirport(header: string[], record: string[], wrong: (problem: string) => DataError): AirportRecord {
  const text = (column: Column): string => {
    const value = record[header.indexOf(column)]?.trim() ?? '';
    if (value === '') throw wrong(`${column} has no value`);
    return value;
  };
  const known = (column: Column): string | null => {
    const value = text(column);
    return value === 'NA' ? null : value;
  };
  const degrees = (column: Column, limit: number): number => {
    const value = Number(text(column));
    if (!(Math.abs(value) <= limit)) {
      throw wrong(`${column} is '${text(column)}' and not a number of degrees between -${limit} and ${limit}`);
    }
    return value;
  };
  return {
    iata: text('iata'),
    name: text('name'),
    city: known('city'),
    state: known('state'),
    country: text('country'),
    latitude: degrees('latitude', 90),
    longitude: degrees('longitude', 180),
  };
}

/** Errors of the file system and of the parser, as `DataError` with the line where there is one. */
function readable(error: unknown, file: string, name: string): unknown {
  if (error instanceof DataError) return error;
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
    return new DataError(file, undefined, 'there is no such file; --source DIR names the folder with the data', {
      cause: error,
    });
  }
  const { lines, message } = error as CsvError & { lines?: number };
  return new DataError(name, lines === undefined ? undefined : `line ${lines}`, message, { cause: error });
}
