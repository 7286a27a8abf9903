/**
 * The table that makes a decision last: a row in it is a unit of work that was decided, and no row one that was not. It
 * is not of the model, so no plan of the schema speaks of it; the coordinator makes it where it is missing.
 */
import { type Access, SchemaError, type StoreweaveError } from '@storeweave/core';
import { lockSchema } from '../schema-lock.js';
import type { SqlDomain, SqlSession } from '../session.js';

/** Found by the connection's search path, as every table without a schema of its own. */
export const JOURNAL = 'storeweave_journal';

// "If not exists", although it was asked before: a session may know for a moment longer that there was no such table.
// One index for all questions: what is open in its order, what is dead, what is done. A row is in one part of it.
const STATEMENTS = [
  `create table if not exists ${JOURNAL} (
  uow uuid primary key,
  xid xid8 not null default pg_current_xact_id(),
  redo text not null,
  decided_at timestamptz not null default clock_timestamp(),
  attempts integer not null default 0,
  error text,
  dead boolean not null default false,
  done boolean not null default false
)`,
  `create index if not exists storeweave_journal_state on ${JOURNAL} (done, dead, attempts, xid, uow)`,
  `comment on table ${JOURNAL} is 'Storeweave: units of work over several stores that were decided here. A row that is deleted before it is done leaves half of its unit behind.'`,
];

/** Makes the table where it is missing. Several processes may do so at the same time. */
export async function setUpJournal(domain: SqlDomain, access: Access): Promise<void> {
  if (await domain.use(access, isThere)) return;
  if (access.transaction !== undefined) return create(domain, access);
  const { signal, timeoutMs } = access;
  const transaction = await domain.begin({ signal, timeoutMs, label: 'journal set-up' });
  try {
    await create(domain, { ...access, transaction });
    await transaction.commit();
  } finally {
    await transaction.rollback();
  }
}

async function create(domain: SqlDomain, access: Access): Promise<void> {
  await domain.use(access, lockSchema);
  await domain.use(access, async (session) => {
    if (await isThere(session)) return;
    for (const text of STATEMENTS) await run(session, text);
  });
}

async function isThere(session: SqlSession): Promise<boolean> {
  const { rows } = await session.query({ text: 'select to_regclass($1) is not null', values: [JOURNAL] });
  return rows[0]?.[0] === 't';
}

async function run(session: SqlSession, text: string): Promise<void> {
  try {
    await session.query({ text, values: [] });
  } catch (cause) {
    throw new SchemaError(
      `The table ${JOURNAL}, which a commit over several stores needs, could not be made: ${(cause as StoreweaveError).message} Give the user the right to create tables, or have this run by somebody who may:\n${STATEMENTS.join(';\n')};`,
      { cause },
    );
  }
}
