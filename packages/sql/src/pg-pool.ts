/** Connections from a `pg` pool, for stores that are used without TypeORM. */
import { cancelRunning, type PgClient, type PgConnections } from './pg-client.js';

/** The parts of a `pg.Pool` that are used. */
export interface PgPoolLike {
  connect(): Promise<PgClient & { release(destroy?: boolean): void }>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** `native` is the pool outside a transaction, the client inside one. `makePool` is called at `open`. */
export function poolConnections(makePool: () => PgPoolLike): PgConnections {
  let pool: PgPoolLike | undefined;
  const opened = () => {
    if (pool === undefined) {
      pool = makePool();
      // An idle connection that the server ends is not an error of anyone's: the pool has dropped it already.
      pool.on('error', () => undefined);
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
    get native() {
      return opened();
    },
  };
}
