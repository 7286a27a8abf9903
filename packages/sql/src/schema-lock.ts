/**
 * Changes of a schema take turns: several processes that start at once would otherwise make the same table twice.
 * Every store on PostgreSQL takes this one lock, inside the transaction of the change, and plans again once it has it.
 */
import type { SqlSession } from './session.js';

/** SQL of the lock's key, for those that hold it outside a transaction: `pg_advisory_lock(…)`. */
export const SCHEMA_LOCK_KEY = `hashtextextended('storeweave schema', 0)`;

export async function lockSchema(session: SqlSession): Promise<void> {
  await session.query({ text: `select pg_advisory_xact_lock(${SCHEMA_LOCK_KEY})`, values: [] });
}
