/** A connection of `mysql2` as a client of ours, told by structure: this package depends on no driver. */
import type { PgAnswer } from '../pg-client.js';
import { MARIADB_BYTES } from './mariadb-dialect.js';
import type { MariadbClient } from './mariadb-protocol.js';

type Cell = string | number | bigint | Uint8Array | Date | null;

interface Header {
  readonly affectedRows: number;
}

interface Column {
  readonly name: string;
  readonly columnType?: number;
  readonly type?: number;
  readonly characterSet: number;
}

interface Request {
  readonly sql: string;
  readonly values?: readonly unknown[];
  readonly [option: string]: unknown;
}

type Answered = (error: Error | null, rows?: Cell[][] | Header, columns?: Column[]) => void;

/** The parts of a connection of mysql2 that are used. */
export interface Mysql2Connection {
  readonly config: { jsonStrings?: boolean };
  execute(request: Request, answered: Answered): unknown;
  query(request: Request, answered: Answered): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Everything as it is: no dates, numbers or JSON of JavaScript's in between. */
const exact = {
  rowsAsArray: true,
  dateStrings: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
};

/** What the server prepares; the rest (BEGIN, DDL) goes as text, which has no values in it. */
const prepares = /^\s*(?:select|insert|update|delete|with|replace)\b/i;
/** Character set of bytes, and the types that have one. */
const BINARY = 63;
const texts = new Set([249, 250, 251, 252, 253, 254]);

export function mariadbClient(connection: Mysql2Connection, cancel: () => void): MariadbClient {
  return {
    query: ({ text, values = [] }) =>
      new Promise<PgAnswer>((resolve, reject) => {
        // JSON as its text; it is a setting of the connection, read when the answer's columns come.
        const { config } = connection;
        const { jsonStrings = false } = config;
        config.jsonStrings = true;
        const answered: Answered = (error, rows, columns) => {
          config.jsonStrings = jsonStrings;
          if (error !== null) reject(error);
          else resolve(answerOf(rows, columns));
        };
        const request = { ...exact, sql: text };
        if (values.length > 0 || prepares.test(text)) connection.execute({ ...request, values }, answered);
        else connection.query(request, answered);
      }),
    on: (event, listener) => connection.on(event, listener),
    cancel,
  };
}

function answerOf(rows: Cell[][] | Header | undefined, columns: Column[] | undefined): PgAnswer {
  if (!Array.isArray(rows)) return { command: null, rowCount: rows?.affectedRows ?? 0, rows: [], fields: [] };
  const fields = (columns ?? []).map(({ name, columnType, type = columnType ?? 0, characterSet }) => ({
    name,
    dataTypeID: characterSet === BINARY && texts.has(type) ? MARIADB_BYTES : type,
  }));
  return { command: null, rowCount: rows.length, rows: rows.map(textRow), fields };
}

function textRow(row: Cell[]): (string | null)[] {
  for (let i = 0; i < row.length; i++) {
    const cell = row[i];
    if (typeof cell === 'string' || cell === null || cell === undefined) continue;
    if (cell instanceof Uint8Array) row[i] = Buffer.from(cell).toString('hex');
    else row[i] = cell instanceof Date ? cell.toISOString().replace('T', ' ').replace('Z', '') : String(cell);
  }
  return row as (string | null)[];
}
