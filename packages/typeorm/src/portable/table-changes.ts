/** How the tables of one kind of database are changed: the statements for what `PortableSchema` has found. */
import type { SqlSession, TableLayout } from '@storeweave/sql';
import type { QueryRunner, Table, TableColumn, TableForeignKey, TableIndex } from 'typeorm';

/** Statements there and back. */
export interface Step {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

export interface TableChanges {
  /** True where a foreign key can be added to a table that is there; false: it is made with its table. */
  readonly addsForeignKeys: boolean;
  /** True where changes of the schema are part of a transaction. */
  readonly transactional: boolean;
  createTable(runner: QueryRunner, table: Table): Promise<Step>;
  addColumn(runner: QueryRunner, table: Table, column: TableColumn): Promise<Step>;
  addIndex(runner: QueryRunner, table: Table, index: TableIndex): Promise<Step>;
  addForeignKey(runner: QueryRunner, table: Table, key: TableForeignKey): Promise<Step>;
  dropColumn(runner: QueryRunner, table: Table, column: TableColumn): Promise<Step>;
  /** A column as it should be; undefined where the database cannot change one in place. */
  changeColumn(runner: QueryRunner, table: Table, from: TableColumn, to: TableColumn): Promise<Step> | undefined;
  /** Takes the lock on the schema, for work outside of a transaction. */
  lock(session: SqlSession): Promise<void>;
  unlock(session: SqlSession): Promise<void>;
  /** Table name as the runner knows it. */
  pathOf(layout: TableLayout): string;
}

/** What a runner would send for some work. */
export async function remembered(runner: QueryRunner, work: () => Promise<unknown>): Promise<Step> {
  runner.enableSqlMemory();
  try {
    await work();
    const { upQueries, downQueries } = runner.getMemorySql();
    const texts = (queries: readonly { readonly query: string }[]) => queries.map(({ query }) => query.trim());
    return { up: texts(upQueries), down: texts(downQueries).reverse() };
  } finally {
    runner.disableSqlMemory();
  }
}
