/**
 * A runner of TypeORM's enlisted in a transaction that we have begun, for drivers whose runners take the connection
 * from their own driver. Its statements go in turn with ours, its transactions are savepoints, and it cannot end ours.
 */
import { InvalidStateError } from '@storeweave/core';
import type { EnlistedSession } from '@storeweave/sql';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

interface RunnerInternals {
  query(...args: unknown[]): Promise<unknown>;
  isTransactionActive: boolean;
  transactionDepth: number;
}

const endsTransaction =
  /^\s*(?:commit|end|abort|begin|start\s+transaction|rollback(?!\s+(?:work\s+|transaction\s+)?to\b))\b/i;

export function enlistedRunner(
  dataSource: DataSource,
  runner: QueryRunner,
  session: EnlistedSession,
): QueryRunner & { readonly manager: EntityManager } {
  const internals = runner as unknown as RunnerInternals;
  const run = internals.query.bind(runner);
  internals.isTransactionActive = true;
  internals.transactionDepth = 1;
  internals.query = (...args) => {
    if (typeof args[0] === 'string' && endsTransaction.test(args[0])) {
      return Promise.reject(
        new InvalidStateError(
          'This EntityManager is enlisted in a unit of work, which commits or rolls back by itself. Throw inside the callback to roll back.',
        ),
      );
    }
    return session.exclusively(() => run(...args));
  };
  // Ours to give back, not the runner's.
  runner.release = async () => undefined;
  return Object.assign(runner, { manager: dataSource.createEntityManager(runner) });
}
