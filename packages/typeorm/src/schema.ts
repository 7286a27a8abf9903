/**
 * The schema from the metadata. A plan is what TypeORM would add, plus what has to change in place; nothing that could
 * lose values is ever applied unless it was asked for. Two processes that apply at once take turns, and the second one
 * finds nothing left to do.
 */
import { type Access, type EntityModel, type SchemaChange, SchemaError, type SchemaStore } from '@storeweave/core';
import { lockSchema, quoteName, type SqlSession, type TableLayout } from '@storeweave/sql';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { additiveStatements, metadataOf } from './additive-builder.js';
import type { AdoptedTables } from './adoption/tables.js';
import { Catalog } from './catalog.js';
import { columnChanges } from './column-changes.js';
import { constraintChanges, enumChanges, enumTypes, isIncomplete } from './constraint-changes.js';
import { type Additions, describeAddition } from './describe-addition.js';
import type { SchemaParts } from './family.js';

export class TypeormSchema implements SchemaStore {
  private readonly dataSource: DataSource;
  private readonly domain: SchemaParts['domain'];
  private readonly entities: ReadonlySet<EntityModel>;
  private readonly layoutOf: (entity: EntityModel) => TableLayout;
  private readonly defaultSchema: string | undefined;
  private readonly adopted: AdoptedTables;

  constructor(parts: SchemaParts) {
    this.dataSource = parts.dataSource;
    this.domain = parts.domain;
    this.entities = parts.entities;
    this.layoutOf = parts.layoutOf;
    this.defaultSchema = parts.defaultSchema;
    this.adopted = parts.adopted;
  }

  async plan(access: Access): Promise<SchemaChange[]> {
    if (access.transaction !== undefined) return this.#planIn(access);
    const transaction = await this.domain.begin({
      signal: access.signal,
      timeoutMs: access.timeoutMs,
      label: 'schema plan',
    });
    try {
      return await this.#planIn({ ...access, transaction });
    } finally {
      await transaction.rollback();
    }
  }

  async apply(changes: readonly SchemaChange[], access: Access): Promise<void> {
    // A value that was added to an enum cannot be used in the same transaction, so these go first and alone.
    const isEnum = (change: SchemaChange) => change.statements.some((text) => text.startsWith('ALTER TYPE'));
    const parts =
      access.transaction === undefined ? [changes.filter(isEnum), changes.filter((each) => !isEnum(each))] : [changes];
    for (const part of parts) {
      if (part.every(({ statements }) => statements.length === 0)) continue;
      await this.#applyPart(part, access);
    }
    this.domain.forgetStatements();
  }

  async #applyPart(changes: readonly SchemaChange[], access: Access): Promise<void> {
    if (access.transaction !== undefined) return this.#applyIn(changes, access);
    const transaction = await this.domain.begin({
      signal: access.signal,
      timeoutMs: access.timeoutMs,
      label: 'schema apply',
    });
    try {
      await this.#applyIn(changes, { ...access, transaction });
      await transaction.commit();
    } finally {
      await transaction.rollback();
    }
  }

  async #applyIn(changes: readonly SchemaChange[], access: Access): Promise<void> {
    await this.domain.use(access, lockSchema);
    // Whoever held the lock may have done some of it.
    const left = new Set((await this.#planIn(access)).flatMap((change) => change.statements));
    await this.domain.use(access, async (session) => {
      for (const change of changes) {
        for (const text of change.statements) if (left.has(text)) await run(session, text, change);
      }
    });
  }

  async #planIn(access: Access): Promise<SchemaChange[]> {
    const layouts = [...this.entities].map(this.layoutOf);
    return this.domain.use(access, async (session) => {
      const catalog = await Catalog.load(session, layouts, enumTypes(this.entities, this.defaultSchema, this.adopted));
      const changes = await this.#namespaceChanges(catalog);
      for (const entity of this.entities)
        changes.push(...enumChanges(entity, this.defaultSchema, catalog, this.adopted));
      // TypeORM reads the whole catalogue for its comparison, which takes a while: only where there is work for it.
      if (layouts.some((layout) => isIncomplete(layout, catalog.table(layout.entity), this.entities, this.adopted))) {
        changes.push(...(await this.#additions(session, catalog)));
      }
      for (const layout of layouts) {
        const table = catalog.table(layout.entity);
        if (table === undefined) continue;
        changes.push(...(await columnChanges(layout, table, catalog, this.defaultSchema, this.adopted)));
        changes.push(...(await constraintChanges(layout, table, this.entities, this.layoutOf, catalog, this.adopted)));
      }
      return changes;
    });
  }

  async #additions(session: SqlSession, catalog: Catalog): Promise<SchemaChange[]> {
    const runner = (session.native as EntityManager).queryRunner as QueryRunner;
    const metadatas = metadataOf(this.dataSource, this.entities, this.adopted);
    const statements = await additiveStatements(this.dataSource, runner, [...new Set(metadatas.values())]);
    const additions: Additions = { entities: this.entities, layoutOf: this.layoutOf, catalog };
    const changes: SchemaChange[] = [];
    for (const text of statements) changes.push(await describeAddition(text, additions));
    return changes;
  }

  async #namespaceChanges(catalog: Catalog): Promise<SchemaChange[]> {
    const names = new Set([...this.entities].flatMap(({ namespace }) => namespace ?? this.defaultSchema ?? []));
    const changes: SchemaChange[] = [];
    for (const name of names) {
      const [found] = await catalog.rows('select to_regnamespace($1::text) is not null', quoteName(name));
      if (found?.[0] === 't') continue;
      changes.push({
        kind: 'create',
        summary: `create schema ${name}`,
        statements: [`CREATE SCHEMA IF NOT EXISTS ${quoteName(name)}`],
        undo: [`DROP SCHEMA ${quoteName(name)}`],
        destructive: false,
      });
    }
    return changes;
  }
}

async function run(session: SqlSession, text: string, change: SchemaChange): Promise<void> {
  try {
    await session.query({ text, values: [] });
  } catch (cause) {
    const entity = change.entity === undefined ? {} : { entity: change.entity };
    throw new SchemaError(
      `The schema could not be changed: "${change.summary}" failed: ${(cause as Error).message} Nothing of this step was kept.`,
      { ...entity, cause },
    );
  }
}
