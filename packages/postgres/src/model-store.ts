/**
 * What the document, graph and series stores have in common beside the statements of `SqlStore`: their tables are made
 * and compared by this package, and they refuse entities of a model that is not theirs.
 */
import { ConfigurationError, type EntityModel, type SchemaStore, type StoreContext } from '@storeweave/core';
import { type SqlDomain, SqlStore } from '@storeweave/sql';
import type { TableDesign } from './schema/design.js';
import { TableSchema } from './schema/table-schema.js';

/** Options of each store of this package. */
export interface PostgresStoreOptions {
  /** Schema of the database for entities that name no namespace. Default: the first of the connection's `search_path`. */
  readonly schema?: string;
}

export abstract class ModelStore extends SqlStore {
  readonly schema: SchemaStore;
  readonly #entities = new Set<EntityModel>();
  readonly #schemaName: string | undefined;

  constructor(domain: SqlDomain, options: PostgresStoreOptions) {
    super(domain);
    this.#schemaName = options.schema;
    this.schema = new TableSchema(domain, () => [...this.#entities].map((entity) => this.createDesign(entity)));
  }

  /** The table that an entity needs. */
  protected abstract createDesign(entity: EntityModel): TableDesign;

  /** Schema of the entity's table; undefined for the connection's own. */
  protected readonly schemaOf = (entity: EntityModel): string | undefined => entity.namespace ?? this.#schemaName;

  /** True for an entity whose table this store keeps. */
  protected readonly isHere = (entity: EntityModel): boolean => this.#entities.has(entity);

  override async open(context: StoreContext): Promise<void> {
    const { models } = this.capabilities;
    for (const entity of context.entities) {
      if (!models.includes(entity.model)) {
        throw new ConfigurationError(
          `Store "${context.name}" keeps ${models.join(', ')} entities, and ${entity.name} is a ${entity.model} entity. Bind its store to one that does.`,
          { entity: entity.name, store: context.name },
        );
      }
      this.#entities.add(entity);
    }
    await super.open(context);
  }
}
