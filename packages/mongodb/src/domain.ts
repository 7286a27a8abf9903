/**
 * The transaction domain of one MongoDB database. Every call runs in a session that is causally consistent with what
 * this domain has done before, so that reads see earlier writes wherever they are answered. What must be all or nothing
 * and was given no transaction gets one of its own, which is done again where it collides with another.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  AbortedError,
  type Access,
  ConfigurationError,
  type EntityModel,
  InvalidQueryError,
  InvalidStateError,
  ReadOnlyError,
  StoreweaveError,
  type TransactionDomain,
  type TransactionOptions,
} from '@storeweave/core';
import type { ClientSession, Collection, Db, Document, MongoClient } from 'mongodb';
import { Causality } from './causality.js';
import type { Connection, Place } from './connection.js';
import { isBehind, isConnectionLoss, mapError } from './errors.js';
import { DURABLE, FREE, SHOWN } from './fence-form.js';
import { SEQUENCES } from './names.js';
import { MongodbTransaction } from './transaction.js';

/** What goes with every command of a call. */
export interface CallOptions {
  readonly session: ClientSession;
  readonly maxTimeMS?: number;
}

/** What was learned about the server's bulk command; see `bulk.ts`. */
export interface BulkSupport {
  command: boolean;
  /** Also as the first command of a transaction. */
  asFirst: boolean;
}

/** One call's way to the database. */
export interface Call {
  readonly db: Db;
  readonly client: MongoClient;
  readonly options: CallOptions;
  /** The transaction around the call, if any. */
  readonly transaction?: MongodbTransaction;
  readonly bulk: BulkSupport;
  collection(entity: EntityModel): Collection;
  /** True where units of work over several stores may put fences on the entity's documents. */
  isFenced(entity: EntityModel): boolean;
  /** Filter of what readers see. */
  shown(entity: EntityModel): Document;
  /** Filter of what writers may change. */
  free(entity: EntityModel): Document;
}

/** Attempts of a transaction that a single call made for itself. */
const ATTEMPTS = 12;

/** A majority that is not there would be waited for without an end. */
const CHECKED = { writeConcern: { ...DURABLE.writeConcern, wtimeout: 10_000 } } as const;

export class MongodbDomain implements TransactionDomain {
  readonly name: string;
  /** Taken away at `open()` where the deployment has no transactions. */
  begin?: (options: TransactionOptions) => Promise<MongodbTransaction>;
  readonly causality = new Causality();
  /** Entities that units of work over several stores may put fences on. */
  readonly fenced = new Set<EntityModel>();
  /** True where its transactions decide units of work over several stores: each commit is then on disk. */
  coordinates = false;
  readonly #bulk: BulkSupport = { command: false, asFirst: true };
  readonly #running = new Set<MongodbTransaction>();

  constructor(
    readonly connection: Connection,
    private readonly commitRetryMs: number,
  ) {
    this.name = `mongodb ${connection.database}`;
    this.begin = (options) => this.#begin(options);
  }

  async open(): Promise<void> {
    const { transactions, bulkCommand } = await this.connection.open();
    this.#bulk.command = bulkCommand;
    if (!transactions) delete this.begin;
  }

  /** Throws `ConfigurationError` where fences would not outlive the server, or could not be installed as a whole. */
  async checkFences(): Promise<void> {
    const { place, deployment, database } = this.connection;
    const refuse = (why: string, cause?: unknown) =>
      new ConfigurationError(
        `The MongoDB of "${database}" cannot take part in units of work over several stores: ${why}.`,
        cause === undefined ? {} : { cause },
      );
    if (this.begin === undefined) {
      throw refuse(
        `it is a ${deployment?.kind} server without transactions. Start it as a replica set, of one member if need be, or open with atomicity: 'best-effort'`,
      );
    }
    try {
      // Changes nothing: there is no such document.
      await place.db.collection(SEQUENCES).updateOne({ _id: { $in: [] } }, { $set: { checked: true } }, CHECKED);
    } catch (error) {
      if (isConnectionLoss(error)) throw mapError(error);
      throw refuse('it does not acknowledge writes that a majority has on disk (w: majority, j: true)', error);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((transaction) => transaction.rollback()));
    this.fenced.clear();
    await this.connection.close();
  }

  /** Work in the given transaction, or by itself. Driver errors come out as ours. */
  async use<R>(access: Access, entity: EntityModel | undefined, work: (call: Call) => Promise<R>): Promise<R> {
    const transaction = this.own(access);
    checkSignal(access);
    if (transaction !== undefined) {
      return transaction.use(async (session) => {
        try {
          return await work(this.#call(transaction.place, session, access, transaction));
        } catch (error) {
          if (isBehind(error)) this.causality.restart(error);
          throw mapError(error, entity);
        }
      });
    }
    try {
      return await this.#alone(access, work);
    } catch (error) {
      if (!isBehind(error)) throw mapError(error, entity);
      this.causality.restart(error);
      return await this.#alone(access, work).catch((again) => {
        throw mapError(again, entity);
      });
    }
  }

  async #alone<R>(access: Access, work: (call: Call) => Promise<R>): Promise<R> {
    const { place } = this.connection;
    const session = this.#session(place);
    try {
      return await work(this.#call(place, session, access));
    } finally {
      this.causality.note(session);
      await session.endSession();
    }
  }

  /** The same for an answer in pieces. Its session lives as long as somebody takes them. */
  async *iterate<R>(
    access: Access,
    entity: EntityModel,
    work: (call: Call) => AsyncGenerator<R, void, undefined>,
  ): AsyncGenerator<R, void, undefined> {
    checkSignal(access);
    const transaction = this.own(access);
    const place = transaction?.place ?? this.connection.place;
    const session = transaction?.native() ?? this.#session(place);
    const pieces = work(this.#call(place, session, access, transaction));
    try {
      for (;;) {
        const next = pieces.next();
        const piece = await (transaction === undefined ? next : transaction.use(() => next));
        if (piece.done === true) return;
        yield piece.value;
      }
    } catch (error) {
      if (isBehind(error)) this.causality.restart(error);
      throw mapError(error, entity);
    } finally {
      await pieces.return();
      if (transaction === undefined) {
        this.causality.note(session);
        await session.endSession();
      }
    }
  }

  /** Work that leaves all of its writes or none, in a transaction of its own where it was given none. */
  async atomic<R>(
    access: Access,
    entity: EntityModel | undefined,
    work: (call: Call) => Promise<R>,
    isJournaled = false,
  ): Promise<R> {
    if (access.transaction !== undefined || this.begin === undefined) return this.use(access, entity, work);
    for (let attempt = 1; ; attempt++) {
      const transaction = await this.#begin({ ...access }, isJournaled);
      try {
        const result = await this.use({ ...access, transaction }, entity, work);
        await transaction.commit();
        return result;
      } catch (error) {
        await transaction.rollback();
        const again = error instanceof StoreweaveError && error.code === 'SERIALIZATION_FAILURE';
        if (!again || attempt === ATTEMPTS || access.signal?.aborted === true) throw error;
        await pause(Math.random() * Math.min(500, 5 * 2 ** attempt));
      }
    }
  }

  /** Refuses to write where the transaction was begun for reading. */
  checkWritable(access: Access): void {
    if (this.own(access)?.options.readOnly === true) {
      throw new ReadOnlyError(`The transaction of "${this.name}" is read-only, and nothing can be written in it.`);
    }
  }

  own({ transaction }: Access): MongodbTransaction | undefined {
    if (transaction === undefined) return undefined;
    if (transaction instanceof MongodbTransaction && transaction.domain === this) return transaction;
    throw new InvalidStateError(
      `A transaction of domain "${transaction.domain.name}" was given to a store of domain "${this.name}".`,
    );
  }

  async #begin(options: TransactionOptions, isJournaled = false): Promise<MongodbTransaction> {
    checkSignal(options);
    const { isolation } = options;
    if (isolation === 'serializable') {
      throw new InvalidQueryError(`MongoDB has no isolation '${isolation}'; its strictest is 'repeatable read'.`);
    }
    const { place } = this.connection;
    const session = this.#session(place);
    const transaction = new MongodbTransaction(this, place, session, options, this.commitRetryMs, () => {
      this.#running.delete(transaction);
      this.causality.note(session);
    });
    transaction.start(isJournaled || this.coordinates);
    this.#running.add(transaction);
    return transaction;
  }

  #session({ client }: Place): ClientSession {
    const session = client.startSession({ causalConsistency: true });
    this.causality.advance(session);
    return session;
  }

  #call({ db, client }: Place, session: ClientSession, { timeoutMs }: Access, transaction?: MongodbTransaction): Call {
    return {
      db,
      client,
      bulk: this.#bulk,
      options: { session, ...(timeoutMs === undefined ? {} : { maxTimeMS: Math.max(1, Math.ceil(timeoutMs)) }) },
      ...(transaction === undefined ? {} : { transaction }),
      collection: (entity) => db.collection(entity.source),
      isFenced: (entity) => this.fenced.has(entity),
      shown: (entity) => (this.fenced.has(entity) ? SHOWN : {}),
      free: (entity) => (this.fenced.has(entity) ? FREE : {}),
    };
  }
}

function checkSignal({ signal }: { readonly signal?: AbortSignal }): void {
  if (signal?.aborted === true) throw new AbortedError('The signal ended the call.', { cause: signal.reason });
}
