/**
 * Connections of a TypeORM `DataSource`. TypeORM owns the pool; every way to a connection leads through one place, so
 * that a gate before it (`AcquireHook`) sees Storeweave's own statements and the user's `dataSource.query()` alike.
 */
import { ConfigurationError } from '@storeweave/core';
import {
  type AcquireRequest,
  hearClients,
  loneClient,
  type PgClient,
  type PgConnection,
  type PgConnections,
  type PgLoneClient,
  type PgPoolLike,
} from '@storeweave/sql';
import type { DataSource } from 'typeorm';
import { enlistedManager } from './enlist.js';
import type { AcquireHook } from './options.js';

type Obtained = [client: PgClient, release: (broken?: Error | boolean) => void];

/** The parts of TypeORM's PostgreSQL driver that we take hold of. */
interface PostgresDriverInternals {
  obtainMasterConnection(): Promise<Obtained>;
  /** The pool, while it is initialized. */
  readonly master?: Pick<PgPoolLike, 'on' | 'Client' | 'options'>;
}

export class DataSourceConnections implements PgConnections {
  readonly #owned: boolean;
  readonly #obtainFromPool: () => Promise<Obtained>;
  #heard: PostgresDriverInternals['master'];

  constructor(
    readonly dataSource: DataSource,
    private readonly hook: AcquireHook | undefined,
  ) {
    if (dataSource.options.type !== 'postgres') {
      throw new ConfigurationError(
        `typeorm() works on a DataSource of type "postgres", this one is of type "${dataSource.options.type}".`,
      );
    }
    this.#owned = !dataSource.isInitialized;
    const driver = dataSource.driver as unknown as PostgresDriverInternals;
    this.#obtainFromPool = driver.obtainMasterConnection.bind(driver);
    if (hook !== undefined) {
      driver.obtainMasterConnection = () => this.#obtain({ purpose: 'native', label: 'a query on the DataSource' });
    }
  }

  get native(): DataSource {
    return this.dataSource;
  }

  async open(): Promise<void> {
    if (!this.dataSource.isInitialized) await this.dataSource.initialize();
    const { master } = this.dataSource.driver as unknown as PostgresDriverInternals;
    if (master === undefined || master === this.#heard) return;
    this.#heard = master;
    hearClients(master);
  }

  async close(): Promise<void> {
    if (this.#owned && this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  async acquire(request: AcquireRequest): Promise<PgConnection> {
    const [client, release] = await this.#obtain(request);
    return {
      client,
      native: (session) => enlistedManager(this.dataSource, client, session),
      release: (broken) => release(broken),
    };
  }

  lone(): PgLoneClient | undefined {
    const { master } = this.dataSource.driver as unknown as PostgresDriverInternals;
    return master && loneClient(master);
  }

  async #obtain(request: AcquireRequest): Promise<Obtained> {
    const turn = await this.hook?.(request);
    try {
      const [client, release] = await this.#obtainFromPool();
      const giveBack: Obtained[1] = (broken) => {
        release(broken);
        turn?.release();
      };
      return [client, giveBack];
    } catch (error) {
      turn?.release();
      throw error;
    }
  }
}
