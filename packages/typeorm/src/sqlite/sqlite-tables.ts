/**
 * Changes of tables on SQLite. TypeORM copies a table to change it; what SQLite can do in place is done in place here,
 * and what it cannot is left to a migration.
 */
import type { QueryRunner, Table, TableColumn } from 'typeorm';
import { remembered, type TableChanges } from '../portable/table-changes.js';

interface SqliteRunner {
  buildCreateColumnSql(column: TableColumn, skipPrimary?: boolean): string;
  escapePath(name: string): string;
}

const name = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function definition(runner: QueryRunner, column: TableColumn): string {
  return (runner as unknown as SqliteRunner).buildCreateColumnSql(column, true);
}

const tableName = (table: Table): string => name(table.name);

export const sqliteTables: TableChanges = {
  addsForeignKeys: false,
  transactional: true,
  createTable: (runner, table) => remembered(runner, () => runner.createTable(table, false, true, true)),
  addColumn: async (runner, table, column) => ({
    up: [`ALTER TABLE ${tableName(table)} ADD COLUMN ${definition(runner, column)}`],
    down: [`ALTER TABLE ${tableName(table)} DROP COLUMN ${name(column.name)}`],
  }),
  addIndex: async (_, table, index) => {
    const unique = index.isUnique ? 'UNIQUE ' : '';
    const where = index.where ? ` WHERE ${index.where}` : '';
    const columns = index.columnNames.map(name).join(', ');
    return {
      up: [`CREATE ${unique}INDEX ${name(index.name ?? '')} ON ${tableName(table)} (${columns})${where}`],
      down: [`DROP INDEX ${name(index.name ?? '')}`],
    };
  },
  addForeignKey: async () => ({ up: [], down: [] }),
  dropColumn: async (runner, table, column) => {
    // A column of an index cannot go before the index.
    const indexes = table.indices.filter(({ columnNames }) => columnNames.includes(column.name));
    const nullable = Object.assign(column.clone(), { isNullable: true });
    return {
      up: [
        ...indexes.map((index) => `DROP INDEX ${name(index.name ?? '')}`),
        `ALTER TABLE ${tableName(table)} DROP COLUMN ${name(column.name)}`,
      ],
      down: [`ALTER TABLE ${tableName(table)} ADD COLUMN ${definition(runner, nullable)}`],
    };
  },
  changeColumn: () => undefined,
  lock: async () => undefined,
  unlock: async () => undefined,
  pathOf: ({ entity }) => entity.source,
};
