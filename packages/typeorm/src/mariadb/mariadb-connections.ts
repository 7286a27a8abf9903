/** Connections of a `DataSource` of MariaDB: TypeORM owns the pool of `mysql2`, and lends them. */
import {
  type AcquireRequest,
  type Mysql2Connection,
  mariadbClient,
  type PgClient,
  type PgConnection,
  type PgConnections,
} from '@storeweave/sql';
import type { DataSource } from 'typeorm';
import { enlistedRunner } from '../portable/enlisted-runner.js';

interface Connection extends Mysql2Connection {
  readonly threadId: number;
  release(): void;
  destroy(): void;
}

/** The parts of TypeORM's driver that we take hold of. */
interface MysqlDriver {
  readonly mysql: { createConnection(config: object): Connection };
  obtainMasterConnection(): Promise<Connection>;
}

/** What of a connection's settings another one needs, to end its statement. */
const address = ['host', 'port', 'user', 'password', 'socketPath', 'ssl', 'connectTimeout'];

export class MariadbConnections implements PgConnections {
  readonly #owned: boolean;
  readonly #clients = new WeakMap<Connection, PgClient>();

  constructor(private readonly dataSource: DataSource) {
    this.#owned = !dataSource.isInitialized;
  }

  get native(): DataSource {
    return this.dataSource;
  }

  async open(): Promise<void> {
    if (!this.dataSource.isInitialized) await this.dataSource.initialize();
  }

  async close(): Promise<void> {
    if (this.#owned && this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  async acquire(_: AcquireRequest): Promise<PgConnection> {
    const connection = await this.#driver.obtainMasterConnection();
    let client = this.#clients.get(connection);
    if (client === undefined) {
      client = mariadbClient(connection, () => this.#kill(connection));
      this.#clients.set(connection, client);
    }
    return {
      client,
      native: (session) => {
        const runner = this.dataSource.createQueryRunner('master');
        Object.assign(runner, { databaseConnection: connection });
        return enlistedRunner(this.dataSource, runner, session).manager;
      },
      release: (broken) => {
        if (broken) connection.destroy();
        else connection.release();
      },
    };
  }

  get #driver(): MysqlDriver {
    return this.dataSource.driver as unknown as MysqlDriver;
  }

  /** The protocol has no word for it: another connection asks. The statement ends by itself where that one fails. */
  #kill({ threadId, config }: Connection): void {
    const settings = Object.entries(config).filter(([name]) => address.includes(name));
    const other = this.#driver.mysql.createConnection(Object.fromEntries(settings));
    other.on('error', () => undefined);
    other.query({ sql: `kill query ${Math.trunc(threadId)}` }, () => other.destroy());
  }
}
