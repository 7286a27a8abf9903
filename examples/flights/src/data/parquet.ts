/**
 * Reads flights-3m.parquet one row group at a time, column by column: what is in memory is the columns of one group
 * (272,727 rows) and the batch that the reader is at.
 */
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DataError } from './data-error.js';
import { type FlightRecord, problemOf } from './flight.js';

const COLUMNS = ['date', 'delay', 'distance', 'origin', 'destination'] as const;
const BATCH = 10_000;

type Column = (typeof COLUMNS)[number];

export async function* readParquet(source: string, name: string): AsyncGenerator<FlightRecord[]> {
  const path = join(source, name);
  const file = await asyncBufferFromFile(path).catch((cause) => {
    throw new DataError(path, undefined, 'cannot be read; --source DIR names the folder with the data', { cause });
  });
  const broken = (cause: unknown): never => {
    throw new DataError(name, undefined, `is not a readable Parquet file: ${(cause as Error).message}`, { cause });
  };
  const metadata = await parquetMetadataAsync(file).catch(broken);
  let row = 0;
  for (const group of metadata.row_groups) {
    const end = row + Number(group.num_rows);
    const columns = new Map<string, unknown[]>();
    await parquetRead({
      file,
      metadata,
      compressors,
      columns: [...COLUMNS],
      rowStart: row,
      rowEnd: end,
      onChunk: ({ columnName, columnData, rowStart }) => {
        const values = columns.get(columnName) ?? [];
        columns.set(columnName, values);
        // A chunk may begin before the rows that were asked for.
        const skip = Math.max(row - rowStart, 0);
        const length = Math.min(columnData.length, end - rowStart);
        for (let i = skip; i < length; i++) values.push(columnData[i]);
      },
    }).catch(broken);
    const column = (of: Column): unknown[] => {
      const values = columns.get(of);
      if (values?.length !== end - row) throw new DataError(name, undefined, `has no complete column ${of}`);
      return values;
    };
    const [date, delay, distance, origin, destination] = COLUMNS.map(column) as [
      unknown[],
      unknown[],
      unknown[],
      unknown[],
      unknown[],
    ];
    for (let from = 0; from < date.length; from += BATCH) {
      const batch: FlightRecord[] = [];
      for (let i = from; i < Math.min(from + BATCH, date.length); i++) {
        const record = {
          time: date[i] instanceof Date ? (date[i] as Date).getTime() : Number.NaN,
          delay: Number(delay[i] ?? Number.NaN),
          distance: Number(distance[i] ?? Number.NaN),
          origin: origin[i] as string,
          destination: destination[i] as string,
        };
        const problem = problemOf(record);
        if (problem !== undefined) throw new DataError(name, `flight ${row + i + 1}`, problem);
        batch.push(record);
      }
      yield batch;
    }
    row = end;
  }
}
