/** Kysely 0.29; it wants Node 22 or later. */
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { RelationalContender } from './contender.js';

interface Employees {
  id: string;
  name: string;
  email: string;
  age: number;
  score: number;
  salary: string;
  active: boolean;
  hired_at: Date;
  note: string | null;
  version: number;
}

export function kysely(): RelationalContender {
  let db: Kysely<{ employees: Employees }> | undefined;
  const opened = () => {
    if (db === undefined) throw new Error('not open');
    return db;
  };
  return {
    name: 'kysely',
    async open(connectionString) {
      db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString }) }) });
    },
    close: async () => void (await db?.destroy()),
    async insert(rows) {
      await opened()
        .transaction()
        .execute(async (tx) => {
          for (let at = 0; at < rows.length; at += 5_000) {
            const values = rows
              .slice(at, at + 5_000)
              .map(({ hiredAt, ...row }) => ({ ...row, hired_at: hiredAt, version: 1 }));
            await tx.insertInto('employees').values(values).execute();
          }
        });
      return rows.length;
    },
    load: () => opened().selectFrom('employees').selectAll().execute(),
    byId: (id) => opened().selectFrom('employees').selectAll().where('id', '=', id).executeTakeFirst(),
  };
}
