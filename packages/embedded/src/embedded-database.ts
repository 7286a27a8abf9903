/**
 * The owner of a PGlite: starts it, in memory or in a locked folder, hands out its one session in turn, starts it anew
 * after it has died, and closes it. Nobody else has the instance.
 */
import { resolve } from 'node:path';
import type { Extensions, PGlite, PGliteOptions } from '@electric-sql/pglite';
import { ConnectionError, currentScope, DiskFullError, InvalidStateError, StoreError } from '@storeweave/core';
import { SessionGate, type Turn, type TurnOptions } from '@storeweave/sql';
import { DataFolder, damaged, isDiskFull } from './data-folder.js';
import { DurableFiles, startParameters } from './durable-files.js';
import { type Failure, GuardedPGlite } from './guarded-pglite.js';
import { emptyDatabase } from './template.js';
import { Upkeep } from './upkeep.js';

export interface EmbeddedDatabaseOptions {
  /** Folder of the data; in memory if absent. */
  readonly path?: string;
  readonly acquireTimeoutMs: number;
  readonly fsync: boolean;
  readonly extensions?: Extensions;
  /** How often tables are vacuumed while the database is used, in milliseconds. Default: 30,000. */
  readonly upkeepMs?: number;
  /** Called for each new session: nothing that was prepared in one before is known to it. */
  readonly onSession?: () => void;
}

export class EmbeddedDatabase {
  readonly name: string;
  #folder: DataFolder | undefined;
  #pglite: GuardedPGlite | undefined;
  #gate: SessionGate;
  #upkeep: Upkeep | undefined;

  constructor(private readonly options: EmbeddedDatabaseOptions) {
    this.name =
      options.path === undefined ? 'the embedded database in memory' : `the embedded database in ${options.path}`;
    this.#gate = this.#newGate();
    this.#gate.close(new InvalidStateError(`${this.name} is not open.`));
  }

  /** The instance itself. Throws `InvalidStateError` unless open. */
  get pglite(): PGlite {
    if (this.#pglite === undefined) throw new InvalidStateError(`${this.name} is not open.`);
    return this.#pglite;
  }

  /** Throws `FolderLockedError`, `FolderDamagedError`, `DiskFullError` or `ConfigurationError`; nothing is held then. */
  async open(): Promise<void> {
    const { path } = this.options;
    this.#folder = path === undefined ? undefined : DataFolder.open(resolve(path));
    try {
      this.#pglite = await this.#start();
      this.#gate = this.#newGate();
      this.#upkeep = this.#newUpkeep(this.#gate);
    } catch (error) {
      this.#letGo();
      throw error;
    }
  }

  /** Waits for the session; the database is alive when it is handed out. */
  async take(options: TurnOptions): Promise<Turn> {
    const turn = await this.#gate.take(options);
    try {
      if (this.#pglite?.failure !== undefined) this.#pglite = await this.#startAgain(this.#pglite.failure);
    } catch (error) {
      turn.end();
      throw error;
    }
    return {
      end: () => {
        turn.end();
        this.#upkeep?.used();
      },
    };
  }

  /** Writes a checkpoint, ends PostgreSQL and frees the folder. What was committed is safe without it, too. Idempotent. */
  async close(): Promise<void> {
    this.#upkeep?.stop();
    this.#gate.close(new InvalidStateError(`${this.name} is closed.`));
    const pglite = this.#pglite;
    this.#pglite = undefined;
    try {
      await pglite?.close();
    } finally {
      this.#letGo();
    }
  }

  async #start(): Promise<GuardedPGlite> {
    const pglite = await this.#startInstance();
    this.options.onSession?.();
    return pglite;
  }

  async #startInstance(): Promise<GuardedPGlite> {
    const { fsync, extensions } = this.options;
    const folder = this.#folder;
    const common = { ...(extensions !== undefined && { extensions }) };
    const explain = (failure: Failure) => this.#explain(failure);
    if (folder === undefined) {
      const options = { ...common, startParams: startParameters({ fsync: false }), loadDataDir: await emptyDatabase() };
      return GuardedPGlite.start(options, explain);
    }
    const startParams = startParameters({ fsync });
    const start = (path: string, more: PGliteOptions = {}) =>
      GuardedPGlite.start(
        { ...common, ...more, ...(fsync ? { fs: new DurableFiles(path) } : { dataDir: path }), startParams },
        explain,
      );
    if (folder.exists()) return start(folder.database);
    const archive = await emptyDatabase();
    return folder.create((path) => start(path, { loadDataDir: archive }), { fsync });
  }

  async #startAgain(failure: Error): Promise<GuardedPGlite> {
    if (this.#folder === undefined) {
      throw new StoreError(`${this.name} has stopped, and its data is gone with it. Open a new one.`, {
        cause: failure,
      });
    }
    return this.#start();
  }

  #explain({ cause, log, atStart }: Failure): Error {
    const told = log.join(' ');
    const what = told === '' ? (cause instanceof Error ? cause.message : String(cause)) : told;
    if (isDiskFull(cause) || /No space left on device|Disk quota exceeded/.test(told)) {
      return new DiskFullError(
        `There is no room left for ${this.name}: ${what}. Make room and try again; what was committed is safe.`,
        { cause },
      );
    }
    if (atStart && this.#folder !== undefined) return damaged(this.#folder.database, what, cause);
    return new ConnectionError(
      `${this.name} stopped: ${what}. Nothing of an open transaction was written. In a folder it starts again with the next use.`,
      { cause },
    );
  }

  #letGo(): void {
    this.#folder?.close();
    this.#folder = undefined;
  }

  #newUpkeep(gate: SessionGate): Upkeep {
    return new Upkeep({
      everyMs: this.options.upkeepMs ?? 30_000,
      isBusy: () => gate.isBusy,
      // Not through `take` of our own: upkeep is not use.
      take: (options) => gate.take(options),
      pglite: () => this.pglite,
    });
  }

  #newGate(): SessionGate {
    return new SessionGate({ name: this.name, timeoutMs: this.options.acquireTimeoutMs, scope: currentScope });
  }
}
