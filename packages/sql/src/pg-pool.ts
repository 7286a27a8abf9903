/** Connections from a `pg` pool, for stores that are used without TypeORM. */
import { cancelRunning, type PgClient, type PgConnections, type PgLoneClient } from './pg-client.js';

/** The parts of a `pg.Pool` that are used. */
export interface PgPoolLike {
  connect(): Promise<PgClient & { release(destroy?: boolean): void }>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'connect', listener: (client: PgClient) => void): unknown;
  /** What it makes its clients of. */
  readonly Client?: new (
    options: unknown,
  ) => PgLoneClient;
  readonly options?: unknown;
}

/** A client as the pool makes them, which the pool knows nothing of. */
export function loneClient({ Client, options }: Pick<PgPoolLike, 'Client' | 'options'>): PgLoneClient | undefined {
  return Client && new Client(options);
}

/**
 * Has clients heard for all of their lives. A server that ends a connection in the breath in which it says that it is ready
 * does so before anybody has the client, and an error that nobody hears would end the process; whoever uses the client next
 * is told.
 */
export function hearClients(pool: Pick<PgPoolLike, 'on'>): void {
  pool.on('connect', (client) => client.on('error', () => undefined));
}

/** `native` is the pool outside a transaction, the client inside one. `makePool` is called at `open`. */
export function poolConnections(makePool: () => PgPoolLike): PgConnections {
  let pool: PgPoolLike | undefined;
  const opened = () => {
    if (pool === undefined) {
      pool = makePool();
      // An idle connection that the server ends is not an error of anyone's: the pool has dropped it already.
      pool.on('error', () => undefined);
      hearClients(pool);
    }
    return pool;
  };
  return {
    async open() {
      opened();
    },
    async close() {
      const closing = pool;
      pool = undefined;
      await closing?.end();
    },
    async acquire() {
      const client = await opened().connect();
      return {
        client,
        native: () => client,
        release: (broken) => {
          if (broken) cancelRunning(client);
          client.release(broken);
        },
      };
    },
    lone: () => loneClient(opened()),
    get native() {
      return opened();
    },
  };
}
