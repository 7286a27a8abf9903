/**
 * The two drivers for SQLite that TypeORM knows, as one: `better-sqlite3` on a file of the disk, and `sql.js`, which is
 * SQLite in WebAssembly and keeps the database in memory. Both answer at once, so a statement cannot be stopped, only
 * the wait for the session. Told by structure: this package depends on no driver.
 */
import type { PgAnswer, PgClient } from '../pg-client.js';
import { aggregateFunctions, functions } from './functions.js';
import { SQLITE_BYTES, SQLITE_NUMBER } from './sqlite-kinds.js';

type Cell = string | number | bigint | Uint8Array | null;

interface BetterStatement {
  readonly reader: boolean;
  raw(on: boolean): BetterStatement;
  all(...values: unknown[]): Cell[][];
  run(...values: unknown[]): { readonly changes: number };
  columns(): { readonly name: string }[];
}

/** The parts of a `Database` of better-sqlite3 that are used. */
export interface BetterSqlite {
  prepare(text: string): BetterStatement;
  function(name: string, options: { readonly deterministic: boolean }, work: (...args: never[]) => unknown): unknown;
  aggregate(name: string, options: object): unknown;
}

interface SqljsStatement {
  bind(values: readonly unknown[]): boolean;
  step(): boolean;
  get(): Cell[];
  getColumnNames(): string[];
  free(): boolean;
}

/** The parts of a `Database` of sql.js that are used. */
export interface Sqljs {
  prepare(text: string): SqljsStatement;
  getRowsModified(): number;
  create_function(name: string, work: (...args: never[]) => unknown): unknown;
  create_aggregate(name: string, functions: object): unknown;
}

interface Ran {
  readonly rows: Cell[][];
  readonly columns: readonly string[];
  readonly changes: number;
}

type Run = (text: string, values: readonly unknown[]) => Ran;

export function isSqljs(database: BetterSqlite | Sqljs): database is Sqljs {
  return 'create_function' in database;
}

/** Gives the database our functions; again after sql.js has written its file, which forgets them. */
export function addFunctions(database: BetterSqlite | Sqljs): void {
  for (const [name, work] of Object.entries(functions)) {
    if (isSqljs(database)) database.create_function(name, work);
    else database.function(name, { deterministic: true }, work);
  }
  for (const { name, fold } of aggregateFunctions) {
    const step = (soFar: string | null, next: Cell) => (next === null ? soFar : fold(soFar, String(next)));
    if (isSqljs(database)) {
      database.create_aggregate(name, { init: () => null, step, finalize: (soFar: string | null) => soFar });
    } else database.aggregate(name, { start: null, deterministic: true, step });
  }
}

const MAX_STATEMENTS = 100;

/** `after` is told of each statement when it is done, and the answer waits for it. */
export function sqliteClient(database: BetterSqlite | Sqljs, after: (text: string) => Promise<void>): PgClient {
  const run = isSqljs(database) ? onSqljs(database) : onBetter(database);
  return {
    async query({ text, values = [] }): Promise<PgAnswer> {
      const { rows, columns, changes } = run(text, values);
      const fields = columns.map((name, i) => ({ name, dataTypeID: kindOf(rows, i) }));
      const answer = { command: null, rowCount: changes, rows: rows.map(textRow), fields };
      await after(text);
      return answer;
    },
    on: () => undefined,
  };
}

function onBetter(database: BetterSqlite): Run {
  const statements = new Map<string, BetterStatement>();
  return (text, values) => {
    let statement = statements.get(text);
    if (statement === undefined) {
      statement = database.prepare(text);
      if (statement.reader) statement.raw(true);
      if (statements.size >= MAX_STATEMENTS) statements.clear();
      statements.set(text, statement);
    }
    // `?1` is a name to this driver.
    const given = values.length === 0 ? [] : [Object.fromEntries(values.map((value, i) => [i + 1, value]))];
    if (!statement.reader) return { rows: [], columns: [], changes: statement.run(...given).changes };
    const rows = statement.all(...given);
    return { rows, columns: statement.columns().map(({ name }) => name), changes: rows.length };
  };
}

function onSqljs(database: Sqljs): Run {
  return (text, values) => {
    const statement = database.prepare(text);
    try {
      statement.bind(values);
      const rows: Cell[][] = [];
      while (statement.step()) rows.push(statement.get());
      const columns = statement.getColumnNames();
      return { rows, columns, changes: columns.length > 0 ? rows.length : database.getRowsModified() };
    } finally {
      statement.free();
    }
  };
}

function textRow(row: Cell[]): (string | null)[] {
  for (let i = 0; i < row.length; i++) {
    const cell = row[i];
    if (typeof cell === 'string' || cell === null || cell === undefined) continue;
    row[i] = cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : String(cell);
  }
  return row as (string | null)[];
}

/** What the values of a column are, by its first one: SQLite's columns have no type of their own. */
function kindOf(rows: readonly Cell[][], column: number): number {
  for (const row of rows) {
    const cell = row[column];
    if (cell === null) continue;
    if (typeof cell === 'number' || typeof cell === 'bigint') return SQLITE_NUMBER;
    return cell instanceof Uint8Array ? SQLITE_BYTES : 0;
  }
  return 0;
}
