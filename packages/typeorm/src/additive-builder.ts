/**
 * TypeORM's schema builder, made harmless. By itself it drops columns to change their type, takes a vanished and an
 * appeared column for a rename, and drops what it does not know. Only the steps that add are left; what must change in
 * place is found by `column-changes.ts`.
 */
import type { EntityModel } from '@storeweave/core';
import type { DataSource, EntityMetadata, QueryRunner } from 'typeorm';
import type { AdoptedTables } from './adoption/tables.js';

const otherSteps = [
  'dropOldViews',
  'dropOldForeignKeys',
  'dropOldIndices',
  'dropOldChecks',
  'dropOldExclusions',
  'dropCompositeUniqueConstraints',
  'renameColumns',
  'changeTableComment',
  'dropRemovedColumns',
  'updateExistColumns',
  'updatePrimaryKeys',
  'createViews',
  'createNewViewIndices',
] as const;

interface BuilderInternals extends Record<(typeof otherSteps)[number], () => Promise<void>> {
  dataSource: DataSource;
  log(): Promise<{ upQueries: { query: string }[] }>;
}

/** Metadata that TypeORM built of our entities, or of those that it knew before. */
export function metadataOf(
  dataSource: DataSource,
  entities: ReadonlySet<EntityModel>,
  adopted: AdoptedTables,
): Map<EntityModel, EntityMetadata> {
  const byName = new Map(dataSource.entityMetadatas.map((metadata) => [metadata.name, metadata]));
  const found = new Map<EntityModel, EntityMetadata>();
  for (const entity of entities) {
    const metadata = adopted.table(entity) ?? byName.get(entity.name);
    if (metadata !== undefined) found.set(entity, metadata);
  }
  return found;
}

/** Statements that create what is missing, in order. Reads on the given runner and changes nothing. */
export async function additiveStatements(
  dataSource: DataSource,
  runner: QueryRunner,
  metadatas: readonly EntityMetadata[],
): Promise<string[]> {
  const builder = dataSource.driver.createSchemaBuilder() as unknown as BuilderInternals;
  for (const step of otherSteps) builder[step] = async () => undefined;
  // The builder makes a runner of its own, for which a database of one session would have no connection.
  const borrowed = Object.create(runner, { release: { value: async () => undefined } }) as QueryRunner;
  builder.dataSource = Object.create(dataSource, {
    createQueryRunner: { value: () => borrowed },
    entityMetadatas: { value: metadatas },
  }) as DataSource;
  const { upQueries } = await builder.log();
  return upQueries.map(({ query }) => query.trim());
}
