/**
 * What TypeORM's drivers differ in for this store: what they can do, the columns of a field, how the schema is compared
 * and changed. One for each kind of database; the store asks it and never which driver runs.
 */
import type { Capabilities, EntityModel, Field, SchemaStore } from '@storeweave/core';
import type { ConnectionDomain, SqlSession, TableLayout } from '@storeweave/sql';
import type { DataSource, EntitySchemaColumnOptions } from 'typeorm';
import type { AdoptedTables } from './adoption/tables.js';

/** What a schema is made from. */
export interface SchemaParts {
  readonly dataSource: DataSource;
  readonly domain: ConnectionDomain;
  readonly entities: ReadonlySet<EntityModel>;
  readonly layoutOf: (entity: EntityModel) => TableLayout;
  readonly defaultSchema: string | undefined;
  readonly adopted: AdoptedTables;
}

export interface Family {
  /** Name of the products, for messages. */
  readonly name: string;
  readonly capabilities: Omit<Capabilities, 'commit'>;
  /** True where classes with TypeORM's own decorators can become entities, and indexes may have types. */
  readonly isPostgres: boolean;
  /** Type of a field's column; the dialect's own if undefined. */
  fieldType(entity: EntityModel, field: Field, schema: string | undefined): string | undefined;
  /** The field as TypeORM is told of it. */
  column(entity: EntityModel, field: Field, schema: string | undefined): EntitySchemaColumnOptions;
  schema(parts: SchemaParts): SchemaStore;
  /** The lock that every change of the schema takes. Held until the transaction ends, or until `unlock`. */
  lock(session: SqlSession): Promise<void>;
  unlock(session: SqlSession): Promise<void>;
  /** Statements that take and free it outside of a transaction; absent where nothing else can run meanwhile. */
  readonly lockAlone?: { readonly take: string; readonly free: string };
}
