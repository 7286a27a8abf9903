/**
 * TypeORM's `EntityManager`, enlisted in a transaction that we have begun: what `native()` hands out inside a unit of
 * work. It works on the transaction's own connection, in turn with our statements, and its own transactions become
 * savepoints. It cannot end ours.
 */
import { InvalidStateError } from '@storeweave/core';
import type { EnlistedSession, PgClient } from '@storeweave/sql';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

interface RunnerInternals {
  databaseConnection: unknown;
  databaseConnectionPromise: Promise<unknown>;
  isTransactionActive: boolean;
  transactionDepth: number;
}

const endsTransaction =
  /^\s*(?:commit|end|abort|rollback(?!\s+(?:work\s+|transaction\s+)?to\b)|prepare\s+transaction)\b/i;

export function enlistedManager(dataSource: DataSource, client: PgClient, session: EnlistedSession): EntityManager {
  const runner = dataSource.createQueryRunner('master');
  const inTurn = clientInTurn(client, session);
  const internals = runner as QueryRunner & RunnerInternals;
  internals.databaseConnection = inTurn;
  internals.databaseConnectionPromise = Promise.resolve(inTurn);
  internals.isTransactionActive = true;
  internals.transactionDepth = 1;
  // Ours to give back, not the runner's.
  runner.release = async () => undefined;
  return runner.manager;
}

function clientInTurn(client: PgClient, session: EnlistedSession): PgClient {
  const query = (...args: [unknown, ...unknown[]]): unknown => {
    const [first] = args;
    const text = typeof first === 'string' ? first : (first as { text?: unknown })?.text;
    const send = client.query as (...given: unknown[]) => unknown;
    if (typeof text === 'string' && endsTransaction.test(text)) {
      return Promise.reject(
        new InvalidStateError(
          'This EntityManager is enlisted in a unit of work, which commits or rolls back by itself. Throw inside the callback to roll back.',
        ),
      );
    }
    const isStream = typeof first === 'object' && first !== null && 'submit' in first;
    if (isStream || typeof args.at(-1) === 'function') return send.apply(client, args);
    return session.exclusively(() => send.apply(client, args) as Promise<unknown>);
  };
  return new Proxy(client, {
    get(target, key) {
      if (key === 'query') return query;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
