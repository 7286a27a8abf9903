/**
 * What became of a unit of work whose COMMIT may still be on its way. A plain look at the journal could come before that
 * COMMIT; so the claim's lock is taken first, in a statement of its own, because a statement sees what was committed
 * when it began. Resolvers share the lock: they wait for the one that decides and not for each other.
 */
import { AbortedError, type Access, type JournalRow, TimeoutError, type Transaction } from '@storeweave/core';
import type { SqlDomain, SqlSession } from '../session.js';
import { JOURNAL } from './journal-table.js';
import { claimKey } from './unit-id.js';

/** `unit` is a checked id. Throws `TimeoutError` where the unit is not decided in time. */
export async function resolveUnit(domain: SqlDomain, unit: string, access: Access): Promise<JournalRow | undefined> {
  const { transaction, timeoutMs } = access;
  try {
    const redo = await (transaction === undefined
      ? limited(access, (limits) => domain.use(limits, (session) => resolveAlone(session, unit, timeoutMs)))
      : resolveInside(domain, unit, { ...access, transaction }));
    return redo === null ? undefined : { unitOfWork: unit, redo };
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const limit = timeoutMs === undefined ? 'in time' : `within ${timeoutMs} ms`;
    throw new TimeoutError(
      `Unit of work ${unit} was not decided at "${domain.name}" ${limit}: the transaction that decides it is still open there. Try again; if it stays so, look in pg_stat_activity for a session that is idle in transaction or waits for a lock.`,
      { cause: error },
    );
  }
}

/**
 * With the limit on the wait for a connection, too: on a database of one session the transaction that holds the claim
 * holds the session. Throws `TimeoutError`.
 */
export async function limited<R>(
  { timeoutMs, signal, label }: Access,
  work: (limits: Access) => Promise<R>,
): Promise<R> {
  if (timeoutMs === undefined) return work({ signal, label });
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => stop.abort(), timeoutMs);
  try {
    return await work({ signal: stop.signal, label });
  } catch (error) {
    if (!(error instanceof AbortedError) || signal?.aborted === true) throw error;
    throw new TimeoutError(`No answer within ${timeoutMs} ms.`, { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
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
