/**
 * A transaction domain over connections that somebody else owns: a TypeORM DataSource, a pg pool, a PGlite. Stores that
 * are given the same domain commit together. What its database speaks is its protocol and dialect.
 */
import {
  type Access,
  ConfigurationError,
  InvalidStateError,
  StoreBusyError,
  StoreweaveError,
  type Transaction,
  type TransactionOptions,
} from '@storeweave/core';
import type { Dialect } from './dialect.js';
import { ErrorSubjects } from './error-subjects.js';
import type { AcquireRequest, PgClient, PgConnection, PgConnections } from './pg-client.js';
import { abortedBy, type ClientState, PgSession } from './pg-session.js';
import { PgTransaction } from './pg-transaction.js';
import type { Protocol } from './protocol.js';
import type { SqlDomain, SqlSession, Statement } from './session.js';
import { StatementNames } from './statement-names.js';

export interface DomainOptions {
  /** For messages and metrics. */
  readonly name?: string;
  /** True for a database of one session, where transactions wait for each other. Default: false. */
  readonly exclusive?: boolean;
  /** `false` behind a pooler that refuses named statements (PgBouncer in transaction mode). Default: true. */
  readonly preparedStatements?: boolean;
  /** Limit on each wait for a connection where the caller gives none, in milliseconds. Default: the pool's own. */
  readonly acquireTimeoutMs?: number;
}

interface Holder {
  readonly label: string;
  readonly since: number;
}

export class ConnectionDomain implements SqlDomain {
  readonly name: string;
  readonly exclusive: boolean;
  readonly subjects = new ErrorSubjects();
  readonly #names: StatementNames;
  readonly #holders = new Set<Holder>();
  readonly #states = new WeakMap<PgClient, ClientState>();
  readonly #transactions = new Set<PgTransaction>();
  #users = 0;
  #opening: Promise<void> | undefined;

  constructor(
    private readonly connections: PgConnections,
    private readonly protocol: Protocol,
    readonly dialect: Dialect,
    private readonly options: DomainOptions & { readonly name: string },
  ) {
    this.name = options.name;
    this.exclusive = options.exclusive === true;
    this.#names = new StatementNames(options.preparedStatements !== false);
  }

  async open(): Promise<void> {
    this.#users++;
    this.#opening ??= this.#connect();
    try {
      await this.#opening;
    } catch (error) {
      this.#users--;
      this.#opening = undefined;
      throw this.protocol.mapError(error, this.subjects);
    }
  }

  async close(): Promise<void> {
    if (this.#users === 0 || --this.#users > 0) return;
    this.#opening = undefined;
    // A pool waits for what it has lent, and would wait for ever for a transaction that nobody ends.
    const closed = new InvalidStateError(
      `"${this.name}" was closed while the transaction was running; nothing of it was written.`,
    );
    await Promise.all([...this.#transactions].map((transaction) => transaction.abandon(closed)));
    await this.connections.close();
  }

  async #connect(): Promise<void> {
    await this.connections.open();
    const problem = await this.use({ label: 'open' }, (session) =>
      this.protocol.check(async (text) => (await session.query({ text, values: [] })).rows[0] ?? []),
    );
    if (problem !== undefined) {
      await this.connections.close();
      throw new ConfigurationError(`The database of "${this.name}" cannot be used: ${problem}.`);
    }
  }

  async begin(options: TransactionOptions): Promise<Transaction> {
    const { session, released } = await this.#acquire(
      'transaction',
      options.label,
      options.acquireTimeoutMs,
      options.signal,
    );
    const transaction: PgTransaction = new PgTransaction(this, this.protocol, session, options, (broken) => {
      this.#transactions.delete(transaction);
      released(broken);
    });
    this.#transactions.add(transaction);
    await transaction.start();
    return transaction;
  }

  async use<R>(access: Access, work: (session: SqlSession) => Promise<R>): Promise<R> {
    const { signal, timeoutMs } = access;
    if (access.transaction !== undefined) return this.#own(access.transaction).use({ signal, timeoutMs }, work);
    const { session, released } = await this.#acquire('statement', access.label, undefined, signal);
    try {
      return await work(
        signal === undefined && timeoutMs === undefined ? session : session.limited({ signal, timeoutMs }),
      );
    } finally {
      // After an abort the server may still be at it: the connection goes back when it has answered.
      if (session.isBusy) void session.idle().then((isIdle) => released(!isIdle));
      else released(false);
    }
  }

  async commitAfter(statement: Statement, { transaction }: Access): Promise<void> {
    if (transaction === undefined) throw new InvalidStateError('Only a transaction can be committed.');
    await this.#own(transaction).commitAfter(statement);
  }

  nativeOf(access: Access): unknown {
    return access.transaction === undefined ? this.connections.native : this.#own(access.transaction).native();
  }

  /** A driver's error as one of ours. */
  mapError(error: unknown): StoreweaveError {
    return this.protocol.mapError(error, this.subjects);
  }

  forgetStatements(): void {
    this.#names.forget();
  }

  #own(transaction: Transaction): PgTransaction {
    if (transaction instanceof PgTransaction && transaction.domain === this) return transaction;
    throw new InvalidStateError(
      `A transaction of domain "${transaction.domain.name}" was given to a store of domain "${this.name}".`,
    );
  }

  async #acquire(
    purpose: AcquireRequest['purpose'],
    label = purpose as string,
    timeoutMs = this.options.acquireTimeoutMs,
    signal?: AbortSignal,
  ) {
    if (signal?.aborted === true) throw abortedBy(signal);
    const connection = await this.#connection({ purpose, label, timeoutMs, signal });
    const state = this.#watch(connection.client);
    const holder = { label, since: Date.now() };
    this.#holders.add(holder);
    let isReleased = false;
    const released = (broken: boolean) => {
      if (isReleased) return;
      isReleased = true;
      this.#holders.delete(holder);
      connection.release(broken || state.broken);
    };
    return {
      session: new PgSession(connection, this.protocol, this.subjects, this.#names, purpose === 'transaction', state),
      released,
    };
  }

  /** A client that fails while it is on loan tells so by an event, which would end the process if nobody listened. */
  #watch(client: PgClient): ClientState {
    const known = this.#states.get(client);
    if (known !== undefined) return known;
    const state: ClientState = { broken: false };
    this.#states.set(client, state);
    client.on('error', (error) => {
      state.broken = true;
      state.error ??= error;
    });
    return state;
  }

  async #connection(request: AcquireRequest): Promise<PgConnection> {
    const acquired = this.connections.acquire(request);
    const { timeoutMs, signal } = request;
    try {
      if (timeoutMs === undefined && signal === undefined) return await acquired;
      return await limitedWait(acquired, request, () => this.#busy(request));
    } catch (error) {
      if (error instanceof StoreweaveError) throw error;
      if (/timeout exceeded when trying to connect/.test((error as Error).message)) throw this.#busy(request, error);
      throw this.protocol.mapError(error, this.subjects);
    }
  }

  #busy({ label, timeoutMs }: AcquireRequest, cause?: unknown): StoreBusyError {
    const now = Date.now();
    const held = [...this.#holders].map((each) => `"${each.label}" for ${now - each.since} ms`).join(', ');
    const limit = timeoutMs === undefined ? 'in time' : `within ${timeoutMs} ms`;
    return new StoreBusyError(
      `No connection to "${this.name}" became free for "${label}" ${limit}. Held by: ${held === '' ? 'nobody of this process (the server does not answer)' : held}. Keep transactions short, or raise the pool size.`,
      { cause },
    );
  }
}

/** A connection that arrives after its waiter has left goes straight back. */
function limitedWait(
  acquired: Promise<PgConnection>,
  { timeoutMs, signal }: AcquireRequest,
  busy: () => StoreBusyError,
): Promise<PgConnection> {
  return new Promise((resolve, reject) => {
    let gone = false;
    const leave = (error: Error) => {
      gone = true;
      clear();
      reject(error);
    };
    const onAbort = () => leave(abortedBy(signal));
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => leave(busy()), timeoutMs);
    const clear = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    acquired.then(
      (connection) => {
        if (gone) connection.release(false);
        else {
          clear();
          resolve(connection);
        }
      },
      (error: unknown) => {
        clear();
        reject(error);
      },
    );
  });
}
