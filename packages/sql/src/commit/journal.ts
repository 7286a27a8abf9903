/**
 * A PostgreSQL decides: its COMMIT makes the journal row of a unit of work last, and that row is the decision. Whoever
 * asks takes the lock that the deciding transaction holds from its claim on, and so waits until the server is through
 * with it, however its client ended; only what is read after that is the truth.
 */
import {
  type Access,
  type CommitCoordinator,
  ConnectionError,
  type Failure,
  type JournalRow,
  type JournalStats,
  type JournalWatch,
  type OpenQuery,
  type OpenUnit,
} from '@storeweave/core';
import type { PgLoneClient } from '../pg-client.js';
import type { SqlDomain, Statement, TextRow } from '../session.js';
import { CHANNEL, JournalListener } from './journal-listener.js';
import { journalStats, MAX_ANSWER_BYTES, MAX_ERROR_LENGTH, MAX_INTEGER, openUnit, placedUnit } from './journal-rows.js';
import { JOURNAL, setUpJournal } from './journal-table.js';
import { resolveUnit } from './resolve.js';
import { claimStatement, unitId, unitIds } from './unit-id.js';

const UNIT = 'uow, redo, attempts, error, dead, extract(epoch from clock_timestamp() - decided_at) * 1000, done';

export class PgJournal implements CommitCoordinator {
  readonly watch?: (wake: () => void) => Promise<JournalWatch>;

  /** `lone` makes a client to listen with; without it there is no `watch`. */
  constructor(
    private readonly domain: SqlDomain,
    lone?: () => PgLoneClient | undefined,
  ) {
    if (lone !== undefined) this.watch = (wake) => this.#listen(lone, wake);
  }

  setUp(access: Access): Promise<void> {
    return setUpJournal(this.domain, access);
  }

  async claim(unitOfWork: string, access: Access): Promise<void> {
    await this.#run({ text: claimStatement('$1'), values: [unitId(unitOfWork)], prepare: true }, access);
  }

  async record(row: JournalRow, access: Access): Promise<void> {
    await this.#run(recording(row), access);
  }

  async decide(row: JournalRow, access: Access): Promise<void> {
    await this.domain.commitAfter(recording(row), access);
  }

  async resolve(unitOfWork: string, access: Access): Promise<JournalRow | undefined> {
    return resolveUnit(this.domain, unitId(unitOfWork), access);
  }

  async open(query: OpenQuery, access: Access): Promise<readonly OpenUnit[]> {
    const { limit, minAgeMs = 0, dead = false, attempts: { min, max } = { min: 0 }, after } = query;
    const values = [limit, minAgeMs, min, max ?? MAX_INTEGER].map(String);
    if (after !== undefined) values.push(String(after.attempts), after.place ?? '0', unitId(after.unitOfWork));
    // The limit is one that the planner does not know: for one that it knows, it may read and sort all that is open.
    const text = `select ${UNIT}, xid from (
      select *, sum(octet_length(redo)) over (order by attempts, xid, uow) - octet_length(redo) as before from (
        select * from ${JOURNAL} where not done and ${dead ? 'dead' : 'not dead'}
          and decided_at <= clock_timestamp() - $2::float8 * interval '1 millisecond'
          and attempts between $3::integer and $4::integer
          ${after === undefined ? '' : 'and (attempts, xid, uow) > ($5::integer, $6::xid8, $7::uuid)'}
        order by attempts, xid, uow limit (select $1::bigint)) picked) measured
      where before < ${MAX_ANSWER_BYTES} order by attempts, xid, uow`;
    const rows = await this.#run({ text, values }, access);
    return rows.map(placedUnit);
  }

  async find(unitOfWork: string, access: Access): Promise<OpenUnit | undefined> {
    const text = `select ${UNIT} from ${JOURNAL} where uow = $1::uuid`;
    const [row] = await this.#run({ text, values: [unitId(unitOfWork)], prepare: true }, access);
    return row && openUnit(row);
  }

  async note(unitsOfWork: readonly string[], failure: Failure, access: Access): Promise<void> {
    const change = `update ${JOURNAL} set attempts = $2::integer, error = $3::text, dead = $4::boolean`;
    const { over } = failure;
    const values = [String(failure.attempts), errorText(failure.error), String(failure.dead)];
    const still = over === undefined ? '' : ' and attempts = $5::integer and dead = $6::boolean';
    if (over !== undefined) values.push(String(over.attempts), String(over.dead));
    // Given back by a person, who does not want to wait.
    await this.#each(change, `not done${still}`, unitsOfWork, access, values, failure.attempts === 0);
  }

  async handOver(unitsOfWork: readonly string[], error: string | undefined, access: Access): Promise<void> {
    const change = `update ${JOURNAL} set attempts = 1, error = $2::text`;
    await this.#each(change, 'attempts = 0 and not done and not dead', unitsOfWork, access, [errorText(error)], true);
  }

  async done(unitsOfWork: readonly string[], access: Access): Promise<void> {
    await this.#each(`update ${JOURNAL} set done = true`, 'not done', unitsOfWork, access);
  }

  async forget(unitsOfWork: readonly string[], access: Access): Promise<void> {
    await this.#each(`delete from ${JOURNAL}`, 'true', unitsOfWork, access);
  }

  async prune(unitsOfWork: readonly string[], access: Access): Promise<void> {
    await this.#each(`delete from ${JOURNAL}`, 'done', unitsOfWork, access);
  }

  async doneUnits(limit: number, access: Access): Promise<readonly string[]> {
    const text = `select uow from ${JOURNAL} where done order by dead, xid, uow limit $1::bigint`;
    const rows = await this.#run({ text, values: [String(limit)] }, access);
    return rows.map(([unit]) => String(unit));
  }

  async stats(access: Access): Promise<JournalStats> {
    const text = `select count(*) filter (where not dead), count(*) filter (where dead),
      count(*) filter (where attempts > 0), sum(attempts),
      extract(epoch from clock_timestamp() - min(decided_at) filter (where not dead)) * 1000 from ${JOURNAL} where not done`;
    const [row = []] = await this.#run({ text, values: [] }, access);
    return journalStats(row);
  }

  /** Several rows in one statement, locked in one order: two relays that do the same must not block each other. */
  async #each(
    change: string,
    where: string,
    unitsOfWork: readonly string[],
    access: Access,
    more: readonly (string | null)[] = [],
    tells = false,
  ): Promise<void> {
    if (unitsOfWork.length === 0) return;
    const changed = `${change} where uow in (select uow from picked)`;
    const text = `with picked as materialized (
      select uow from ${JOURNAL} where uow = any($1::uuid[]) and ${where} order by uow for update)
      ${tells ? telling(changed) : changed}`;
    await this.#run({ text, values: [unitIds(unitsOfWork), ...more], prepare: true }, access);
  }

  async #listen(lone: () => PgLoneClient | undefined, wake: () => void): Promise<JournalWatch> {
    const { domain } = this;
    return JournalListener.start({
      name: domain.name,
      wake,
      connect: () => {
        const client = lone();
        if (client === undefined) throw new ConnectionError(`"${domain.name}" is not open.`);
        return client;
      },
      notify: async (payload, signal) => {
        const statement = { text: 'select pg_notify($1, $2)', values: [CHANNEL, payload] };
        await domain.use({ signal, label: 'listen' }, (session) => session.query(statement));
      },
    });
  }

  async #run(statement: Statement, access: Access): Promise<readonly TextRow[]> {
    const { rows } = await this.domain.use(access, (session) => session.query(statement));
    return rows;
  }
}

/** The same change in a query that begins with `with`, which tells whoever listens where it has changed something. */
function telling(change: string): string {
  return `, changed as (${change} returning 1) select pg_notify('${CHANNEL}', '') from changed limit 1`;
}

function errorText(error: string | undefined): string | null {
  return error?.replaceAll('\0', '').slice(0, MAX_ERROR_LENGTH) ?? null;
}

function recording({ unitOfWork, redo }: JournalRow): Statement {
  const text = `insert into ${JOURNAL} (uow, redo) values ($1::uuid, $2::text)`;
  return { text, values: [unitId(unitOfWork), redo], prepare: true };
}
