/**
 * Our model of an entity as TypeORM's `EntitySchema`: columns, indexes, foreign keys. Relations stay out of it, because
 * they may lead to other stores; TypeORM is here for the schema and for the user's own `EntityManager`.
 */
import { createHash } from 'node:crypto';
import type { EntityModel, Field, RelationModel } from '@storeweave/core';
import { elementType, encoderOf, quoteTable } from '@storeweave/sql';
import { EntitySchema, type EntitySchemaColumnOptions, type EntitySchemaEmbeddedColumnOptions } from 'typeorm';

type ColumnOptions = (entity: EntityModel, field: Field, schema: string | undefined) => EntitySchemaColumnOptions;
type ForeignKeys = NonNullable<ConstructorParameters<typeof EntitySchema>[0]['foreignKeys']>;

/** PostgreSQL cuts longer names silently, and TypeORM would then never converge. */
function named(...parts: string[]): string {
  const name = parts.join('_');
  if (Buffer.byteLength(name) <= 63) return name;
  return `${name.slice(0, 48)}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

export function enumName(entity: EntityModel, field: Field): string {
  return named(entity.source, field.column, 'enum');
}

/** SQL type of a field: our own but for enums, which are types of the database. */
export function fieldType(entity: EntityModel, field: Field, schema: string | undefined): string {
  const type =
    field.type === 'enum' ? quoteTable(enumName(entity, field), entity.namespace ?? schema) : elementType(field);
  return field.array ? `${type}[]` : type;
}

/** SQL of the default that the store keeps, in the form in which the server writes it. */
export function defaultExpression(entity: EntityModel, field: Field, schema: string | undefined): string | undefined {
  const { default: given } = field;
  if (given?.kind !== 'value' || given.value === null || given.value === undefined) return undefined;
  const text = encoderOf(entity, field).value(given.value);
  const type = fieldType(entity, field, schema).replace(/\(.*?\)/g, '');
  return `'${text.replaceAll("'", "''")}'::${type}`;
}

export function foreignKeyName(relation: RelationModel): string {
  const columns = relation.join.via === 'owner' ? relation.join.fields.map((field) => field.column) : [];
  return named(relation.owner.source, ...columns, 'fkey');
}

/** Relations that become foreign keys: those that say what to do on delete, with both sides among `entities`. */
export function foreignKeysOf(entity: EntityModel, entities: ReadonlySet<EntityModel>): RelationModel[] {
  return entity.relations.filter(
    ({ join, onDelete, target }) => join.via === 'owner' && onDelete !== undefined && entities.has(target),
  );
}

/** The field as PostgreSQL's driver is told of it. */
export function pgColumn(entity: EntityModel, field: Field, schema: string | undefined): EntitySchemaColumnOptions {
  const expression = defaultExpression(entity, field, schema);
  const isEnum = field.type === 'enum';
  return {
    name: field.column,
    type: (isEnum ? 'enum' : elementType(field).replace(/\(.*?\)/g, '')) as EntitySchemaColumnOptions['type'],
    primary: field.id,
    nullable: field.nullable,
    array: field.array,
    ...(field.type === 'string' && field.length !== undefined ? { length: field.length } : {}),
    ...(field.type === 'decimal' && field.precision !== undefined
      ? { precision: field.precision, scale: field.scale ?? 0 }
      : {}),
    ...(field.type === 'timestamp' && field.timePrecision !== 'ns'
      ? { precision: field.timePrecision === 'us' ? 6 : 3 }
      : {}),
    ...(isEnum ? { enum: [...(field.enumValues ?? [])].map(String), enumName: enumName(entity, field) } : {}),
    ...(field.generated === 'sequence' ? { generated: 'identity' as never } : {}),
    ...(expression === undefined || field.generated === 'sequence' ? {} : { default: () => expression }),
  };
}

interface Columns {
  readonly columns: Record<string, EntitySchemaColumnOptions>;
  readonly embeddeds: Record<string, EntitySchemaEmbeddedColumnOptions>;
}

/** Leaves by their place in the class; `depth` names have been walked already. */
function columnsOf(
  entity: EntityModel,
  fields: readonly Field[],
  depth: number,
  schema: string | undefined,
  column: ColumnOptions,
): Columns {
  const columns: Columns['columns'] = {};
  const embeddeds: Columns['embeddeds'] = {};
  const groups = new Map<string, Field[]>();
  for (const field of fields) {
    const name = field.path[depth] ?? field.name;
    if (field.path.length <= depth + 1) columns[name] = column(entity, field, schema);
    else groups.set(name, [...(groups.get(name) ?? []), field]);
  }
  for (const [name, members] of groups) {
    const inner = columnsOf(entity, members, depth + 1, schema, column);
    const path = [...(members[0]?.path ?? [])].slice(0, depth + 1).join('.');
    embeddeds[name] = { prefix: '', schema: new EntitySchema({ name: `${entity.name}#${path}`, ...inner }) };
  }
  return { columns, embeddeds };
}

/** A class is only handed to TypeORM where no class above it is an entity too, whose columns TypeORM would add. */
function targetOf(entity: EntityModel, entities: ReadonlySet<EntityModel>): EntityModel['target'] | undefined {
  if (entity.kind === 'link') return undefined;
  const targets = new Set<unknown>([...entities].map((each) => each.target));
  for (
    let up: unknown = Object.getPrototypeOf(entity.target);
    typeof up === 'function';
    up = Object.getPrototypeOf(up)
  ) {
    if (targets.has(up)) return undefined;
  }
  return entity.target;
}

/** `adopted`: entities that TypeORM knows by their own decorators, to which the keys of an `EntitySchema` cannot lead. */
export function entitySchema(
  entity: EntityModel,
  entities: ReadonlySet<EntityModel>,
  schema: string | undefined,
  column: ColumnOptions,
  adopted: (entity: EntityModel) => boolean = () => false,
): EntitySchema {
  const relations = foreignKeysOf(entity, entities).filter(({ target }) => !adopted(target));
  const foreignKeys: ForeignKeys = relations.map((relation) => ({
    name: foreignKeyName(relation),
    // TypeORM calls whatever is a function, so a class has to come out of one.
    target: (() => targetOf(relation.target, entities) ?? relation.target.name) as never,
    columnNames: relation.join.via === 'owner' ? relation.join.fields.map((field) => field.column) : [],
    referencedColumnNames: relation.join.via === 'owner' ? relation.join.targetFields.map((field) => field.column) : [],
    onDelete: relation.onDelete?.toUpperCase() as 'CASCADE',
  }));
  const namespace = entity.namespace ?? schema;
  return new EntitySchema({
    name: entity.name,
    target: targetOf(entity, entities) as never,
    tableName: entity.source,
    ...(namespace === undefined ? {} : { schema: namespace }),
    ...columnsOf(entity, entity.fields, 0, schema, column),
    indices: entity.indexes.map((index) => ({
      name: index.name,
      columns: index.fields.map((field) => field.name),
      unique: index.unique,
      where: index.where,
    })),
    foreignKeys,
  });
}
