/** Changes of tables on MariaDB, in TypeORM's words but for changed columns, which TypeORM would drop and add anew. */
import type { SqlSession } from '@storeweave/sql';
import type { QueryRunner, Table, TableColumn } from 'typeorm';
import { remembered, type TableChanges } from '../portable/table-changes.js';

interface MysqlRunner {
  buildCreateColumnSql(column: TableColumn, skipPrimary: boolean): string;
}

export const SCHEMA_LOCK = `'storeweave schema'`;
/** Seconds; whoever holds the lock longer than this is stuck. */
const PATIENCE = 600;

export const takeSchemaLock = `select get_lock(${SCHEMA_LOCK}, ${PATIENCE})`;
export const freeSchemaLock = `select release_lock(${SCHEMA_LOCK})`;

export async function lock(session: SqlSession): Promise<void> {
  await session.query({ text: takeSchemaLock, values: [] });
}

export async function unlock(session: SqlSession): Promise<void> {
  await session.query({ text: freeSchemaLock, values: [] });
}

const name = (text: string): string => `\`${text.replaceAll('`', '``')}\``;

function modify(runner: QueryRunner, table: Table, column: TableColumn): string {
  const definition = (runner as unknown as MysqlRunner).buildCreateColumnSql(column, true);
  return `ALTER TABLE ${name(table.name.split('.').at(-1) ?? table.name)} MODIFY COLUMN ${definition}`;
}

export const mariadbTables: TableChanges = {
  addsForeignKeys: true,
  transactional: false,
  createTable: (runner, table) => remembered(runner, () => runner.createTable(table, false, false, true)),
  addColumn: (runner, table, column) => remembered(runner, () => runner.addColumn(table, column)),
  addIndex: (runner, table, index) => remembered(runner, () => runner.createIndex(table, index)),
  addForeignKey: (runner, table, key) => remembered(runner, () => runner.createForeignKey(table, key)),
  dropColumn: (runner, table, column) => remembered(runner, () => runner.dropColumn(table, column)),
  changeColumn: async (runner, table, from, to) => ({
    up: [modify(runner, table, to)],
    down: [modify(runner, table, from)],
  }),
  lock,
  unlock,
  pathOf: ({ entity }) => entity.source,
};
