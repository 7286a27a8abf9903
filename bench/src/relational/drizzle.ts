import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import {
  boolean,
  doublePrecision,
  integer,
  numeric,
  pgTable,
  text,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import pg from 'pg';
import type { RelationalContender } from './contender.js';

const employees = pgTable('employees', {
  id: uuid().primaryKey(),
  name: varchar().notNull(),
  email: varchar().notNull(),
  age: integer().notNull(),
  score: doublePrecision().notNull(),
  salary: numeric({ precision: 12, scale: 2 }).notNull(),
  active: boolean().notNull(),
  hiredAt: timestamp('hired_at', { withTimezone: true }).notNull(),
  note: text(),
  version: integer().notNull(),
});

export function drizzleOrm(): RelationalContender {
  const pool = { current: new pg.Pool() };
  let db = drizzle(pool.current);
  return {
    name: 'drizzle',
    async open(connectionString) {
      pool.current = new pg.Pool({ connectionString });
      db = drizzle(pool.current);
    },
    close: () => pool.current.end(),
    async insert(rows) {
      await db.transaction(async (tx) => {
        // A parameter for each value, of which PostgreSQL takes 65,535.
        for (let at = 0; at < rows.length; at += 5_000) {
          await tx.insert(employees).values(rows.slice(at, at + 5_000).map((row) => ({ ...row, version: 1 })));
        }
      });
      return rows.length;
    },
    load: () => db.select().from(employees),
    byId: async (id) => (await db.select().from(employees).where(eq(employees.id, id)))[0],
  };
}
