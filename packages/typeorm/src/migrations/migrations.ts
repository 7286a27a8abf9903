/**
 * TypeORM's migrations for Storeweave's entities: made from the difference between entities and database, run and
 * reverted in order. The files are TypeORM's own, so that its command line and other tools read them.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError, type SchemaChange, SchemaError, type Store } from '@storeweave/core';
import type { MigrationInterface } from 'typeorm';
import { TypeormStore } from '../typeorm-store.js';
import { type MigrationFormat, migrationText } from './migration-file.js';
import { MigrationSteps } from './run-migration.js';

/** Options of `migrations()`. */
export interface MigrationOptions {
  /** Classes in place of the migrations that the store's `DataSource` was given. */
  readonly migrations?: readonly (new () => MigrationInterface)[];
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
  /** Limit on each step, the wait for the lock included, in milliseconds. Default: none. */
  readonly timeoutMs?: number;
}

/** Options of `generate()`. */
export interface GenerateOptions {
  /** What it is about: `AddPhone`. The time is added to it. */
  readonly name: string;
  /** Folder of the file; made if it is not there. */
  readonly directory: string;
  /**
   * What to do with changes that may lose values, or that rows in the database refuse: `refuse` (default) throws and
   * writes nothing, `omit` leaves them out, `include` writes them, each marked by a comment.
   */
  readonly destructive?: 'refuse' | 'omit' | 'include';
  /** Language of the file. Default: 'ts'. */
  readonly format?: MigrationFormat;
}

/** A migration that was written. */
export interface GeneratedMigration {
  /** Name of its class. */
  readonly name: string;
  readonly path: string;
  /** What it does, change by change. */
  readonly changes: readonly SchemaChange[];
}

/** The migrations of a relational store. Made by `migrations()`. */
export class Migrations {
  readonly #steps: MigrationSteps;

  constructor(
    private readonly store: TypeormStore,
    private readonly options: MigrationOptions,
  ) {
    const instances = options.migrations?.map((migration) => new migration());
    this.#steps = new MigrationSteps(store.dataSource, store.domain, store.family, instances);
  }

  /**
   * Writes what the database lacks as a migration, and returns it; an empty list where nothing is to be done. There are
   * two where values are added to an enum, because PostgreSQL only lets the next transaction use them. Runs nothing.
   *
   * Throws `SchemaError` for destructive changes unless told what to do with them, and where migrations wait to be run:
   * their work would be written down twice. Throws `ConfigurationError` for a name that cannot be a class.
   */
  async generate(options: GenerateOptions): Promise<GeneratedMigration[]> {
    const waiting = await this.pending();
    if (waiting.length > 0) {
      throw new SchemaError(
        `A migration is made from what the database lacks, and ${waiting.join(', ')} did not run yet. Run the pending migrations first.`,
      );
    }
    const { destructive = 'refuse', format = 'ts', directory } = options;
    const plan = (await this.store.schema.plan(this.#limits)).filter((change) => change.statements.length > 0);
    const losing = plan.filter((change) => change.destructive);
    if (destructive === 'refuse' && losing.length > 0) throw refusal(losing);
    const changes = destructive === 'omit' ? plan.filter((change) => !change.destructive) : plan;
    const isValue = (change: SchemaChange) => change.statements.some((text) => text.startsWith('ALTER TYPE'));
    const parts = [changes.filter(isValue), changes.filter((change) => !isValue(change))];
    const written: GeneratedMigration[] = [];
    const now = Date.now();
    for (const part of parts.filter((each) => each.length > 0)) {
      const values = written.length === 0 && part !== parts[1] && parts[1]?.length !== 0;
      const name = values ? `${options.name} Values` : options.name;
      const file = migrationText(name, now + written.length, part, format);
      const path = join(directory, file.fileName);
      await mkdir(directory, { recursive: true });
      // Never over a file that is there.
      await writeFile(path, file.text, { flag: 'wx' });
      written.push({ name: file.className, path, changes: part });
    }
    return written;
  }

  /** Names of the migrations that were not run yet, oldest first. */
  async pending(): Promise<string[]> {
    return (await this.#steps.pending(this.#limits)).map(({ name }) => name);
  }

  /** Names of the migrations that the database says were run, oldest first. */
  async executed(): Promise<string[]> {
    return (await this.#steps.executed(this.#limits)).map(({ name }) => name).reverse();
  }

  /**
   * Runs every pending migration, oldest first, each in a transaction of its own (unless it says `transaction = false`),
   * and returns their names. Several processes that run at once take turns, and each migration is run once. Throws
   * `SchemaError` naming the migration that failed; those before it stay.
   */
  async run(): Promise<string[]> {
    const done: string[] = [];
    for (;;) {
      const step = await this.#steps.up(done.length, this.#limits);
      if (step === undefined) return done;
      if (step.ran) done.push(step.name);
    }
  }

  /**
   * Reverts the last migration that was run and returns its name; undefined where none was. Throws `SchemaError` where it
   * fails, or where the migration is not among those given to the store.
   */
  async revert(): Promise<string | undefined> {
    return this.#steps.down(this.#limits);
  }

  get #limits(): Pick<MigrationOptions, 'signal' | 'timeoutMs'> {
    const { signal, timeoutMs } = this.options;
    return { signal, timeoutMs };
  }
}

/**
 * The migrations of a relational store that `Storeweave.open()` has opened; open with `schema: 'ignore'` in the step that
 * runs them, and with `schema: 'verify'` in the application.
 *
 * ```ts
 * const relational = typeorm({ url, migrations: ['dist/migrations/*.js'] });
 * await using weave = await Storeweave.open({ entities, stores: { relational }, schema: 'ignore' });
 * await migrations(relational).generate({ name: 'AddPhone', directory: 'src/migrations' });
 * await migrations(relational).run();
 * ```
 *
 * Throws `ConfigurationError` for another kind of store, or one that is not open.
 */
export function migrations(store: Store, options: MigrationOptions = {}): Migrations {
  if (!(store instanceof TypeormStore)) {
    throw new ConfigurationError(
      'Only a store made by typeorm() or embedded() has migrations of TypeORM; this one is another.',
    );
  }
  if (!store.dataSource.isInitialized) {
    throw new ConfigurationError("The store is not open. Give it to Storeweave.open({ …, schema: 'ignore' }) first.");
  }
  return new Migrations(store, options);
}

function refusal(losing: readonly SchemaChange[]): SchemaError {
  const list = losing
    .map(({ summary, statements }) => `  - ${summary}\n      ${statements.join('\n      ')}`)
    .join('\n');
  return new SchemaError(
    `The migration was not written, because these changes may lose values or be refused by rows that are there:\n${list}\n` +
      "Say destructive: 'include' to have them in it, each with a mark, or 'omit' to leave them out.",
  );
}
