/**
 * The one connection that a `DataSource` of SQLite has. A gate hands it out: to Storeweave's statements, and to the
 * user's own on the `DataSource`, which would otherwise get into the transaction that is running. A database of sql.js
 * is in memory; where it has a file, that is written before a commit is over.
 */
import { currentScope, InvalidStateError } from '@storeweave/core';
import {
  type AcquireRequest,
  addFunctions,
  type BetterSqlite,
  isSqljs,
  type PgClient,
  type PgConnection,
  type PgConnections,
  SessionGate,
  type Sqljs,
  sqliteClient,
  type Turn,
} from '@storeweave/sql';
import type { DataSource, QueryRunner } from 'typeorm';
import { enlistedRunner } from '../portable/enlisted-runner.js';
import { saveFile } from './save-file.js';

interface SqliteDriver {
  databaseConnection: BetterSqlite | (Sqljs & { export(): Uint8Array; exec(text: string): unknown });
}

/** Runners whose statements wait for their turn already. */
const guarded = new WeakSet<QueryRunner>();

const begins = /^\s*begin\b/i;
const ends = /^\s*(?:commit|end|rollback(?!\s+(?:transaction\s+)?to\b))\b/i;

export class SqliteConnections implements PgConnections {
  readonly #owned: boolean;
  #gate: SessionGate;
  #client: PgClient | undefined;
  #inTransaction = false;
  /** What has changed until the file was written last. */
  #saved = '';

  constructor(
    private readonly dataSource: DataSource,
    private readonly name: string,
    private readonly timeoutMs: number,
  ) {
    this.#owned = !dataSource.isInitialized;
    this.#gate = this.#newGate();
  }

  get native(): DataSource {
    return this.dataSource;
  }

  async open(): Promise<void> {
    if (!this.dataSource.isInitialized) await this.dataSource.initialize();
    const { databaseConnection } = this.dataSource.driver as unknown as SqliteDriver;
    addFunctions(databaseConnection);
    this.#gate = this.#newGate();
    this.#client = sqliteClient(databaseConnection, (text) => this.#after(text));
    this.#guard(this.dataSource.createQueryRunner());
  }

  async close(): Promise<void> {
    // Whoever has it may still be writing the file.
    const turn = await this.#gate.take({ label: 'close' });
    this.#gate.close(new InvalidStateError(`"${this.name}" was closed.`));
    turn.end();
    this.#client = undefined;
    if (this.#owned && this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  async acquire({ purpose, label, timeoutMs, signal }: AcquireRequest): Promise<PgConnection> {
    const turn = await this.#gate.take({
      ...(label !== purpose && { label: `"${label}"` }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(signal !== undefined && { signal }),
      transaction: purpose === 'transaction',
    });
    const client = this.#client;
    if (client === undefined) {
      turn.end();
      throw new InvalidStateError(`"${this.name}" is not open.`);
    }
    return {
      client,
      native: (session) => enlistedRunner(this.dataSource, this.#freshRunner(), session).manager,
      release: () => void this.#release(client, turn),
    };
  }

  #newGate(): SessionGate {
    return new SessionGate({ name: this.name, timeoutMs: this.timeoutMs, scope: currentScope });
  }

  /** A read-only transaction has told the connection to refuse writes. */
  async #release(client: PgClient, turn: Turn): Promise<void> {
    try {
      if (this.#inTransaction) await client.query({ text: 'rollback' });
      await client.query({ text: 'pragma query_only = off' });
    } finally {
      turn.end();
    }
  }

  /** Told of each statement that was run. */
  async #after(text: string): Promise<void> {
    if (begins.test(text)) this.#inTransaction = true;
    else if (ends.test(text)) this.#inTransaction = false;
    if (!this.#inTransaction) await this.#save();
  }

  /** Writes the file of a database in memory, where something has changed since the last time. */
  async #save(): Promise<void> {
    const { location } = this.dataSource.options as { location?: string };
    const { databaseConnection } = this.dataSource.driver as unknown as SqliteDriver;
    if (location === undefined || !isSqljs(databaseConnection)) return;
    const state = () => JSON.stringify(databaseConnection.exec('select total_changes(); pragma schema_version'));
    if (state() === this.#saved) return;
    await saveFile(location, databaseConnection.export());
    // The export has opened the database anew.
    addFunctions(databaseConnection);
    databaseConnection.exec('pragma foreign_keys = on');
    this.#saved = state();
  }

  /** A runner apart from the one that the `DataSource` shares among all its users. */
  #freshRunner(): QueryRunner {
    const shared = this.dataSource.createQueryRunner();
    return new (shared.constructor as new (driver: unknown) => QueryRunner)(this.dataSource.driver);
  }

  /** Lets the user's own statements wait for their turn; a transaction of theirs keeps it. */
  #guard(shared: QueryRunner): void {
    const runner = shared as unknown as { query: (...args: unknown[]) => Promise<unknown> };
    if (guarded.has(shared)) return;
    guarded.add(shared);
    const run = runner.query.bind(shared);
    let held: Turn | undefined;
    runner.query = async (...args: unknown[]) => {
      const text = String(args[0]);
      const turn =
        held ?? (await this.#gate.take({ label: 'a query on the DataSource', transaction: begins.test(text) }));
      try {
        const answer = await run(...args);
        if (begins.test(text)) held = turn;
        await this.#after(text);
        return answer;
      } finally {
        if (held === undefined || ends.test(text)) {
          held = undefined;
          turn.end();
        }
      }
    };
  }
}
