/** One table as the entity wants it, compared with the one that is there. */
import type { EntityModel, SchemaChange } from '@storeweave/core';
import type { SqlSession, TableLayout } from '@storeweave/sql';
import type { QueryRunner, Table, TableColumn, TableForeignKey, TableIndex } from 'typeorm';
import type { Step, TableChanges } from './table-changes.js';
import { holds, typeOf } from './type-of.js';

export interface Compared {
  readonly entity: EntityModel;
  readonly layout: TableLayout;
  readonly wanted: Table;
  /** Absent where there is no such table. */
  readonly there: Table | undefined;
}

type Ask = (text: string) => Promise<boolean>;

export async function compareTable(
  compared: Compared,
  runner: QueryRunner,
  session: SqlSession,
  tables: TableChanges,
): Promise<SchemaChange[]> {
  const { entity, layout } = compared;
  // TypeORM puts what it is asked to add into the table that it is told of.
  const [wanted, there] = [compared.wanted.clone(), compared.there?.clone()];
  const exists: Ask = async (text) => (await session.query({ text: `${text} limit 1`, values: [] })).rows.length > 0;
  const changes: SchemaChange[] = [];
  const say = (kind: SchemaChange['kind'], summary: string, { up, down }: Step, refused = '', destructive = false) =>
    changes.push({
      entity: entity.name,
      kind,
      summary: summary + refused,
      statements: up,
      undo: down,
      destructive: destructive || refused !== '',
    });
  const drift = (summary: string) => say('drift', summary, { up: [], down: [] });

  if (there !== undefined) {
    const present = new Map(there.columns.map((column) => [column.name, column]));
    for (const column of wanted.columns) {
      const old = present.get(column.name);
      if (old === undefined) {
        const refused = isRequired(column) && (await exists(`select 1 from ${layout.table}`));
        const why = refused
          ? `, but the rows in it have no value for ${column.name}: give the property a default, or make it nullable`
          : '';
        say(
          'alter',
          `add column ${column.name} to ${entity.source}`,
          await tables.addColumn(runner, there, column),
          why,
        );
      } else await changed(old, column);
    }
    await addIndexes(there, present);
    await dropColumns(there);
  }
  await addKeys();
  return changes;

  async function changed(from: TableColumn, to: TableColumn): Promise<void> {
    const where = `${entity.source}.${to.name}`;
    const [old, fresh] = [typeOf(from), typeOf(to)];
    const nullable = from.isNullable === to.isNullable || to.isPrimary;
    if ((old === fresh || holds(from, to)) && nullable) {
      if (old !== fresh) drift(`${where} is ${old}, which holds more than the ${fresh} of ${entity.name}`);
      return;
    }
    const quoted = layout.expression(entity.fields.find((field) => field.column === to.name) as never, 't');
    const nulls =
      !nullable && !to.isNullable && (await exists(`select 1 from ${layout.table} as t where ${quoted} is null`));
    const target = old !== fresh && holds(from, to) ? Object.assign(to.clone(), lengthOf(from)) : to;
    const step = await tables.changeColumn(runner, there as Table, from, target);
    const words = [
      ...(old === fresh || holds(from, to) ? [] : [`change the type of ${where} from ${old} to ${fresh}`]),
      ...(nullable ? [] : [to.isNullable ? `let ${where} be null` : `require a value in ${where}`]),
    ].join(' and ');
    if (step === undefined) drift(`${words}: this database cannot do it in place; change it by a migration`);
    else {
      const why = nulls ? ', but some rows have none: give them one first' : '';
      say('alter', words, step, why, old !== fresh && !holds(to, from) && !holds(from, to));
    }
  }

  async function addIndexes(existing: Table, present: ReadonlyMap<string, TableColumn>): Promise<void> {
    const names = new Set([...existing.indices, ...existing.uniques].map((index) => index.name));
    for (const index of [...wanted.indices]) {
      if (names.has(index.name)) continue;
      const why = (await refusesIndex(index, present)) ? ', but some rows have the same values' : '';
      say(
        'create',
        `create index ${index.name} on ${entity.source}`,
        await tables.addIndex(runner, existing, index),
        why,
      );
    }
  }

  async function refusesIndex(index: TableIndex, present: ReadonlyMap<string, TableColumn>): Promise<boolean> {
    if (!index.isUnique || !index.columnNames.every((name) => present.has(name))) return false;
    const columns = index.columnNames.map((name) =>
      layout.expression(entity.fields.find((field) => field.column === name) as never, 't'),
    );
    const where = [...columns.map((column) => `${column} is not null`), ...(index.where ? [`(${index.where})`] : [])];
    return exists(
      `select 1 from ${layout.table} as t where ${where.join(' and ')} group by ${columns.join(', ')} having count(*) > 1`,
    );
  }

  async function dropColumns(existing: Table): Promise<void> {
    const known = new Set(wanted.columns.map((column) => column.name));
    for (const column of existing.columns) {
      if (known.has(column.name)) continue;
      const blocks = isRequired(column) ? ' (it must have a value, so inserts fail)' : '';
      const summary = `drop column ${column.name} of ${entity.source}, which ${entity.name} does not have${blocks}`;
      say('drop', summary, await tables.dropColumn(runner, existing, column), '', true);
    }
  }

  async function addKeys(): Promise<void> {
    if (there === undefined && !tables.addsForeignKeys) return;
    const names = new Set(there?.foreignKeys.map(({ name }) => name));
    for (const key of [...wanted.foreignKeys]) {
      if (names.has(key.name)) continue;
      if (tables.addsForeignKeys) await addKey(key);
      else drift(`${entity.source} has no foreign key ${key.name}: SQLite adds none to a table that is there`);
    }
  }

  async function addKey(key: TableForeignKey): Promise<void> {
    const step = await tables.addForeignKey(runner, (there ?? wanted).clone(), key);
    say('alter', `add foreign key ${key.name} to ${entity.source}`, step);
  }
}

function isRequired(column: TableColumn): boolean {
  return !column.isNullable && !column.isGenerated && (column.default === undefined || column.default === null);
}

function lengthOf({ type, length, precision, scale }: TableColumn): Partial<TableColumn> {
  return { type, length, ...(precision === undefined ? {} : { precision }), ...(scale === undefined ? {} : { scale }) };
}
