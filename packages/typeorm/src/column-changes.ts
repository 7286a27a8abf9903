/**
 * What must change in columns that are there already. TypeORM would drop and add them; here a change that keeps every
 * value is made in place, and one that may lose or refuse values is marked as such and left to the user.
 */
import type { EntityModel, Field, SchemaChange } from '@storeweave/core';
import { castType, quoteName, type TableLayout } from '@storeweave/sql';
import type { AdoptedTables } from './adoption/tables.js';
import type { Catalog, ExistingColumn, ExistingTable } from './catalog.js';
import { defaultExpression } from './entity-schema.js';
import { isWidening, servesAs } from './type-change.js';

type Change = (summary: string, statements: string[], undo: string[], destructive?: boolean) => SchemaChange;

/** `schema` is the store's default schema. */
export async function columnChanges(
  layout: TableLayout,
  table: ExistingTable,
  catalog: Catalog,
  schema: string | undefined,
  adopted: AdoptedTables,
): Promise<SchemaChange[]> {
  const { entity } = layout;
  const metadata = adopted.of(entity);
  const changes: SchemaChange[] = [];
  const onTable = (each: string) => `ALTER TABLE ${layout.table} ${each}`;
  const alter: Change = (summary, statements, undo, destructive = false) => ({
    entity: entity.name,
    kind: 'alter',
    summary,
    statements: statements.map(onTable),
    undo: undo.map(onTable),
    destructive,
  });
  for (const field of entity.fields) {
    const column = table.columns.get(field.column);
    if (column === undefined) continue;
    const wanted = adopted.catalogueType(entity, field) ?? layout.type(field);
    const expression = metadata === undefined ? defaultExpression(entity, field, schema) : column.default;
    changes.push(...typeChange(layout, field, column, wanted, expression, alter));
    changes.push(...(await nullChange(layout, field, column, catalog, alter)));
    // Defaults of an adopted column may be anything that SQL can say, and stay with the application's migrations.
    if (metadata !== undefined) continue;
    changes.push(
      ...sequenceChange(layout, field, column, alter),
      ...defaultChange(entity, field, column, schema, alter),
    );
  }
  const wanted =
    metadata === undefined ? new Set(entity.fields.map((field) => field.column)) : adopted.knownColumns(metadata);
  for (const [name, column] of table.columns) {
    if (wanted.has(name)) continue;
    const blocks =
      column.notNull && column.default === undefined && !column.identity
        ? ' (it must have a value, so inserts fail)'
        : '';
    changes.push({
      entity: entity.name,
      kind: 'drop',
      summary: `drop column ${name} of ${entity.source}, which ${entity.name} does not have${blocks}`,
      statements: [onTable(`DROP COLUMN ${quoteName(name)}`)],
      undo: [onTable(`ADD COLUMN ${quoteName(name)} ${definitionOf(column)}`)],
      destructive: true,
    });
  }
  const ids = entity.ids.map((field) => field.column);
  if (ids.join() !== table.primaryKey.join() && [...ids].sort().join() !== [...table.primaryKey].sort().join()) {
    changes.push({
      entity: entity.name,
      kind: 'drift',
      summary: `the primary key of ${entity.source} is (${table.primaryKey.join(', ')}), the identity of ${entity.name} is (${ids.join(', ')}): change it by a migration`,
      statements: [],
      destructive: false,
    });
  }
  return changes;
}

/** A column as it is, to be made again without its values: it cannot be required then, as its rows would have none. */
function definitionOf(column: ExistingColumn): string {
  return column.default === undefined ? column.type : `${column.type} DEFAULT ${column.default}`;
}

/** A column that holds more than is asked for is no obstacle: another version of the application may need it. */
function typeChange(
  layout: TableLayout,
  field: Field,
  column: ExistingColumn,
  wanted: string,
  expression: string | undefined,
  alter: Change,
): SchemaChange[] {
  const { entity } = layout;
  if (column.type === wanted || (column.sameBase && field.type === 'enum')) return [];
  const name = quoteName(field.column);
  const where = `${entity.source}.${field.column}`;
  const summary = `change the type of ${where} from ${column.type} to ${wanted}`;
  if (isWidening(column.type, wanted)) {
    const back = `ALTER COLUMN ${name} TYPE ${column.type} USING ${name}::text::${castType(column.type)}`;
    return [alter(summary, [`ALTER COLUMN ${name} TYPE ${wanted} USING ${name}::${wanted}`], [back])];
  }
  if (servesAs(column.type, wanted)) {
    const wider = `${where} is ${column.type}, which holds more than the ${wanted} of ${entity.name}`;
    return [{ entity: entity.name, kind: 'drift', summary: wider, statements: [], destructive: false }];
  }
  // By way of text, which every type has: the server decides value by value.
  const steps = [`ALTER COLUMN ${name} TYPE ${wanted} USING ${name}::text::${castType(wanted)}`];
  if (column.default !== undefined) steps.unshift(`ALTER COLUMN ${name} DROP DEFAULT`);
  if (expression !== undefined) steps.push(`ALTER COLUMN ${name} SET DEFAULT ${expression}`);
  const back = [`ALTER COLUMN ${name} TYPE ${column.type} USING ${name}::text::${castType(column.type)}`];
  if (expression !== undefined) back.unshift(`ALTER COLUMN ${name} DROP DEFAULT`);
  if (column.default !== undefined) back.push(`ALTER COLUMN ${name} SET DEFAULT ${column.default}`);
  return [alter(summary, steps, back, true)];
}

async function nullChange(
  layout: TableLayout,
  field: Field,
  column: ExistingColumn,
  catalog: Catalog,
  alter: Change,
): Promise<SchemaChange[]> {
  if (field.id || column.notNull === !field.nullable) return [];
  const name = quoteName(field.column);
  const where = `${layout.entity.source}.${field.column}`;
  const [drop, set] = [`ALTER COLUMN ${name} DROP NOT NULL`, `ALTER COLUMN ${name} SET NOT NULL`];
  if (field.nullable) return [alter(`let ${where} be null`, [drop], [set])];
  const hasNulls = await catalog.exists(`select 1 from ${layout.table} where ${name} is null`);
  const why = hasNulls ? ', but some rows have none: give them one first' : '';
  return [alter(`require a value in ${where}${why}`, [set], [drop], hasNulls)];
}

function sequenceChange(layout: TableLayout, field: Field, column: ExistingColumn, alter: Change): SchemaChange[] {
  if (field.generated !== 'sequence' || column.identity || column.default !== undefined) return [];
  const name = quoteName(field.column);
  const change = alter(
    `make ${layout.entity.source}.${field.column} by a sequence`,
    [`ALTER COLUMN ${name} ADD GENERATED BY DEFAULT AS IDENTITY`],
    [`ALTER COLUMN ${name} DROP IDENTITY`],
  );
  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const start = `SELECT setval(pg_get_serial_sequence(${literal(layout.table)}, ${literal(field.column)}), coalesce((SELECT max(${name}) FROM ${layout.table}), 0) + 1, false)`;
  return [{ ...change, statements: [...change.statements, start] }];
}

/** Text of a constant as the server keeps it: `'draft'::character varying`, `5`, `true`. Undefined for anything else. */
function constantOf(expression: string): string | undefined {
  const quoted = /^'((?:[^']|'')*)'(?:::[\w\s".()[\],]+)?$/.exec(expression);
  if (quoted !== null) return quoted[1]?.replaceAll("''", "'");
  const bare = /^\(?(-?[\d.]+)\)?(?:::[\w\s]+)?$/.exec(expression);
  if (bare !== null) return bare[1];
  return expression === 'true' || expression === 'false' ? expression : undefined;
}

/** An expression that is no constant was put there by hand, and stays. */
function defaultChange(
  entity: EntityModel,
  field: Field,
  column: ExistingColumn,
  schema: string | undefined,
  alter: Change,
): SchemaChange[] {
  if (field.generated === 'sequence') return [];
  const wanted = defaultExpression(entity, field, schema);
  const name = quoteName(field.column);
  const where = `${entity.source}.${field.column}`;
  if (wanted === undefined) {
    const isConstant = column.default !== undefined && constantOf(column.default) !== undefined;
    if (!isConstant) return [];
    const back = `ALTER COLUMN ${name} SET DEFAULT ${column.default}`;
    return [alter(`take the default of ${where} away`, [`ALTER COLUMN ${name} DROP DEFAULT`], [back])];
  }
  const existing = column.default === undefined ? undefined : constantOf(column.default);
  if (column.default !== undefined && (existing === undefined || sameConstant(field, existing, constantOf(wanted))))
    return [];
  const back = column.default === undefined ? 'DROP DEFAULT' : `SET DEFAULT ${column.default}`;
  return [
    alter(
      `set the default of ${where} to ${constantOf(wanted)}`,
      [`ALTER COLUMN ${name} SET DEFAULT ${wanted}`],
      [`ALTER COLUMN ${name} ${back}`],
    ),
  ];
}

function sameConstant(field: Field, a: string, b: string | undefined): boolean {
  if (a === b || b === undefined) return a === b;
  if (field.type === 'boolean') return a.startsWith('t') === b.startsWith('t');
  if (field.array) return a.replaceAll('"', '') === b.replaceAll('"', '');
  if (field.type === 'json') return sortedJson(a) === sortedJson(b);
  if (field.type === 'timestamp' && field.timePrecision !== 'ns') return Date.parse(a) === Date.parse(b);
  return ['integer', 'bigint', 'float', 'decimal'].includes(field.type) && Number(a) === Number(b);
}

/** `jsonb` orders keys and spaces its own way. */
function sortedJson(text: string): string {
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)))
      : value,
  );
}
