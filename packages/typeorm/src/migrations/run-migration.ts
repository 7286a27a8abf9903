/**
 * Runs or reverts one migration. Each step takes the lock that every change of the schema takes, looks again what is
 * left to do, and keeps what it did together with the row that says so, or neither: TypeORM by itself takes no lock,
 * and two deployments at once ran one migration twice.
 */
import {
  AbortedError,
  type Access,
  CommitUnknownError,
  SchemaError,
  StoreBusyError,
  TimeoutError,
} from '@storeweave/core';
import type { ConnectionDomain } from '@storeweave/sql';
import {
  type DataSource,
  type EntityManager,
  type Migration,
  MigrationExecutor,
  type MigrationInterface,
  type QueryRunner,
} from 'typeorm';
import type { Family } from '../family.js';

type Limits = Pick<Access, 'signal' | 'timeoutMs'>;

export class MigrationSteps {
  readonly #source: DataSource;

  constructor(
    private readonly dataSource: DataSource,
    private readonly domain: ConnectionDomain,
    private readonly family: Family,
    migrations: readonly MigrationInterface[] | undefined,
  ) {
    this.#source =
      migrations === undefined
        ? dataSource
        : (Object.create(dataSource, { migrations: { value: migrations } }) as DataSource);
  }

  /** What was not run yet, oldest first. */
  async pending(limits: Limits): Promise<Migration[]> {
    return this.#inTransaction('pending migrations', limits, (runner) => this.#executor(runner).getPendingMigrations());
  }

  /** Names in the database, the last one first. */
  async executed(limits: Limits): Promise<Migration[]> {
    return this.#inTransaction('executed migrations', limits, (runner) =>
      this.#executor(runner).getExecutedMigrations(),
    );
  }

  /** Runs the oldest pending one; `ran` is false where another process did. Undefined where none is left. */
  async up(done: number, limits: Limits): Promise<{ readonly name: string; readonly ran: boolean } | undefined> {
    const [first] = await this.pending(limits);
    if (first === undefined) return undefined;
    const { name } = first;
    const ran = await this.#keeping(`${name} failed`, kept(done), limits, first, async (runner) => {
      const executor = this.#executor(runner);
      const [next] = await executor.getPendingMigrations();
      if (next?.name !== name) return false;
      await executor.executeMigration(next);
      return true;
    });
    return { name, ran };
  }

  /** Reverts the last one that was run. Undefined where none was. */
  async down(limits: Limits): Promise<string | undefined> {
    const [last] = await this.executed(limits);
    if (last === undefined) return undefined;
    const instance = this.#source.migrations.find((each) => (each.name ?? each.constructor.name) === last.name);
    if (instance === undefined) {
      throw new SchemaError(
        `The last migration that was run, ${last.name}, cannot be reverted: it is not among the migrations given to this store. Add its file, or deploy the version that has it.`,
      );
    }
    const { name } = last;
    await this.#keeping(`${name} could not be reverted`, '', limits, { name, instance }, async (runner) => {
      const executor = this.#executor(runner);
      const [again] = await executor.getExecutedMigrations();
      if (again?.name !== last.name) {
        throw new SchemaError(
          `${last.name} is no longer the last migration: another process ran or reverted one. Look at what is there, then revert again.`,
        );
      }
      await instance.down(runner);
      await executor.deleteMigration(last);
    });
    return last.name;
  }

  #executor(runner?: QueryRunner): MigrationExecutor {
    return new MigrationExecutor(this.#source, runner);
  }

  /** In a transaction of its own, unless the migration says `transaction = false`; then only under the lock. */
  async #keeping<R>(
    what: string,
    rest: string,
    limits: Limits,
    { instance, name }: Pick<Migration, 'instance' | 'name'>,
    step: (runner: QueryRunner) => Promise<R>,
  ): Promise<R> {
    const alone = instance?.transaction === false;
    try {
      return await (alone ? this.#underLock(step) : this.#inTransaction(`migration ${name}`, limits, step, true));
    } catch (error) {
      throw this.#failure(
        what,
        alone ? 'It runs outside a transaction, so a part of it may be done.' : 'Nothing of it was kept.',
        rest,
        error,
      );
    } finally {
      this.domain.forgetStatements();
    }
  }

  async #inTransaction<R>(
    label: string,
    limits: Limits,
    work: (runner: QueryRunner) => Promise<R>,
    lock = false,
  ): Promise<R> {
    const transaction = await this.domain.begin({ ...limits, label });
    try {
      if (lock) await this.domain.use({ transaction, ...limits }, (session) => this.family.lock(session));
      const { queryRunner } = this.domain.nativeOf({ transaction }) as EntityManager;
      const result = await work(queryRunner as QueryRunner);
      if (lock) await this.domain.use({ transaction, ...limits }, (session) => this.family.unlock(session));
      await transaction.commit();
      return result;
    } finally {
      await transaction.rollback();
    }
  }

  async #underLock<R>(work: (runner: QueryRunner) => Promise<R>): Promise<R> {
    const runner = this.dataSource.createQueryRunner('master');
    try {
      const { lockAlone } = this.family;
      if (lockAlone !== undefined) await runner.query(lockAlone.take);
      try {
        return await work(runner);
      } finally {
        if (lockAlone !== undefined) await runner.query(lockAlone.free);
      }
    } finally {
      await runner.release();
    }
  }

  #failure(what: string, extent: string, rest: string, error: unknown): Error {
    if (error instanceof SchemaError) return error;
    const mapped = this.domain.mapError(error);
    const speaksForItself =
      mapped.isRetryable ||
      [TimeoutError, AbortedError, StoreBusyError, CommitUnknownError].some((each) => mapped instanceof each);
    if (speaksForItself) return mapped;
    const said = (error as { message?: string }).message ?? String(error);
    return new SchemaError(`Migration ${what}: ${said} ${extent}${rest}`, { cause: error });
  }
}

function kept(done: number): string {
  if (done === 0) return '';
  return done === 1
    ? ' One migration before it was run and stays.'
    : ` ${done} migrations before it were run and stay.`;
}
