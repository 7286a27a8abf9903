/** Indexes, foreign keys and enum types that are there under our name but are not what the entity says. */
import type { EntityModel, Field, IndexModel, SchemaChange } from '@storeweave/core';
import { quoteName, type TableLayout } from '@storeweave/sql';
import type { AdoptedTables } from './adoption/tables.js';
import type { Catalog, ExistingIndex, ExistingTable } from './catalog.js';
import { fieldType, foreignKeyName, foreignKeysOf } from './entity-schema.js';

const deleteRules: Readonly<Record<string, string>> = { restrict: 'r', cascade: 'c', 'set null': 'n' };
const actions: Readonly<Record<string, string>> = { r: 'RESTRICT', c: 'CASCADE', n: 'SET NULL', d: 'SET DEFAULT' };

export async function constraintChanges(
  layout: TableLayout,
  table: ExistingTable,
  entities: ReadonlySet<EntityModel>,
  layoutOf: (entity: EntityModel) => TableLayout,
  catalog: Catalog,
  adopted: AdoptedTables,
): Promise<SchemaChange[]> {
  const metadata = adopted.of(layout.entity);
  if (metadata !== undefined) {
    const constraints = new Set(metadata.uniques.map(({ name }) => name));
    return adoptedChanges(layout, table, catalog, constraints);
  }
  return [...(await indexChanges(layout, table, catalog)), ...foreignKeyChanges(layout, table, entities, layoutOf)];
}

/**
 * Indexes and unique constraints of TypeORM's own: a migration of the application has made them, and one changes them.
 * TypeORM's builder adds what is missing, but for a unique constraint on one column that is there.
 */
async function adoptedChanges(
  layout: TableLayout,
  table: ExistingTable,
  catalog: Catalog,
  constraints: ReadonlySet<string>,
): Promise<SchemaChange[]> {
  const changes: SchemaChange[] = [];
  for (const index of layout.entity.indexes) {
    const found = table.indexes.get(index.name);
    const [field] = index.fields;
    if (found === undefined && constraints.has(index.name) && index.fields.length === 1) {
      if (field === undefined || !table.columns.has(field.column)) continue;
      const refused = await hasDuplicates(index, layout, catalog);
      const name = quoteName(index.name);
      changes.push({
        entity: layout.entity.name,
        kind: 'alter',
        summary: `add constraint ${index.name} to ${layout.entity.source}${refused ? ', but some rows have the same values' : ''}`,
        statements: [`ALTER TABLE ${layout.table} ADD CONSTRAINT ${name} UNIQUE (${quoteName(field.column)})`],
        undo: [`ALTER TABLE ${layout.table} DROP CONSTRAINT ${name}`],
        destructive: refused,
      });
    }
    if (found === undefined || (await isSame(index, found, layout, catalog))) continue;
    changes.push(
      drift(
        layout.entity,
        `index ${index.name} of ${layout.entity.source} is defined differently: change it by a migration`,
      ),
    );
  }
  return changes;
}

/** Names of the enum types of these entities, quoted. */
export function enumTypes(
  entities: ReadonlySet<EntityModel>,
  schema: string | undefined,
  adopted: AdoptedTables,
): string[] {
  return [...entities].flatMap((entity) =>
    entity.fields.flatMap((field) => (field.type === 'enum' ? enumType(entity, field, schema, adopted) : [])),
  );
}

function enumType(entity: EntityModel, field: Field, schema: string | undefined, adopted: AdoptedTables): string {
  const element = { ...field, array: false };
  return adopted.castType(entity, element)?.replace('[]', '') ?? fieldType(entity, element, schema);
}

export function enumChanges(
  entity: EntityModel,
  schema: string | undefined,
  catalog: Catalog,
  adopted: AdoptedTables,
): SchemaChange[] {
  const changes: SchemaChange[] = [];
  for (const field of entity.fields) {
    if (field.type !== 'enum') continue;
    const type = enumType(entity, field, schema, adopted);
    const existing = catalog.enumValues(type);
    if (existing === undefined) continue;
    const wanted = (field.enumValues ?? []).map(String);
    const added = wanted.filter((value) => !existing.includes(value));
    if (added.length > 0) {
      changes.push({
        entity: entity.name,
        kind: 'alter',
        summary: `add ${added.join(', ')} to the values of ${entity.source}.${field.column}`,
        statements: added.map((value) => `ALTER TYPE ${type} ADD VALUE IF NOT EXISTS '${value.replaceAll("'", "''")}'`),
        destructive: false,
      });
    }
    const gone = existing.filter((value) => !wanted.includes(value));
    if (gone.length > 0)
      changes.push(
        drift(
          entity,
          `the type of ${entity.source}.${field.column} still knows ${gone.join(', ')}: PostgreSQL cannot take values away`,
        ),
      );
  }
  return changes;
}

async function indexChanges(layout: TableLayout, table: ExistingTable, catalog: Catalog): Promise<SchemaChange[]> {
  const { entity } = layout;
  const changes: SchemaChange[] = [];
  for (const index of entity.indexes) {
    const found = table.indexes.get(index.name);
    if (found === undefined || (await isSame(index, found, layout, catalog))) continue;
    const columns = index.fields.map((field) => quoteName(field.column)).join(', ');
    const where = index.where === undefined ? '' : ` WHERE ${index.where}`;
    const using = index.type === undefined ? '' : ` USING ${quoteName(index.type)}`;
    const name = quoteName(index.name);
    const place = layout.table.includes('.') ? `${layout.table.split('.')[0]}.${name}` : name;
    const refused = index.unique && (await hasDuplicates(index, layout, catalog));
    changes.push({
      entity: entity.name,
      kind: 'alter',
      summary: `make index ${index.name} of ${entity.source} anew, because it is defined differently${refused ? ', but some rows have the same values' : ''}`,
      statements: [
        `DROP INDEX ${place}`,
        `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${name} ON ${layout.table}${using} (${columns})${where}`,
      ],
      undo: [`DROP INDEX ${place}`, found.definition],
      destructive: refused,
    });
  }
  return changes;
}

async function isSame(
  index: IndexModel,
  found: ExistingIndex,
  layout: TableLayout,
  catalog: Catalog,
): Promise<boolean> {
  if (found.unique !== index.unique || found.method !== (index.type ?? 'btree')) return false;
  if (found.columns !== index.fields.map((field) => field.column).join(',')) return false;
  if (index.where === undefined || found.where === undefined) return index.where === found.where;
  if (bare(index.where) === bare(found.where)) return true;
  return found.where === (await catalog.canonicalPredicate(layout, index.where));
}

/** Whether there is anything that TypeORM would have to add. */
export function isIncomplete(
  layout: TableLayout,
  table: ExistingTable | undefined,
  entities: ReadonlySet<EntityModel>,
  adopted: AdoptedTables,
): boolean {
  const { entity } = layout;
  const metadata = adopted.table(entity);
  if (metadata !== undefined) return adopted.isIncomplete(metadata, table);
  return (
    table === undefined ||
    entity.fields.some((field) => !table.columns.has(field.column)) ||
    entity.indexes.some((index) => !table.indexes.has(index.name)) ||
    foreignKeysOf(entity, entities).some((relation) => !table.foreignKeys.has(foreignKeyName(relation)))
  );
}

function bare(expression: string): string {
  return expression.replace(/[\s()"]/g, '').toLowerCase();
}

/** Whether a unique index would be refused by the rows that are there. */
export async function hasDuplicates(index: IndexModel, layout: TableLayout, catalog: Catalog): Promise<boolean> {
  const columns = index.fields.map((field) => quoteName(field.column));
  const terms = columns.map((column) => `${column} is not null`);
  if (index.where !== undefined) terms.push(`(${index.where})`);
  return catalog.exists(
    `select 1 from ${layout.table} where ${terms.join(' and ')} group by ${columns.join(', ')} having count(*) > 1`,
  );
}

function foreignKeyChanges(
  layout: TableLayout,
  table: ExistingTable,
  entities: ReadonlySet<EntityModel>,
  layoutOf: (entity: EntityModel) => TableLayout,
): SchemaChange[] {
  const { entity } = layout;
  const changes: SchemaChange[] = [];
  for (const relation of foreignKeysOf(entity, entities)) {
    const { join, onDelete = 'restrict', target } = relation;
    const name = foreignKeyName(relation);
    const rule = table.foreignKeys.get(name);
    if (join.via !== 'owner' || rule === undefined || rule === deleteRules[onDelete]) continue;
    const columns = join.fields.map((field) => quoteName(field.column)).join(', ');
    const referenced = join.targetFields.map((field) => quoteName(field.column)).join(', ');
    const drop = `ALTER TABLE ${layout.table} DROP CONSTRAINT ${quoteName(name)}`;
    const add = (action: string) =>
      `ALTER TABLE ${layout.table} ADD CONSTRAINT ${quoteName(name)} FOREIGN KEY (${columns}) REFERENCES ${layoutOf(target).table} (${referenced}) ON DELETE ${action}`;
    changes.push({
      entity: entity.name,
      kind: 'alter',
      summary: `let the deletion of ${target.name} ${onDelete} ${entity.name}.${relation.name}`,
      statements: [drop, add(onDelete.toUpperCase())],
      undo: [drop, add(actions[rule] ?? 'NO ACTION')],
      destructive: false,
    });
  }
  return changes;
}

/** Whether a new foreign key would be refused by the rows that are there. */
export async function hasOrphans(
  relation: EntityModel['relations'][number],
  layout: TableLayout,
  target: TableLayout,
  catalog: Catalog,
): Promise<boolean> {
  const { join } = relation;
  if (join.via !== 'owner') return false;
  const present = join.fields.map((field) => `o.${quoteName(field.column)} is not null`);
  const on = join.fields.map(
    (field, i) => `o.${quoteName(field.column)} = t.${quoteName(join.targetFields[i]?.column ?? '')}`,
  );
  return catalog.exists(
    `select 1 from ${layout.table} o where ${present.join(' and ')} and not exists (select 1 from ${target.table} t where ${on.join(' and ')})`,
  );
}

function drift(entity: EntityModel, summary: string): SchemaChange {
  return { entity: entity.name, kind: 'drift', summary, statements: [], destructive: false };
}
