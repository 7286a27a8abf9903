/** The command line of the job. What it does not understand is an error that says what it would. */
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultSource, FLIGHT_SETS, type FlightSet } from './data/source.js';

export interface Options {
  readonly flights: FlightSet;
  /** Folder of the embedded database; unused with a URL. */
  readonly data: string;
  /** Folder with airports.csv and the flights. */
  readonly source: string;
  /** A PostgreSQL server by its URL, in place of the embedded database. */
  readonly url?: string;
  /** Each model on the engine made for it, in place of the embedded database. */
  readonly real: boolean;
  /** Records of one unit of work while loading. */
  readonly chunk: number;
  readonly fresh: boolean;
  readonly json: boolean;
}

export const USAGE = `Usage: npm run demo -- [options]

  --flights 20k|3m   20,000 flights of early 2001 (default), or all 3,000,000
  --data DIR         folder of the embedded database (default: examples/flights/data/<flights>)
  --stores WHERE     embedded (default); postgres://user:password@host:port/database; or real: PostgreSQL, MongoDB,
                     Neo4j and InfluxDB, by STOREWEAVE_POSTGRES_URL, _MONGODB_URL, _NEO4J_URL and _INFLUXDB_URL,
                     and what has no URL is started for this run
  --fresh            start over: what an earlier run has loaded is deleted first
  --source DIR       folder with airports.csv, flights-20k.json, flights-3m.parquet (default: package vega-datasets)
  --chunk N          records of one unit of work while loading (default: 5000)
  --json             print the figures as one JSON object and nothing else
  --help             print this
`;

/** The command line cannot be understood; the job ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Reads the command line; `undefined` where help was asked for. Relative folders are relative to `cwd`. */
export function readOptions(args: readonly string[], cwd: string): Options | undefined {
  const values = parse(args);
  if (values.help === true) return undefined;
  const flights = values.flights ?? '20k';
  if (!isFlightSet(flights)) {
    throw new UsageError(`--flights takes ${Object.keys(FLIGHT_SETS).join(' or ')}, not '${flights}'.`);
  }
  const folder = (path: string) => (isAbsolute(path) ? path : resolve(cwd, path));
  const { url, real } = readStores(values.stores ?? 'embedded');
  if ((url !== undefined || real) && values.data !== undefined) {
    throw new UsageError('--data is the folder of the embedded database and has no meaning with other --stores.');
  }
  return {
    flights,
    data:
      values.data === undefined
        ? join(fileURLToPath(new URL('../data', import.meta.url)), flights)
        : folder(values.data),
    source: values.source === undefined ? defaultSource() : folder(values.source),
    ...(url === undefined ? {} : { url }),
    real,
    chunk: readChunk(values.chunk ?? '5000'),
    fresh: values.fresh ?? false,
    json: values.json ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        flights: { type: 'string' },
        data: { type: 'string' },
        source: { type: 'string' },
        stores: { type: 'string' },
        chunk: { type: 'string' },
        fresh: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function isFlightSet(name: string): name is FlightSet {
  return Object.hasOwn(FLIGHT_SETS, name);
}

function readChunk(text: string): number {
  const chunk = Number(text);
  if (Number.isInteger(chunk) && chunk > 0 && chunk <= 100_000) return chunk;
  throw new UsageError(`--chunk takes a whole number from 1 to 100000, not '${text}'.`);
}

function readStores(stores: string): Pick<Options, 'url' | 'real'> {
  if (stores === 'embedded') return { real: false };
  if (stores === 'real') return { real: true };
  if (/^postgres(ql)?:\/\//.test(stores) && URL.canParse(stores)) return { url: stores, real: false };
  throw new UsageError(
    `--stores takes 'embedded', 'real' or a URL postgres://user:password@host:port/database, not '${withoutPassword(stores)}'.`,
  );
}

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/, ':***@');
}
