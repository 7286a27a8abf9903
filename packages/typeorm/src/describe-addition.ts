/** TypeORM's statements as changes with an entity, a summary, and a warning where rows that are there would refuse. */
import type { EntityModel, SchemaChange } from '@storeweave/core';
import { quoteName, type TableLayout } from '@storeweave/sql';
import type { Catalog } from './catalog.js';
import { hasDuplicates, hasOrphans } from './constraint-changes.js';
import { enumName, foreignKeyName } from './entity-schema.js';

export interface Additions {
  readonly entities: ReadonlySet<EntityModel>;
  readonly layoutOf: (entity: EntityModel) => TableLayout;
  readonly catalog: Catalog;
}

const name = '"((?:[^"]|"")+)"';
const table = `((?:"(?:[^"]|"")+"\\.)?)${name}`;
const patterns = {
  table: new RegExp(`^CREATE TABLE ${table}`),
  type: new RegExp(`^CREATE TYPE ${table}`),
  index: new RegExp(`^CREATE (?:UNIQUE )?INDEX ${name} ON ${table}`),
  foreignKey: new RegExp(`^ALTER TABLE ${table} ADD CONSTRAINT ${name} FOREIGN KEY`),
  constraint: new RegExp(`^ALTER TABLE ${table} ADD CONSTRAINT ${name}`),
  column: new RegExp(`^ALTER TABLE ${table} ADD ${name}`),
};

export async function describeAddition(text: string, additions: Additions): Promise<SchemaChange> {
  const bySource = (source: string | undefined) => [...additions.entities].find((entity) => entity.source === source);
  const change = (
    kind: SchemaChange['kind'],
    summary: string,
    undo: readonly string[],
    entity?: EntityModel,
    refused = '',
  ): SchemaChange => ({
    ...(entity === undefined ? {} : { entity: entity.name }),
    kind,
    summary: summary + refused,
    statements: [text],
    undo,
    destructive: refused !== '',
  });
  const [, space = '', created] = patterns.table.exec(text) ?? [];
  if (created !== undefined)
    return change('create', `create table ${created}`, [`DROP TABLE ${space}${quoteName(created)}`], bySource(created));
  const [, typeSpace = '', type] = patterns.type.exec(text) ?? [];
  if (type !== undefined) {
    const owner = [...additions.entities].find((entity) =>
      entity.fields.some((field) => field.type === 'enum' && enumName(entity, field) === type),
    );
    return change('create', `create type ${type}`, [`DROP TYPE ${typeSpace}${quoteName(type)}`], owner);
  }
  const [, index, indexSpace = '', indexed] = patterns.index.exec(text) ?? [];
  if (index !== undefined) {
    const entity = bySource(indexed);
    return change(
      'create',
      `create index ${index} on ${indexed}`,
      [`DROP INDEX ${indexSpace}${quoteName(index)}`],
      entity,
      entity && (await indexRefused(entity, index, additions)),
    );
  }
  const [, keySpace = '', referring = '', key] = patterns.foreignKey.exec(text) ?? [];
  if (key !== undefined) {
    const entity = bySource(referring);
    return change(
      'alter',
      `add foreign key ${key} to ${referring}`,
      [`ALTER TABLE ${keySpace}${quoteName(referring)} DROP CONSTRAINT ${quoteName(key)}`],
      entity,
      entity && (await keyRefused(entity, key, additions)),
    );
  }
  const [, constrainedSpace = '', constrained = '', constraint] = patterns.constraint.exec(text) ?? [];
  if (constraint !== undefined) {
    const undo = [`ALTER TABLE ${constrainedSpace}${quoteName(constrained)} DROP CONSTRAINT ${quoteName(constraint)}`];
    const entity = bySource(constrained);
    const refused = entity && (await indexRefused(entity, constraint, additions));
    return change('alter', `add constraint ${constraint} to ${constrained}`, undo, entity, refused);
  }
  const [, alteredSpace = '', altered = '', column] = patterns.column.exec(text) ?? [];
  if (column !== undefined) {
    const entity = bySource(altered);
    return change(
      'alter',
      `add column ${column} to ${altered}`,
      [`ALTER TABLE ${alteredSpace}${quoteName(altered)} DROP COLUMN ${quoteName(column)}`],
      entity,
      entity && (await columnRefused(entity, column, text, additions)),
    );
  }
  return change('alter', text.length > 120 ? `${text.slice(0, 117)}...` : text, []);
}

async function hasRows(entity: EntityModel, { layoutOf, catalog }: Additions): Promise<boolean> {
  return catalog.table(entity) !== undefined && (await catalog.exists(`select 1 from ${layoutOf(entity).table}`));
}

/** A column that must have a value cannot be added to rows that have none. */
async function columnRefused(entity: EntityModel, column: string, text: string, additions: Additions): Promise<string> {
  if (!/ NOT NULL\b/.test(text) || / DEFAULT | IDENTITY| SERIAL/i.test(text)) return '';
  if (!(await hasRows(entity, additions))) return '';
  return `, but the rows in it have no value for ${column}: give the property a default, or make it nullable`;
}

async function indexRefused(entity: EntityModel, indexName: string, additions: Additions): Promise<string> {
  const { layoutOf, catalog } = additions;
  const index = entity.indexes.find((each) => each.name === indexName);
  const existing = catalog.table(entity);
  if (index === undefined || !index.unique || existing === undefined || !(await hasRows(entity, additions))) return '';
  // Columns that come with the same plan are null in all rows, or the same default in all.
  const isNew = index.fields.filter((field) => !existing.columns.has(field.column));
  if (isNew.some((field) => field.default?.kind !== 'value')) return '';
  const refused = isNew.length > 0 || (await hasDuplicates(index, layoutOf(entity), catalog));
  return refused ? ', but some rows have the same values' : '';
}

async function keyRefused(entity: EntityModel, key: string, additions: Additions): Promise<string> {
  const { layoutOf, catalog } = additions;
  const relation = entity.relations.find((each) => foreignKeyName(each) === key);
  const existing = catalog.table(entity);
  if (relation === undefined || relation.join.via !== 'owner' || existing === undefined) return '';
  if (relation.join.fields.some((field) => !existing.columns.has(field.column))) return '';
  if (catalog.table(relation.target) === undefined) return '';
  const refused = await hasOrphans(relation, layoutOf(entity), layoutOf(relation.target), catalog);
  return refused ? `, but some rows refer to a ${relation.target.name} that is not there` : '';
}
