/** The relational store: tables through TypeORM's `DataSource`, rows through the statements of `@storeweave/sql`. */
import {
  type AdoptedEntities,
  type AdoptedEntity,
  type Capabilities,
  ConfigurationError,
  type EntityClass,
  type EntityModel,
  type Field,
  type RelationModel,
  type SchemaStore,
  type StoreContext,
} from '@storeweave/core';
import { type ConnectionDomain, columnLayout, SqlStore, type TableLayout, withCommit } from '@storeweave/sql';
import { type DataSource, type EntityMetadata, type EntitySchema, getMetadataArgsStorage } from 'typeorm';
import { metadataOf } from './additive-builder.js';
import { adoptEntity } from './adoption/adopt.js';
import { AdoptedTables } from './adoption/tables.js';
import { entitySchema, foreignKeyName, foreignKeysOf } from './entity-schema.js';
import type { Family } from './family.js';
import { postgresFamily } from './postgres-family.js';

/**
 * A store for relational entities: on PostgreSQL, MariaDB or SQLite. `native` is the `DataSource`, and inside a unit of work an
 * `EntityManager` enlisted in its transaction.
 *
 * To share the database with other stores, give them `domain`: they then commit in the same transaction.
 */
export class TypeormStore extends SqlStore {
  readonly capabilities: Capabilities;
  readonly schema: SchemaStore;
  declare readonly domain: ConnectionDomain;
  readonly #entities = new Set<EntityModel>();
  readonly #adopted: AdoptedTables;

  constructor(
    /** TypeORM's own object. Ours are the entities in it that have a class or name given to `Storeweave.open()`. */
    readonly dataSource: DataSource,
    domain: ConnectionDomain,
    private readonly defaultSchema: string | undefined,
    /** What its kind of database differs in. */
    readonly family: Family = postgresFamily,
  ) {
    super(domain);
    this.capabilities = withCommit(domain, family.capabilities);
    this.#adopted = new AdoptedTables(dataSource, defaultSchema);
    this.schema = family.schema({
      dataSource,
      domain,
      entities: this.#entities,
      layoutOf: this.layoutOf,
      defaultSchema,
      adopted: this.#adopted,
    });
  }

  /** Classes with TypeORM's own decorators, on the tables that they have. */
  async adopt(classes: readonly EntityClass[]): Promise<AdoptedEntities> {
    const decorated = classes.filter(isDecorated);
    if (decorated.length === 0) return new Map();
    if (!this.family.isPostgres) {
      throw new ConfigurationError(
        `${decorated.map(({ name }) => name).join(', ')}: classes with TypeORM's decorators become entities on PostgreSQL only, and this database is ${this.family.name}. Declare their properties with @Property, or leave them to TypeORM.`,
      );
    }
    const { dataSource } = this;
    const present = Object.values(dataSource.options.entities ?? {}) as unknown[];
    const isKnown = (target: EntityClass) => dataSource.entityMetadatas.some((metadata) => metadata.target === target);
    const missing = decorated.filter((target) => !isKnown(target) && !present.includes(target));
    if (missing.length > 0) dataSource.setOptions({ entities: [...present, ...missing] as EntitySchema[] });
    if (!decorated.every(isKnown)) await this.#build();
    for (const target of decorated) this.#adopted.classes.add(target);
    const found = new Map<EntityClass, AdoptedEntity>();
    for (const metadata of dataSource.entityMetadatas) {
      const target = metadata.target as EntityClass;
      if (decorated.includes(target)) found.set(target, adoptEntity(metadata, this.#adopted.classes));
    }
    return found;
  }

  protected createLayout(entity: EntityModel): TableLayout {
    const metadata = this.#adopted.of(entity);
    if (metadata !== undefined) return this.#adopted.layout(entity, metadata);
    if (entity.namespace !== undefined && !this.family.isPostgres) {
      throw new ConfigurationError(
        `${entity.name} is in the namespace "${entity.namespace}", and ${this.family.name} has one for all tables of a connection. Leave it out, or put it into the table's name.`,
        { entity: entity.name, store: entity.store },
      );
    }
    return columnLayout(entity, {
      ...(this.defaultSchema === undefined ? {} : { schema: this.defaultSchema }),
      type: (field) => this.family.fieldType(entity, field, this.defaultSchema),
      dialect: this.domain.dialect,
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
    const isAdopted = (entity: EntityModel) => this.#adopted.of(entity) !== undefined;
    const own = [...this.#entities].filter((entity) => !isAdopted(entity));
    const schemas = own.map((entity) =>
      entitySchema(entity, this.#entities, this.defaultSchema, this.family.column, isAdopted),
    );
    for (const schema of schemas) ours.add(schema);
    dataSource.setOptions({ entities: [...others, ...schemas] as EntitySchema[] });
    await this.#build();
    const metadatas = metadataOf(dataSource, this.#entities, this.#adopted);
    for (const entity of own) {
      const types = new Map(entity.indexes.map((index) => [index.name, index.type]));
      const metadata = metadatas.get(entity);
      for (const index of metadata?.indices ?? []) {
        const type = types.get(index.name);
        if (type !== undefined && this.family.isPostgres) index.type = type as never;
      }
      for (const relation of foreignKeysOf(entity, this.#entities)) {
        this.domain.subjects.constraint(foreignKeyName(relation), [relation.name]);
        if (isAdopted(relation.target)) metadata?.foreignKeys.push(keyTo(relation, metadatas) as never);
      }
    }
    for (const entity of this.#entities) {
      const metadata = this.#adopted.of(entity);
      if (metadata === undefined) continue;
      for (const [name, properties] of this.#adopted.constraints(entity, metadata)) {
        this.domain.subjects.constraint(name, properties);
      }
    }
  }

  async #build(): Promise<void> {
    try {
      await (this.dataSource as unknown as { buildMetadatas(): Promise<void> }).buildMetadatas();
    } catch (cause) {
      throw new ConfigurationError(
        `TypeORM cannot read the entities: ${(cause as Error).message} Give it every class that they lead to: typeorm({ entities }), or the DataSource's own option; only those given to open() become Storeweave's.`,
        { cause },
      );
    }
  }
}

/** Whether TypeORM's decorators say of this class itself that it is an entity. */
function isDecorated(target: EntityClass): boolean {
  return getMetadataArgsStorage().tables.some((table) => table.target === target);
}

/** A foreign key to a table that TypeORM knows by decorators, which an `EntitySchema` cannot name. */
function keyTo(relation: RelationModel, metadatas: ReadonlyMap<EntityModel, EntityMetadata>): object {
  const { join, target, onDelete = 'restrict' } = relation;
  const columnsOf = (fields: readonly Field[]) => fields.map((field) => field.column);
  return {
    name: foreignKeyName(relation),
    entityMetadata: metadatas.get(relation.owner),
    referencedEntityMetadata: metadatas.get(target),
    referencedTablePath: metadatas.get(target)?.tablePath,
    columnNames: join.via === 'owner' ? columnsOf(join.fields) : [],
    referencedColumnNames: join.via === 'owner' ? columnsOf(join.targetFields) : [],
    onDelete: onDelete.toUpperCase(),
  };
}

/** Schemas that we have made, to tell them from the application's own. */
const ours = new WeakSet<EntitySchema>();
