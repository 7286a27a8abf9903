/**
 * A store on a SQL database, but for what its data model alone knows. It compiles what the core asks for against the
 * layouts of its entities and runs it on the domain's connections. The relational store and the document, graph and
 * series stores on PostgreSQL derive from it.
 */
import {
  type Access,
  type AggregateSpec,
  type BulkWrite,
  type Capabilities,
  type CommitCoordinator,
  type CommitParticipant,
  type Condition,
  ConfigurationError,
  DeadlockError,
  type EntityModel,
  type ReadSpec,
  type RelationalStore,
  type Rows,
  SerializationError,
  type Store,
  type StoreContext,
  type StoreInspection,
  type WriteBatch,
  type WriteResult,
} from '@storeweave/core';
import { compileAggregate } from './aggregate.js';
import { BatchWriter } from './batch-writer.js';
import { compileBulk } from './bulk.js';
import { decodeColumns } from './decode.js';
import type { TableLayout } from './layout.js';
import { PortableWriter } from './portable/portable-writer.js';
import { RawSql } from './raw-sql.js';
import { compileCount, compileSelect } from './select.js';
import type { SqlDomain, TextRow } from './session.js';
import { claimTables, releaseTables } from './table-claims.js';
import type { Writer } from './writer.js';

/** A batch that stands alone may meet another one in its way more than once. */
const WRITE_TRIES = 5;

export abstract class SqlStore implements Store {
  abstract readonly capabilities: Capabilities;
  readonly relational: RelationalStore;
  /** The layouts of the entities given at `open`. */
  readonly #layouts = new Map<EntityModel, TableLayout>();
  readonly #writer: Writer;

  constructor(readonly domain: SqlDomain) {
    this.relational = new RawSql(domain);
    this.#writer = this.createWriter();
    // Where it is absent, the core reads page by page.
    if (!domain.dialect.cursors) Object.defineProperty(this, 'stream', { value: undefined });
  }

  get coordinator(): CommitCoordinator | undefined {
    return this.domain.coordinator;
  }

  get participant(): CommitParticipant | undefined {
    return this.domain.participant;
  }

  /** Where the fields of an entity are; asked once for each entity. */
  protected abstract createLayout(entity: EntityModel, context: StoreContext): TableLayout;

  /** What runs write batches. Called while the store is constructed. */
  protected createWriter(): Writer {
    const { dialect } = this.domain;
    if (dialect.writes !== undefined) return new PortableWriter(this.layoutOf, dialect, dialect.writes);
    return new BatchWriter(this.layoutOf);
  }

  /** The layout of an entity that was given at `open`. */
  readonly layoutOf = (entity: EntityModel): TableLayout => {
    const layout = this.#layouts.get(entity);
    if (layout !== undefined) return layout;
    throw new ConfigurationError(`Entity ${entity.name} was not given to this store at open().`, {
      entity: entity.name,
      store: entity.store,
    });
  };

  async open(context: StoreContext): Promise<void> {
    const layouts = context.entities.map((entity) => this.createLayout(entity, context));
    claimTables(this.domain, layouts, this);
    for (const layout of layouts) {
      const { entity } = layout;
      this.#layouts.set(entity, layout);
      this.domain.subjects.add(entity, context.name, entity.source);
    }
    await this.domain.open();
  }

  async close(): Promise<void> {
    releaseTables(this.domain, this);
    await this.domain.close();
  }

  async read(spec: ReadSpec, access: Access): Promise<Rows> {
    const statement = compileSelect(spec, this.layoutOf, this.domain.dialect);
    const { rows } = await this.domain.use(access, (session) =>
      session.query({ ...statement, about: spec.entity, prepare: isByKey(spec.where) }),
    );
    return this.#decoded(rows, spec);
  }

  async *stream(
    spec: ReadSpec,
    access: Access & { readonly batchSize: number },
  ): AsyncGenerator<Rows, void, undefined> {
    const { transaction, signal, label, batchSize, timeoutMs } = access;
    const own =
      transaction === undefined
        ? await this.domain.begin({ readOnly: spec.lock === undefined, signal, label, timeoutMs })
        : undefined;
    try {
      const session = await this.domain.use({ ...access, transaction: own ?? transaction }, async (each) => each);
      const statement = compileSelect(spec, this.layoutOf, this.domain.dialect);
      for await (const rows of session.cursor(statement, batchSize)) yield this.#decoded(rows, spec);
      await own?.commit();
    } finally {
      await own?.rollback();
    }
  }

  /** Decodes in place. */
  #decoded(rows: readonly TextRow[], { fields }: ReadSpec): Rows {
    const { dialect } = this.domain;
    return decodeColumns(
      rows,
      fields.map((field) => dialect.decoder(field)),
    );
  }

  async count(entity: EntityModel, where: Condition | undefined, access: Access): Promise<number> {
    const { rows } = await this.domain.use(access, (session) =>
      session.query({ ...compileCount(entity, where, this.layoutOf, this.domain.dialect), about: entity }),
    );
    return Number(rows[0]?.[0]);
  }

  async aggregate(spec: AggregateSpec, access: Access): Promise<Rows> {
    const { statement, decoders } = compileAggregate(spec, this.layoutOf, this.domain.dialect);
    const about = spec.entity;
    const { rows } = await this.domain.use(access, (session) => session.query({ ...statement, about }));
    return decodeColumns(rows, decoders);
  }

  async write(batch: WriteBatch, access: Access): Promise<WriteResult> {
    const rows = batch.op === 'insert' ? batch.rows.length : batch.keys.length;
    if (rows === 0) return { count: 0 };
    if (access.transaction !== undefined || !this.#writer.needsTransaction(batch)) return this.writeIn(batch, access);
    for (let tries = 1; ; tries++) {
      try {
        return await this.#writeAlone(batch, access);
      } catch (error) {
        // Nothing but this batch was in the transaction, so it can be tried again by us.
        const inTheWay = error instanceof DeadlockError || error instanceof SerializationError;
        if (tries === WRITE_TRIES || !inTheWay) throw error;
      }
    }
  }

  async #writeAlone(batch: WriteBatch, access: Access): Promise<WriteResult> {
    const { signal, label, timeoutMs } = access;
    const transaction = await this.domain.begin({ signal, label, timeoutMs });
    try {
      const result = await this.writeIn(batch, { ...access, transaction });
      await transaction.commit();
      return result;
    } finally {
      await transaction.rollback();
    }
  }

  /** Writes one batch in these circumstances; large ones come with a transaction. */
  protected writeIn(batch: WriteBatch, access: Access): Promise<WriteResult> {
    return this.domain.use(access, (session) => this.#writer.write(session, batch));
  }

  async bulk(write: BulkWrite, access: Access): Promise<number> {
    const statement = compileBulk(write, this.layoutOf, this.domain.dialect);
    const about = write.entity;
    const { count } = await this.domain.use(access, (session) => session.query({ ...statement, about }));
    return count;
  }

  async advanceSequences(entity: EntityModel, access: Access): Promise<void> {
    for (const statement of this.domain.dialect.advanceSequences(entity, this.layoutOf(entity).table)) {
      await this.domain.use(access, (session) => session.query(statement));
    }
  }

  inspect(access: Access): Promise<StoreInspection> {
    return this.domain.use(access, (session) =>
      this.domain.dialect.inspect(async (text) => (await session.query({ text, values: [] })).rows[0] ?? []),
    );
  }

  native(access: Access): unknown {
    return this.domain.nativeOf(access);
  }
}

/** Reads by key come often, with one text per entity. */
function isByKey(where: Condition | undefined): boolean {
  if (where === undefined) return false;
  if (where.op === 'keys') return true;
  if (where.op === 'in') return where.on.field.id;
  if (where.op === 'and') return where.conditions.length > 0 && where.conditions.every(isByKey);
  return where.op === 'eq' && where.on.field.id;
}
