/**
 * What became of a unit of work whose COMMIT may still be on its way. A plain look at the journal could come before that
 * COMMIT; so the claim's lock is taken first, in a statement of its own, because a statement sees what was committed
 * when it began. Resolvers share the lock: they wait for the one that decides and not for each other.
 */
import { type Access, type JournalRow, TimeoutError, type Transaction } from '@storeweave/core';
import type { SqlDomain, SqlSession } from '../session.js';
import { JOURNAL } from './journal-table.js';
import { claimKey } from './unit-id.js';

/** `unit` is a checked id. Throws `TimeoutError` where the unit is not decided in time. */
export async function resolveUnit(domain: SqlDomain, unit: string, access: Access): Promise<JournalRow | undefined> {
  const { transaction } = access;
  try {
    const redo = await (transaction === undefined
      ? domain.use(access, (session) => resolveAlone(session, unit, access.timeoutMs))
      : resolveInside(domain, unit, { ...access, transaction }));
    return redo === null ? undefined : { unitOfWork: unit, redo };
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const limit = access.timeoutMs === undefined ? 'in time' : `within ${access.timeoutMs} ms`;
    throw new TimeoutError(
      `Unit of work ${unit} was not decided at "${domain.name}" ${limit}: the transaction that decides it is still open there. Try again; if it stays so, look in pg_stat_activity for a session that is idle in transaction or waits for a lock.`,
      { cause: error },
    );
  }
}

/**
 * One request and no transaction to end: statements of one request are a transaction by themselves, and are rolled
 * back by themselves where one of them fails.
 */
async function resolveAlone(session: SqlSession, unit: string, timeoutMs: number | undefined): Promise<string | null> {
  const limit = timeoutMs === undefined ? '' : `set local lock_timeout = ${Math.max(1, Math.ceil(timeoutMs))};`;
  const { rows } = await session.query({
    text: `set transaction isolation level read committed; ${limit}
      select pg_advisory_xact_lock_shared(${claimKey(`'${unit}'`)});
      select redo from (values (1)) always left join ${JOURNAL} on uow = '${unit}'`,
    values: [],
  });
  return rows.at(-1)?.[0] ?? null;
}

/** Waits inside the caller's transaction, so that the server can see a circle of those who wait, and break it. */
async function resolveInside(
  domain: SqlDomain,
  unit: string,
  access: Access & { readonly transaction: Transaction },
): Promise<string | null> {
  const { rows } = await domain.use(access, (session) =>
    session.query({
      text: `select pg_advisory_xact_lock_shared(${claimKey('$1')}), current_setting('transaction_isolation')`,
      values: [unit],
    }),
  );
  // One that keeps its first view would not see what was decided since; on one session nothing is decided meanwhile.
  const seesNow = rows[0]?.[1] === 'read committed' || domain.exclusive === true;
  const found = await domain.use(seesNow ? access : { ...access, transaction: undefined }, (session) =>
    session.query({ text: `select redo from ${JOURNAL} where uow = $1::uuid`, values: [unit] }),
  );
  return found.rows[0]?.[0] ?? null;
}
