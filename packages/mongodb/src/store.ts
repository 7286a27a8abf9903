/** The document store on MongoDB: each call of the SPI goes to the file that knows how. */
import {
  type Access,
  type AggregateSpec,
  type BulkWrite,
  type Capabilities,
  type Causality,
  type Condition,
  ConfigurationError,
  type DocumentStore,
  type EntityClass,
  type EntityModel,
  type PatchSpec,
  type ReadSpec,
  type Rows,
  type SchemaStore,
  type Store,
  type StoreContext,
  type StoreInspection,
  type WriteBatch,
  type WriteResult,
} from '@storeweave/core';
import type { ClientSession, Db, MongoClient } from 'mongodb';
import { aggregateRows } from './aggregate.js';
import { writeBatch } from './bulk.js';
import { capabilitiesOf } from './capabilities.js';
import { type Change, type ChangesOptions, changesOf } from './changes.js';
import { filterOf } from './condition.js';
import type { Deployment } from './connection.js';
import { MongodbJournal } from './coordinator/journal.js';
import { bulkUpdate, patchUpdate } from './documents.js';
import type { MongodbDomain } from './domain.js';
import { meetingFences, refuseFenced, refuseUnpatched } from './fence-meeting.js';
import { checkNames, shapeOf } from './names.js';
import { MongodbParticipant } from './participant.js';
import { readRows, streamRows } from './read.js';
import { MongodbSchema } from './schema.js';

/** What `native()` gives: pass `{ session }` to each call of the driver, and it is part of the transaction. */
export interface MongodbNative {
  readonly client: MongoClient;
  readonly db: Db;
  /** Of the running transaction; absent outside of one. */
  readonly session?: ClientSession;
}

export class MongodbStore implements Store {
  readonly capabilities: Capabilities;
  readonly schema: SchemaStore;
  /** Undefined before the first call. Reads on secondaries wait for what was observed. */
  readonly causality: Causality = {
    token: async () => this.domain.causality.token(),
    observe: async (token) => this.domain.causality.observe(token),
  };
  readonly documents: DocumentStore = { patch: (spec, access) => this.#patch(spec, access) };
  readonly participant: MongodbParticipant;
  readonly coordinator: MongodbJournal;
  readonly #entities = new Map<string, EntityModel>();

  constructor(readonly domain: MongodbDomain) {
    const entities = () => [...this.#entities.values()];
    this.capabilities = capabilitiesOf(() => domain.begin !== undefined);
    this.schema = new MongodbSchema(domain, entities);
    this.participant = new MongodbParticipant(domain, entities);
    this.coordinator = new MongodbJournal(domain);
  }

  /** What answered at `open()`; undefined before. */
  get deployment(): Deployment | undefined {
    return this.domain.connection.deployment;
  }

  async open(context: StoreContext): Promise<void> {
    const isFenced = context.fenced === true;
    for (const entity of context.entities) {
      checkNames(entity, context.name, isFenced);
      this.#entities.set(entity.name, entity);
      if (isFenced) this.domain.fenced.add(entity);
    }
    await this.domain.open();
    if (isFenced) await this.domain.checkFences();
  }

  async close(): Promise<void> {
    await this.domain.close();
  }

  read(spec: ReadSpec, access: Access): Promise<Rows> {
    return this.domain.use(access, spec.entity, (call) => readRows(spec, call));
  }

  stream(spec: ReadSpec, access: Access & { readonly batchSize: number }): AsyncIterable<Rows> {
    return this.domain.iterate(access, spec.entity, (call) => streamRows(spec, call, access.batchSize));
  }

  count(entity: EntityModel, where: Condition | undefined, access: Access): Promise<number> {
    return this.domain.use(access, entity, ({ collection, options, shown }) =>
      collection(entity).countDocuments({ ...filterOf(where, shapeOf(entity)), ...shown(entity) }, options),
    );
  }

  aggregate(spec: AggregateSpec, access: Access): Promise<Rows> {
    return this.domain.use(access, spec.entity, (call) => aggregateRows(spec, call));
  }

  async write(batch: WriteBatch, access: Access): Promise<WriteResult> {
    this.domain.checkWritable(access);
    const rows = batch.op === 'insert' ? batch.rows.length : batch.keys.length;
    if (rows === 0) return { count: 0 };
    // One document is changed as a whole or not at all, without a transaction.
    const way = rows === 1 ? 'use' : 'atomic';
    return meetingFences(this.domain, batch, access, () =>
      this.domain[way](access, batch.entity, (call) => writeBatch(batch, call)),
    );
  }

  async bulk(write: BulkWrite, access: Access): Promise<number> {
    this.domain.checkWritable(access);
    const { entity } = write;
    const shape = shapeOf(entity);
    const filter = filterOf(write.where, shape);
    const update = write.op === 'updateWhere' ? bulkUpdate(write, shape) : undefined;
    if (write.op === 'updateWhere' && update === undefined) return 0;
    return meetingFences(this.domain, write, access, () =>
      this.domain.atomic(access, entity, async (call) => {
        await refuseFenced(entity, filter, call);
        const collection = call.collection(entity);
        const free = { ...filter, ...call.free(entity) };
        return update === undefined
          ? (await collection.deleteMany(free, call.options)).deletedCount
          : (await collection.updateMany(free, update, call.options)).matchedCount;
      }),
    );
  }

  /**
   * The changes of a class's documents as they happen, whoever makes them. Needs a replica set or a sharded cluster.
   * The first is awaited from the first `next()` on. Leaving the loop ends the stream.
   *
   * ```ts
   * for await (const { kind, id, document, token } of store.changes(Profile, { after: lastToken })) { … }
   * ```
   *
   * Throws `CapabilityError` on a standalone server, `InvalidStateError` where the server's log does not reach back to
   * `after`, `ConnectionError` after `patienceMs` without a server.
   */
  changes<T extends object>(
    target: EntityClass<T>,
    options: ChangesOptions = {},
  ): AsyncGenerator<Change<T>, void, undefined> {
    const entity = [...this.#entities.values()].find((each) => each.target === target);
    if (entity === undefined) {
      throw new ConfigurationError(`${target.name} is not kept in this store, or the store is not open.`, {
        entity: target.name,
      });
    }
    return changesOf<T>(this.domain, entity, options);
  }

  inspect(access: Access): Promise<StoreInspection> {
    return this.domain.use(access, undefined, async ({ db, options }) => {
      // Unlike `serverStatus`, this needs no privilege.
      const { localTime } = await db.command({ hello: 1 }, options);
      const version = this.deployment?.version ?? 'unknown';
      const missing = [];
      if (this.domain.begin === undefined)
        missing.push('transactions: this is a standalone server; make it a replica set, of one member if need be');
      const clock = localTime instanceof Date ? { clockMs: localTime.getTime() } : {};
      return { product: 'MongoDB', version, missing, ...clock };
    });
  }

  native(access: Access): MongodbNative {
    const transaction = this.domain.own(access);
    const { client, db } = transaction?.place ?? this.domain.connection.place;
    const session = transaction?.native();
    return { client, db, ...(session === undefined ? {} : { session }) };
  }

  async #patch(spec: PatchSpec, access: Access): Promise<number> {
    const { entity, target, operations } = spec;
    this.domain.checkWritable(access);
    const shape = shapeOf(entity);
    const where: Condition = 'where' in target ? target.where : { op: 'keys', fields: entity.ids, rows: target.keys };
    const filter = filterOf(where, shape);
    const update = patchUpdate(operations, shape);
    if (update === undefined) return 0;
    const way = 'keys' in target && target.keys.length === 1 ? 'use' : 'atomic';
    return meetingFences(this.domain, spec, access, () =>
      this.domain[way](access, entity, async (call) => {
        const free = { ...filter, ...call.free(entity) };
        const { matchedCount } = await call.collection(entity).updateMany(free, update, call.options);
        if ('where' in target) await refuseFenced(entity, filter, call);
        else if (matchedCount < target.keys.length) await refuseUnpatched(entity, filter, matchedCount, call);
        return matchedCount;
      }),
    );
  }
}
