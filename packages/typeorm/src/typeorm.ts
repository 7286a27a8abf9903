/** The relational store: tables through TypeORM's `DataSource`, rows through the statements of `@storeweave/sql`. */
import type { Capabilities, EntityModel, SchemaStore, StoreContext } from '@storeweave/core';
import { columnLayout, PgDomain, SqlStore, type TableLayout } from '@storeweave/sql';
import { DataSource, type DataSourceOptions, type EntitySchema } from 'typeorm';
import { DataSourceConnections } from './connections.js';
import { entitySchema, fieldType, foreignKeyName, foreignKeysOf } from './entity-schema.js';
import type { TypeormOptions } from './options.js';
import { TypeormSchema } from './schema.js';

const capabilities: Capabilities = {
  models: ['relational'],
  types: [
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
  ],
  arrays: true,
  timePrecision: 'ns',
  transactions: { isolation: ['read committed', 'repeatable read', 'serializable'], savepoints: true },
  sequences: true,
  uniqueIndexes: true,
  partialIndexes: true,
  foreignKeys: true,
  relationFilters: true,
  versionChecks: true,
  rowLocks: true,
  limitPerGroup: true,
  upsert: true,
  bulkWrites: true,
};

/**
 * A store for relational entities on PostgreSQL. `native` is the `DataSource`, and inside a unit of work an
 * `EntityManager` enlisted in its transaction.
 *
 * To share the database with other stores, give them `domain`: they then commit in the same transaction.
 */
export class TypeormStore extends SqlStore {
  readonly capabilities = capabilities;
  readonly schema: SchemaStore;
  declare readonly domain: PgDomain;
  readonly #entities = new Set<EntityModel>();

  constructor(
    /** TypeORM's own object. Ours are the entities in it that have a class or name given to `Storeweave.open()`. */
    readonly dataSource: DataSource,
    domain: PgDomain,
    private readonly defaultSchema: string | undefined,
  ) {
    super(domain);
    this.schema = new TypeormSchema(dataSource, domain, this.#entities, this.layoutOf, defaultSchema);
  }

  protected createLayout(entity: EntityModel): TableLayout {
    return columnLayout(entity, {
      ...(this.defaultSchema === undefined ? {} : { schema: this.defaultSchema }),
      type: (field) => fieldType(entity, field, this.defaultSchema),
    });
  }

  override async open(context: StoreContext): Promise<void> {
    await super.open(context);
    for (const entity of context.entities) this.#entities.add(entity);
    await this.#describe();
  }

  /** Puts our entities among those of the `DataSource`, and what `EntitySchema` cannot say into its metadata. */
  async #describe(): Promise<void> {
    const { dataSource } = this;
    const others = Object.values(dataSource.options.entities ?? {}).filter((each) => !ours.has(each as never));
    const schemas = [...this.#entities].map((entity) => entitySchema(entity, this.#entities, this.defaultSchema));
    for (const schema of schemas) ours.add(schema);
    dataSource.setOptions({ entities: [...others, ...schemas] as EntitySchema[] });
    await (dataSource as unknown as { buildMetadatas(): Promise<void> }).buildMetadatas();
    for (const entity of this.#entities) {
      const types = new Map(entity.indexes.map((index) => [index.name, index.type]));
      const metadata = dataSource.entityMetadatas.find((each) => each.name === entity.name);
      for (const index of metadata?.indices ?? []) {
        const type = types.get(index.name);
        if (type !== undefined) index.type = type as never;
      }
      for (const relation of foreignKeysOf(entity, this.#entities))
        this.domain.subjects.constraint(foreignKeyName(relation), [relation.name]);
    }
  }
}

/** Schemas that we have made, to tell them from the application's own. */
const ours = new WeakSet<EntitySchema>();

/**
 * Makes the relational store. Connects at `Storeweave.open()`, not here. Throws `ConfigurationError` for a `DataSource`
 * of another type than `postgres`.
 *
 * ```ts
 * const weave = await Storeweave.open({ entities: [User], stores: { relational: typeorm({ url: 'postgres://…' }) } });
 * ```
 */
export function typeorm(options: TypeormOptions = {}): TypeormStore {
  const dataSource = options.dataSource ?? new DataSource(dataSourceOptions(options));
  const domain = new PgDomain(new DataSourceConnections(dataSource, options.acquire), {
    ...(options.name === undefined ? {} : { name: options.name }),
    preparedStatements: options.preparedStatements !== false,
  });
  const schema = options.schema ?? (dataSource.options as { schema?: string }).schema;
  return new TypeormStore(dataSource, domain, schema);
}

function dataSourceOptions(options: TypeormOptions): DataSourceOptions {
  const { url, host, port, username, password, database, ssl, schema, applicationName, extra } = options;
  const { migrations, migrationsTableName } = options;
  return {
    type: 'postgres',
    url,
    host,
    port,
    username,
    password,
    database,
    ssl: ssl as boolean | undefined,
    schema,
    applicationName,
    extra,
    poolSize: options.poolSize ?? 10,
    connectTimeoutMS: options.connectTimeoutMs ?? 10_000,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    entities: [],
    ...(migrations === undefined ? {} : { migrations: [...migrations] as string[] }),
    ...(migrationsTableName === undefined ? {} : { migrationsTableName }),
  };
}
