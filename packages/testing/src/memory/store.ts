/**
 * A store in memory, for unit tests of the core and as the smallest complete example of the SPI. It keeps all four
 * models, does everything it claims, and counts every call so that a test can assert how many queries were made.
 * Capabilities can be taken away to test how the core does without them; it then refuses what it no longer claims.
 */
import {
  AbortedError,
  type Access,
  type AggregateSpec,
  type BulkWrite,
  type Capabilities,
  type CommitCoordinator,
  type CommitParticipant,
  ConfigurationError,
  type DocumentStore,
  type EntityModel,
  type FieldType,
  type GraphStore,
  type ReadSpec,
  type Rows,
  type SchemaStore,
  type SeriesStore,
  type Store,
  type StoreContext,
  StoreError,
  type StoreInspection,
  type WriteBatch,
  type WriteResult,
} from '@storeweave/core';
import { predicate } from './condition.js';
import { patch } from './documents.js';
import { MemoryDomain } from './domain.js';
import { memoryParticipant } from './fences.js';
import { shortestPath, traverse } from './graph.js';
import { memoryCoordinator } from './journal.js';
import { aggregate, project, select } from './read.js';
import { MemorySchema } from './schema.js';
import { window } from './series.js';
import { MemoryTransaction } from './transaction.js';
import { copy, type Stored } from './values.js';
import { bulk, write } from './write.js';

/** One call that the store has had. */
export interface StoreCall {
  /** Name of the SPI's method: `read`, `insert`, `update`, `delete`, `bulk`, `count`, `traverse`, … */
  readonly call: string;
  /** Name of the entity, or empty for calls about the whole store. */
  readonly entity: string;
  /** Rows read, written or counted. */
  readonly rows: number;
}

/** Optional parts of the SPI that a memory store can be made without. */
export type OptionalPart = 'stream' | 'count' | 'aggregate' | 'bulk' | 'schema' | 'graph' | 'series' | 'documents';

export interface MemoryStoreOptions {
  /** What commits together with other memory stores; default: a domain of its own. */
  readonly domain?: MemoryDomain;
  /** Overrides what it claims. `transactions` has no effect with `domain`, which decides it. */
  readonly capabilities?: Partial<Capabilities>;
  /** Parts that this store is to lack. */
  readonly without?: readonly OptionalPart[];
}

const types: readonly FieldType[] = [
  'string',
  'text',
  'integer',
  'bigint',
  'float',
  'decimal',
  'boolean',
  'date',
  'timestamp',
  'uuid',
  'json',
  'bytes',
  'enum',
];

/** What `native()` gives: the committed state, or the running transaction's view of it. */
export interface MemoryNative {
  readonly domain: MemoryDomain;
  readonly transaction?: MemoryTransaction;
  /** The rows of an entity as plain objects by column. */
  rows(entity: EntityModel): Record<string, unknown>[];
}

export class MemoryStore implements Store {
  readonly capabilities: Capabilities;
  readonly domain: MemoryDomain;
  /** Every call since the last `calls.length = 0`, in order. */
  readonly calls: StoreCall[] = [];
  readonly schema?: SchemaStore;
  readonly graph?: GraphStore;
  readonly series?: SeriesStore;
  readonly documents?: DocumentStore;
  readonly participant?: CommitParticipant;
  readonly coordinator?: CommitCoordinator;
  readonly #contexts = new Map<string, StoreContext>();

  constructor(options: MemoryStoreOptions = {}) {
    const overrides = options.capabilities ?? {};
    this.domain =
      options.domain ?? new MemoryDomain('transactions' in overrides ? { transactions: overrides.transactions } : {});
    this.capabilities = {
      models: ['relational', 'document', 'graph', 'timeseries'],
      types,
      arrays: true,
      timePrecision: 'ns',
      sequences: true,
      uniqueIndexes: true,
      partialIndexes: false,
      foreignKeys: false,
      relationFilters: true,
      versionChecks: true,
      rowLocks: true,
      limitPerGroup: true,
      upsert: true,
      bulkWrites: true,
      ...overrides,
      transactions: this.domain.transactions,
    };
    const { models } = this.capabilities;
    const lacks = new Set<OptionalPart>(options.without);
    if (!this.capabilities.bulkWrites) lacks.add('bulk');
    for (const part of ['stream', 'count', 'aggregate', 'bulk'] as const)
      if (lacks.has(part)) Object.defineProperty(this, part, { value: undefined });
    const { commit } = this.capabilities;
    if (commit?.coordinates === true) this.coordinator = memoryCoordinator(this.domain);
    if (commit?.participates === 'fence') this.participant = memoryParticipant(this.domain);
    if (commit?.participates === 'append') this.participant = {};
    if (!lacks.has('schema')) this.schema = this.#schema();
    if (!lacks.has('graph') && models.includes('graph')) this.graph = this.#graph();
    if (!lacks.has('series') && models.includes('timeseries')) this.series = this.#series();
    if (!lacks.has('documents') && models.includes('document')) this.documents = this.#documents();
  }

  async open(context: StoreContext): Promise<void> {
    this.#contexts.set(context.name, context);
  }

  async close(): Promise<void> {
    this.#contexts.clear();
  }

  async read(spec: ReadSpec, access: Access): Promise<Rows> {
    this.#claims(spec.perGroup === undefined || this.capabilities.limitPerGroup, 'limitPerGroup');
    this.#claims(spec.lock === undefined || this.capabilities.rowLocks, 'rowLocks');
    return this.#run(
      'read',
      spec.entity,
      access,
      (rows) => rows.length,
      async (transaction) => {
        let found = select(spec, transaction);
        if (spec.lock !== undefined) {
          const keys = found.map((row) => project(spec.entity.ids, row));
          for (const key of keys) await transaction.lockKey(spec.entity, key, access);
          found = select(spec, transaction);
        }
        return found.map((row) => project(spec.fields, row));
      },
    );
  }

  async *stream?(spec: ReadSpec, access: Access & { readonly batchSize: number }): AsyncIterable<Rows> {
    const rows = await this.#run<Stored[]>(
      'stream',
      spec.entity,
      access,
      (found) => found.length,
      async (transaction) => select(spec, transaction),
    );
    for (let at = 0; at < rows.length; at += access.batchSize) {
      checkSignal(access);
      yield rows.slice(at, at + access.batchSize).map((row) => project(spec.fields, row));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async count?(
    entity: EntityModel,
    where: Parameters<NonNullable<Store['count']>>[1],
    access: Access,
  ): Promise<number> {
    return this.#run(
      'count',
      entity,
      access,
      (count) => count,
      async (transaction) => {
        const matches = where === undefined ? () => true : predicate(where, transaction);
        let count = 0;
        for (const row of transaction.rows(entity)) if (matches(row)) count++;
        return count;
      },
    );
  }

  async aggregate?(spec: AggregateSpec, access: Access): Promise<Rows> {
    return this.#run(
      'aggregate',
      spec.entity,
      access,
      (rows) => rows.length,
      async (transaction) => aggregate(spec, transaction),
    );
  }

  async write(batch: WriteBatch, access: Access): Promise<WriteResult> {
    if (batch.op === 'insert') {
      this.#claims(batch.onConflict === undefined || this.capabilities.upsert, 'upsert');
      this.#claims(batch.returning === undefined || this.capabilities.sequences, 'sequences');
    } else this.#claims(batch.versions === undefined || this.capabilities.versionChecks, 'versionChecks');
    return this.#run(
      batch.op,
      batch.entity,
      access,
      (result) => result.count,
      (transaction) => write(batch, transaction, access),
    );
  }

  async bulk?(given: BulkWrite, access: Access): Promise<number> {
    return this.#run(
      'bulk',
      given.entity,
      access,
      (count) => count,
      (transaction) => bulk(given, transaction, access),
    );
  }

  async advanceSequences(entity: EntityModel): Promise<void> {
    const { rows, sequences } = this.domain.table(entity);
    for (const id of entity.ids) {
      if (id.generated !== 'sequence') continue;
      for (const row of rows.values()) {
        const taken = BigInt(row[id.column] as number | bigint);
        if (taken > (sequences.get(id.column) ?? 0n)) sequences.set(id.column, taken);
      }
    }
  }

  async inspect(): Promise<StoreInspection> {
    return {
      product: 'memory',
      version: process.versions.node,
      clockMs: Date.now(),
      missing: ['a life after the process'],
    };
  }

  native(access: Access): MemoryNative {
    const { domain } = this;
    const transaction = this.#own(access);
    return {
      domain,
      ...(transaction === undefined ? {} : { transaction }),
      rows: (entity) =>
        [...(transaction?.rows(entity) ?? domain.table(entity).rows.values())].map(
          (row) => copy(row) as Record<string, unknown>,
        ),
    };
  }

  #schema(): SchemaStore {
    const all = () => [...this.#contexts.values()].flatMap((context) => context.entities);
    const schema = new MemorySchema(this.domain, all, () => [...this.#contexts.keys()]);
    return {
      plan: () => {
        this.calls.push({ call: 'plan', entity: '', rows: 0 });
        return schema.plan();
      },
      apply: (changes) => {
        this.calls.push({ call: 'apply', entity: '', rows: changes.length });
        return schema.apply(changes);
      },
    };
  }

  #graph(): GraphStore {
    return {
      traverse: (spec, access) =>
        this.#run(
          'traverse',
          spec.from,
          access,
          (paths) => paths.length,
          async (transaction) => traverse(spec, transaction),
        ),
      shortestPath: (spec, access) =>
        this.#run(
          'shortestPath',
          spec.steps[0]?.relationship,
          access,
          (path) => path?.edges.length ?? 0,
          async (transaction) => shortestPath(spec, transaction),
        ),
    };
  }

  #series(): SeriesStore {
    return {
      window: (spec, access) =>
        this.#run(
          'window',
          spec.entity,
          access,
          (rows) => rows.length,
          async (transaction) => window(spec, transaction),
        ),
    };
  }

  #documents(): DocumentStore {
    return {
      patch: (spec, access) =>
        this.#run(
          'patch',
          spec.entity,
          access,
          (count) => count,
          (transaction) => patch(spec, transaction, access),
        ),
    };
  }

  /** Runs one call in the given transaction, or in one of its own. */
  async #run<R>(
    call: string,
    entity: EntityModel | undefined,
    access: Access,
    rows: (result: R) => number,
    work: (transaction: MemoryTransaction) => Promise<R>,
  ): Promise<R> {
    checkSignal(access);
    const given = this.#own(access);
    given?.check();
    const record = (count: number) => this.calls.push({ call, entity: entity?.name ?? '', rows: count });
    const transaction = given ?? this.domain.start({ signal: access.signal, label: access.label });
    try {
      // Answers come later, as from a server: a caller that forgets to wait is found out.
      await new Promise((resolve) => setImmediate(resolve));
      checkSignal(access);
      const result = await work(transaction);
      if (given === undefined) await transaction.commit();
      record(rows(result));
      return result;
    } catch (error) {
      record(0);
      if (given === undefined) await transaction.rollback();
      throw error;
    }
  }

  #own(access: Access): MemoryTransaction | undefined {
    const { transaction } = access;
    if (transaction === undefined) return undefined;
    if (transaction instanceof MemoryTransaction && transaction.domain === this.domain) return transaction;
    throw new ConfigurationError(
      `The domain ${this.domain.name} was given a transaction of ${transaction.domain.name}.`,
    );
  }

  #claims(holds: boolean, capability: keyof Capabilities): void {
    if (!holds) throw new StoreError(`The memory store was asked for '${capability}', which it does not claim.`);
  }
}

function checkSignal(access: Access): void {
  if (access.signal?.aborted) throw new AbortedError('The signal ended the call.', { cause: access.signal.reason });
}

/** A store in memory for all four models. */
export function memoryStore(options?: MemoryStoreOptions): MemoryStore {
  return new MemoryStore(options);
}
