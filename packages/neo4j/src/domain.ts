/**
 * What commits together: everything in one Neo4j database. A call inside a unit of work runs in its transaction; a call
 * that stands alone is one statement, or a transaction of its own where it needs several, and is tried again where
 * others came first, since nobody else could do that for it.
 */
import {
  type Access,
  type EntityModel,
  InvalidStateError,
  StoreweaveError,
  type TransactionDomain,
  type TransactionOptions,
} from '@storeweave/core';
import type { Session, Transaction } from 'neo4j-driver';
import type { Connection } from './connection.js';
import { mapError } from './errors.js';
import { abortedBy, limited } from './limits.js';
import type { GraphNames } from './names.js';
import type { Cypher } from './scope.js';
import { type Answer, Neo4jTransaction, type Runner } from './transaction.js';

export type Mode = 'READ' | 'WRITE';

/** How often a call that stands alone is tried again after a deadlock. */
const TURNS = 6;

export class Neo4jDomain implements TransactionDomain {
  readonly #running = new Set<Neo4jTransaction>();

  constructor(
    readonly name: string,
    private readonly connection: Connection,
    private readonly names: GraphNames,
  ) {}

  async begin(options: TransactionOptions): Promise<Neo4jTransaction> {
    const { session, begun } = this.#beginning(options);
    try {
      await begun;
    } catch (error) {
      await closed(session);
      throw mapError(error, this.names);
    }
    return this.#enter(session, begun, options);
  }

  /** BEGIN is sent with the first statement, which tells of its failure, too. */
  #beginning({ readOnly, timeoutMs, signal, label }: TransactionOptions) {
    if (signal?.aborted === true) throw abortedBy(signal);
    const session = this.connection.session(readOnly === true ? 'READ' : 'WRITE');
    return { session, begun: session.beginTransaction(settings(timeoutMs, label)) };
  }

  #enter(session: Session, begun: Transaction, options: TransactionOptions): Neo4jTransaction {
    const leave = (ended: Neo4jTransaction) => this.#running.delete(ended);
    const transaction = new Neo4jTransaction(this, this.names, session, begun, leave, options);
    this.#running.add(transaction);
    return transaction;
  }

  /** One statement. */
  async run(statement: Cypher, access: Access, mode: Mode, about?: EntityModel): Promise<Answer> {
    if (access.transaction !== undefined) return this.own(access).runner(access).run(statement, about);
    return again(() => this.#autocommit(statement, access, mode, about));
  }

  /** Several statements that are kept all or not at all. */
  async atomically<R>(access: Access, mode: Mode, work: (runner: Runner) => Promise<R>): Promise<R> {
    if (access.transaction !== undefined) return work(this.own(access).runner(access));
    return again(async () => {
      const { signal, timeoutMs, label } = access;
      const options = { readOnly: mode === 'READ', signal, timeoutMs, label };
      const { session, begun } = this.#beginning(options);
      begun.catch(() => {});
      const transaction = this.#enter(session, begun, options);
      try {
        const result = await work(transaction.runner({ signal, timeoutMs }));
        await transaction.commit();
        return result;
      } finally {
        await transaction.rollback();
      }
    });
  }

  /** The transaction of a call, which must be one of ours. */
  own(access: Access): Neo4jTransaction {
    const { transaction } = access;
    if (transaction instanceof Neo4jTransaction && transaction.domain === this) return transaction;
    throw new InvalidStateError(
      `A transaction of domain "${transaction?.domain.name}" was given to a store of domain "${this.name}".`,
    );
  }

  /** Ends the transaction of a call that left something in it which must not stay. */
  async end(access: Access, error: StoreweaveError): Promise<void> {
    if (access.transaction !== undefined) await this.own(access).abandon(error);
  }

  /** Ends what is still running, for a store that is closed under it. */
  async close(): Promise<void> {
    const error = new InvalidStateError(
      `"${this.name}" was closed while the transaction was running; nothing of it was written.`,
    );
    await Promise.all([...this.#running].map((transaction) => transaction.abandon(error)));
  }

  async #autocommit({ text, values }: Cypher, access: Access, mode: Mode, about?: EntityModel): Promise<Answer> {
    const { signal, timeoutMs, label } = access;
    if (signal?.aborted === true) throw abortedBy(signal);
    const session = this.connection.session(mode);
    let isLeft = false;
    try {
      const running = Promise.resolve(session.run(text, values, settings(timeoutMs, label)));
      // Closing the session resets its connection, and with it ends what the server is doing for it.
      const { records } = await limited({ signal, timeoutMs }, running, () => {
        isLeft = true;
        void closed(session);
      });
      return records.map((record) => record.get(0) as unknown);
    } catch (error) {
      throw mapError(error, this.names, about);
    } finally {
      if (!isLeft) await closed(session);
    }
  }
}

function settings(timeoutMs: number | undefined, label: string | undefined) {
  return {
    // The server's own limit, for the case that this process can no longer speak.
    ...(timeoutMs === undefined ? {} : { timeout: Math.max(1, Math.ceil(timeoutMs)) }),
    ...(label === undefined ? {} : { metadata: { label } }),
  };
}

async function closed(session: Session): Promise<void> {
  try {
    await session.close();
  } catch {
    // A dead connection leaves the pool without our help.
  }
}

/** Only where the server ended it to let others go first; a lost connection is for the caller to judge. */
async function again<R>(work: () => Promise<R>): Promise<R> {
  for (let turn = 1; ; turn++) {
    try {
      return await work();
    } catch (error) {
      const mayRepeat =
        error instanceof StoreweaveError && (error.code === 'DEADLOCK' || error.code === 'SERIALIZATION_FAILURE');
      if (!mayRepeat || turn >= TURNS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5 * 2 ** turn * (0.5 + Math.random())));
    }
  }
}
