/**
 * The journal on InnoDB. A locking read of a row waits for the transaction that inserted it, also where its client is
 * gone or its COMMIT is under way: the row's lock is the transaction's own, given up when the server is through with it.
 * (A lock by name, `get_lock`, would be the connection's, and outlive its transaction in a pool.)
 *
 * InnoDB gives locks up, and shows what was committed, before that is on disk. Whoever acts on it elsewhere could be
 * left alone with it by a crash; so a write of one's own is committed first, and its flush takes everything before it along.
 */
import { type Access, ConfigurationError, TimeoutError } from '@storeweave/core';
import { limited } from '../commit/resolve.js';
import { JOURNAL, type JournalLook, type JournalTerms } from '../portable/journal/journal-terms.js';
import type { SqlDomain, SqlSession } from '../session.js';

/** One row, which is only ever counted up. */
const FLUSHES = 'storeweave_journal_flushes';

export const mariadbJournal: JournalTerms = {
  create: [
    `create table if not exists ${JOURNAL} (
  uow char(36) character set ascii collate ascii_bin not null primary key,
  seq bigint not null auto_increment unique,
  redo longtext character set utf8mb4 collate utf8mb4_bin,
  decided_at bigint not null default 0,
  attempts integer not null default 0,
  error text character set utf8mb4 collate utf8mb4_bin,
  dead tinyint not null default 0,
  done tinyint not null default 0,
  key storeweave_journal_state (done, dead, attempts, seq)
) engine = InnoDB comment = 'Storeweave: a row that is deleted before it is done leaves half of its unit of work behind.'`,
    `create table if not exists ${FLUSHES} (id integer not null primary key, n bigint not null) engine = InnoDB`,
    `insert ignore into ${FLUSHES} (id, n) values (1, 0)`,
  ],
  // A scan would wait for rows of others that are under way.
  update: `update ${JOURNAL} j force index (primary) set`,
  remove: `delete j from ${JOURNAL} j force index (primary)`,
  now: 'cast(floor(unix_timestamp(now(6)) * 1000) as signed)',
  checkDurable,
  settled,
  async keep(domain, { signal, timeoutMs, label }) {
    const alone: Access = {
      ...(signal && { signal }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(label && { label }),
    };
    await domain.use(alone, (session) =>
      session.query({ text: `update ${FLUSHES} set n = n + 1 where id = 1`, values: [] }),
    );
  },
};

async function checkDurable(session: SqlSession, name: string): Promise<void> {
  const ask = async (text: string) => (await session.query({ text, values: [] })).rows[0] ?? [];
  const [flush, binlog, sync] = await ask('select @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog');
  const [, cluster] = await ask(`show global variables like 'wsrep_on'`);
  const problem =
    flush !== '1' && flush !== '3'
      ? `innodb_flush_log_at_trx_commit is ${flush}, so a commit that was acknowledged can be lost; set it to 1`
      : binlog === '1' && sync === '0'
        ? 'sync_binlog is 0, so a commit that was acknowledged can be lost with the binary log; set it to 1'
        : cluster === 'ON'
          ? 'it is a Galera cluster, whose members do not wait for the transactions of each other'
          : undefined;
  if (problem === undefined) return;
  throw new ConfigurationError(
    `The MariaDB of "${name}" cannot coordinate units of work over several stores: ${problem}. Or name another store: open({ commit: { coordinator } }).`,
  );
}

async function settled(domain: SqlDomain, unit: string, access: Access): Promise<JournalLook | undefined> {
  const text = `select redo from ${JOURNAL} force index (primary) where uow = $1 lock in share mode`;
  const until = performance.now() + (access.timeoutMs ?? Number.POSITIVE_INFINITY);
  const look = async (limits: Access) => {
    const { rows } = await domain.use(limits, (session) => session.query({ text, values: [unit] }));
    const [row] = rows;
    return row === undefined ? undefined : { redo: row[0] ?? null };
  };
  // Inside the caller's transaction, so that the server sees a circle of those who wait for each other, and breaks it.
  if (access.transaction !== undefined) return look(access);
  for (;;) {
    const left = until - performance.now();
    const limits = { ...access, ...(access.timeoutMs !== undefined && { timeoutMs: Math.max(1, left) }) };
    try {
      return await limited(limits, look);
    } catch (error) {
      // The server's own limit on the wait (innodb_lock_wait_timeout) comes first where ours is longer.
      if (!(error instanceof TimeoutError) || performance.now() >= until - 1) throw error;
    }
  }
}
