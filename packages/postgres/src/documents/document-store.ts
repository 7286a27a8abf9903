/** The document store: one table per class, ids and version as columns, everything else as one indexed JSONB. */
import {
  type Access,
  type BulkWrite,
  type Capabilities,
  type Condition,
  ConfigurationError,
  type DocumentStore,
  type EntityModel,
  type PatchSpec,
  type ReadSpec,
  type Rows,
  type StoreContext,
} from '@storeweave/core';
import { BatchWriter, type SqlDomain, type TableLayout, withCommit } from '@storeweave/sql';
import { shared } from '../capabilities.js';
import { ModelStore, type PostgresStoreOptions } from '../model-store.js';
import type { TableDesign } from '../schema/design.js';
import { documentDesign } from './document-design.js';
import { compileDocumentInsert } from './document-insert.js';
import { DocumentLayout } from './document-layout.js';
import { compilePatch, operationsOf } from './document-patch.js';
import { readByDocument } from './document-read.js';
import { compileDocumentUpdate } from './document-update.js';

export class PostgresDocumentStore extends ModelStore {
  readonly capabilities: Capabilities = withCommit(this.domain, { ...shared, models: ['document'] });
  readonly documents: DocumentStore = { patch: (spec, access) => this.#patch(spec, access) };

  constructor(domain: SqlDomain, options: PostgresStoreOptions = {}) {
    super(domain, options);
  }

  protected override createLayout(entity: EntityModel, _context: StoreContext): TableLayout {
    return new DocumentLayout(entity, this.schemaOf(entity));
  }

  protected override createDesign(entity: EntityModel): TableDesign {
    return documentDesign(this.#documentLayout(entity));
  }

  protected override createWriter(): BatchWriter {
    return new BatchWriter((entity) => this.layoutOf(entity), {
      insert: (batch) => compileDocumentInsert(batch, this.#documentLayout(batch.entity)),
      update: (batch, masked) => compileDocumentUpdate(batch, masked, this.#documentLayout(batch.entity)),
    });
  }

  override async read(spec: ReadSpec, access: Access): Promise<Rows> {
    const whole = readByDocument(spec, this.#documentLayout(spec.entity));
    return whole === undefined ? super.read(spec, access) : whole.rows(await super.read(whole.spec, access));
  }

  override async *stream(
    spec: ReadSpec,
    access: Access & { readonly batchSize: number },
  ): AsyncGenerator<Rows, void, undefined> {
    const whole = readByDocument(spec, this.#documentLayout(spec.entity));
    if (whole === undefined) yield* super.stream(spec, access);
    else for await (const rows of super.stream(whole.spec, access)) yield whole.rows(rows);
  }

  override async bulk(write: BulkWrite, access: Access): Promise<number> {
    if (write.op === 'deleteWhere') return super.bulk(write, access);
    return this.#change(write.entity, operationsOf(write), write.where, access);
  }

  #patch({ entity, target, operations }: PatchSpec, access: Access): Promise<number> {
    const where: Condition = 'where' in target ? target.where : { op: 'keys', fields: entity.ids, rows: target.keys };
    return this.#change(entity, operations, where, access);
  }

  async #change(
    entity: EntityModel,
    operations: PatchSpec['operations'],
    where: Condition,
    access: Access,
  ): Promise<number> {
    if (operations.length === 0) return 0;
    const statement = compilePatch(entity, operations, where, this.layoutOf, this.#documentLayout(entity));
    const { count } = await this.domain.use(access, (session) => session.query(statement));
    return count;
  }

  #documentLayout(entity: EntityModel): DocumentLayout {
    const layout = this.layoutOf(entity);
    if (layout instanceof DocumentLayout) return layout;
    throw new ConfigurationError(`Entity ${entity.name} is no document.`, { entity: entity.name, store: entity.store });
  }
}
