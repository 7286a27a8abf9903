/**
 * The tables of adopted entities: which of TypeORM's metadata belongs to which entity, and what differs from the tables
 * that Storeweave makes by itself: names of constraints, SQL types, columns that only TypeORM knows.
 */
import type { EntityClass, EntityModel, Field } from '@storeweave/core';
import { columnLayout, quoteName, type TableLayout, useTextForm } from '@storeweave/sql';
import type { DataSource, EntityMetadata } from 'typeorm';
import type { ExistingTable } from '../catalog.js';
import type { ColumnMetadata } from './adoption.js';
import { castName, catalogueName, typeName } from './column-type.js';
import { localTime } from './local-time.js';

export class AdoptedTables {
  readonly classes = new Set<EntityClass>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly schema: string | undefined,
  ) {}

  /** TypeORM's metadata of an adopted entity, or of the join table behind a link; undefined for entities of our own. */
  of(entity: EntityModel): EntityMetadata | undefined {
    const { entityMetadatas } = this.dataSource;
    if (entity.kind !== 'link') {
      return this.classes.has(entity.target)
        ? entityMetadatas.find((metadata) => metadata.target === entity.target)
        : undefined;
    }
    if (!entity.relations.some(({ target }) => this.classes.has(target.target))) return undefined;
    return entityMetadatas.find(
      (metadata) =>
        metadata.tableType === 'junction' &&
        metadata.tableName === entity.source &&
        (metadata.schema ?? this.schema) === (entity.namespace ?? this.schema),
    );
  }

  /** What TypeORM makes the table of: of a class that shares one, the class at the top. */
  table(entity: EntityModel): EntityMetadata | undefined {
    const metadata = this.of(entity);
    return metadata?.tableType === 'entity-child' ? metadata.parentEntityMetadata : metadata;
  }

  /** TypeORM's column of a field. */
  column(entity: EntityModel, field: Field): ColumnMetadata | undefined {
    return this.of(entity)?.columns.find((column) => column.databaseName === field.column);
  }

  layout(entity: EntityModel, metadata: EntityMetadata): TableLayout {
    const columns = new Map(metadata.columns.map((column) => [column.databaseName, column]));
    const isJson = new Set<Field>();
    for (const field of entity.fields) {
      const column = columns.get(field.column);
      if (column === undefined) continue;
      const name = typeName(column);
      if (name === 'timestamp without time zone') useTextForm(field, localTime);
      if (name === 'json') isJson.add(field);
    }
    const { discriminatorColumn, discriminatorValue } = metadata;
    const part =
      discriminatorColumn === undefined || discriminatorValue === undefined
        ? undefined
        : {
            column: quoteName(discriminatorColumn.databaseName),
            value: `'${discriminatorValue.replaceAll("'", "''")}'`,
          };
    const plain = columnLayout(entity, {
      ...(this.schema === undefined ? {} : { schema: this.schema }),
      type: (field) => {
        const column = columns.get(field.column);
        return column === undefined ? undefined : castName(column, this.schema);
      },
    });
    const layout = part === undefined ? plain : { ...plain, part };
    // `json` has no equality and no containment.
    return isJson.size === 0
      ? layout
      : {
          ...layout,
          expression: (field, alias) => {
            const expression = layout.expression(field, alias);
            return isJson.has(field) ? `(${expression})::jsonb` : expression;
          },
        };
  }

  /** The type that a field's parameters are cast to. Undefined for an entity of our own. */
  castType(entity: EntityModel, field: Field): string | undefined {
    const column = this.column(entity, field);
    return column === undefined ? undefined : castName(column, this.schema);
  }

  /** The type of a field's column as the catalogue writes it. Undefined for an entity of our own. */
  catalogueType(entity: EntityModel, field: Field): string | undefined {
    const column = this.column(entity, field);
    return column === undefined ? undefined : catalogueName(column);
  }

  /** Whether something that TypeORM's decorators ask for is missing in the database. */
  isIncomplete(metadata: EntityMetadata, table: ExistingTable | undefined): boolean {
    if (!metadata.synchronize) return false;
    return (
      table === undefined ||
      metadata.columns.some((column) => !column.isVirtualProperty && !table.columns.has(column.databaseName)) ||
      metadata.indices.some((index) => index.synchronize && !table.indexes.has(index.name)) ||
      metadata.uniques.some((unique) => !table.indexes.has(unique.name)) ||
      metadata.foreignKeys.some((key) => !table.foreignKeys.has(key.name)) ||
      [...metadata.checks, ...metadata.exclusions].some((check) => !table.checks.has(check.name))
    );
  }

  /** Names of the columns that some class has, ours or not. */
  knownColumns(metadata: EntityMetadata): ReadonlySet<string> {
    const shared = this.dataSource.entityMetadatas.filter((other) => other.tablePath === metadata.tablePath);
    return new Set(shared.flatMap((each) => each.columns.map((column) => column.databaseName)));
  }

  /** Constraints by name, with the properties that they are about. */
  constraints(entity: EntityModel, metadata: EntityMetadata): [name: string, properties: string[]][] {
    const propertiesOf = (columns: readonly string[]) => [
      ...new Set(columns.flatMap((column) => entity.fields.find((field) => field.column === column)?.name ?? [])),
    ];
    return [
      ...metadata.foreignKeys.map((key): [string, string[]] => {
        const relation = entity.relations.find(
          ({ join }) =>
            join.via === 'owner' && join.fields.map((field) => field.column).join() === key.columnNames.join(),
        );
        return [key.name, relation === undefined ? propertiesOf(key.columnNames) : [relation.name]];
      }),
      ...metadata.checks.map((check): [string, string[]] => {
        const words = new Set(check.expression.match(/"(?:[^"]|"")+"|\w+/g)?.map((word) => word.replaceAll('"', '')));
        return [check.name, propertiesOf([...words])];
      }),
    ];
  }
}
