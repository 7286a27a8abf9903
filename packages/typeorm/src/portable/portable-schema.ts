/**
 * The schema on databases whose catalogue TypeORM reads well enough: what its metadata asks for is compared with the
 * tables that its runner finds, and its runner says the statements. Columns are added and never guessed to be renamed;
 * what could lose values is marked and left alone unless it is asked for.
 */
import { type Access, type EntityModel, type SchemaChange, SchemaError, type SchemaStore } from '@storeweave/core';
import type { SqlSession, TableLayout } from '@storeweave/sql';
import { type EntityManager, type EntityMetadata, type QueryRunner, Table, TableForeignKey } from 'typeorm';
import { metadataOf } from '../additive-builder.js';
import type { SchemaParts } from '../family.js';
import { type Compared, compareTable } from './compare-table.js';
import type { TableChanges } from './table-changes.js';

export class PortableSchema implements SchemaStore {
  constructor(
    private readonly parts: SchemaParts,
    private readonly tables: TableChanges,
  ) {}

  plan(access: Access): Promise<SchemaChange[]> {
    return this.parts.domain.use(access, (session) => this.#plan(session));
  }

  async apply(changes: readonly SchemaChange[], access: Access): Promise<void> {
    if (changes.every(({ statements }) => statements.length === 0)) return;
    const { domain } = this.parts;
    try {
      if (access.transaction !== undefined || !this.tables.transactional) {
        await domain.use(access, (session) => this.#apply(session, changes));
        return;
      }
      const { signal, timeoutMs } = access;
      const transaction = await domain.begin({ signal, timeoutMs, label: 'schema apply' });
      try {
        await domain.use({ ...access, transaction }, (session) => this.#apply(session, changes));
        await transaction.commit();
      } finally {
        await transaction.rollback();
      }
    } finally {
      domain.forgetStatements();
    }
  }

  async #apply(session: SqlSession, changes: readonly SchemaChange[]): Promise<void> {
    await this.tables.lock(session);
    try {
      // Whoever held the lock may have done some of it.
      const left = new Set((await this.#plan(session)).flatMap((change) => change.statements));
      for (const change of changes) {
        for (const text of change.statements) if (left.has(text)) await this.#run(session, text, change);
      }
    } finally {
      await this.tables.unlock(session);
    }
  }

  async #run(session: SqlSession, text: string, { entity, summary }: SchemaChange): Promise<void> {
    try {
      await session.query({ text, values: [], verbatim: true });
    } catch (cause) {
      const kept = this.tables.transactional
        ? 'Nothing of this step was kept.'
        : 'What came before it is kept: this database changes its schema statement by statement.';
      throw new SchemaError(
        `The schema could not be changed: "${summary}" failed: ${(cause as Error).message} ${kept}`,
        {
          ...(entity === undefined ? {} : { entity }),
          cause,
        },
      );
    }
  }

  async #plan(session: SqlSession): Promise<SchemaChange[]> {
    const { dataSource, entities, adopted, layoutOf } = this.parts;
    const { queryRunner } = session.native as EntityManager;
    const runner = queryRunner as QueryRunner;
    const metadatas = metadataOf(dataSource, entities, adopted);
    const wanted = new Map<EntityModel, Table>();
    for (const [entity, metadata] of metadatas) wanted.set(entity, this.#wanted(metadata));
    const layouts = [...wanted.keys()].map(layoutOf);
    const existing = await this.#existing(runner, layouts);
    const changes: SchemaChange[] = [];
    for (const [entity, table] of wanted) {
      const there = existing.get(this.tables.pathOf(layoutOf(entity)));
      if (there !== undefined) continue;
      const { up, down } = await this.tables.createTable(runner, table);
      const summary = `create table ${entity.source}`;
      changes.push({ entity: entity.name, kind: 'create', summary, statements: up, undo: down, destructive: false });
    }
    for (const [entity, table] of wanted) {
      const there = existing.get(this.tables.pathOf(layoutOf(entity)));
      const compared: Compared = { entity, layout: layoutOf(entity), wanted: table, there };
      changes.push(...(await compareTable(compared, runner, session, this.tables)));
    }
    return changes;
  }

  #wanted(metadata: EntityMetadata): Table {
    const { driver } = this.parts.dataSource;
    const table = Table.create(metadata, driver);
    table.foreignKeys = metadata.foreignKeys.map((key) => TableForeignKey.create(key, driver));
    return table;
  }

  async #existing(runner: QueryRunner, layouts: readonly TableLayout[]): Promise<ReadonlyMap<string, Table>> {
    const paths = layouts.map((layout) => this.tables.pathOf(layout));
    const found = await runner.getTables(paths);
    return new Map(found.map((table) => [table.name.split('.').at(-1) ?? table.name, table]));
  }
}
