/**
 * A PostgreSQL decides: its COMMIT makes the journal row of a unit of work last, and that row is the decision. Whoever
 * asks takes the lock that the deciding transaction holds from its claim on, and so waits until the server is through
 * with it, however its client ended; only what is read after that is the truth.
 */
import type {
  Access,
  CommitCoordinator,
  Failure,
  JournalRow,
  JournalStats,
  OpenQuery,
  OpenUnit,
} from '@storeweave/core';
import type { SqlDomain, Statement, TextRow } from '../session.js';
import { JOURNAL, setUpJournal } from './journal-table.js';
import { resolveUnit } from './resolve.js';
import { claimStatement, unitId, unitIds } from './unit-id.js';

/** One answer holds no more text than this, but for its first row: a relay must not die of what it is to do. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** What a column of attempts holds. */
const MAX_INTEGER = 2_147_483_647;
/** A driver's message may have a whole request in it. */
const MAX_ERROR_LENGTH = 4000;

const UNIT = 'uow, redo, attempts, error, dead, extract(epoch from clock_timestamp() - decided_at) * 1000, done';

export class PgJournal implements CommitCoordinator {
  constructor(private readonly domain: SqlDomain) {}

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
    const text = `select ${UNIT}, xid from (
      select *, sum(octet_length(redo)) over (order by attempts, xid, uow) - octet_length(redo) as before from (
        select * from ${JOURNAL} where not done and ${dead ? 'dead' : 'not dead'}
          and decided_at <= clock_timestamp() - $2::float8 * interval '1 millisecond'
          and attempts between $3::integer and $4::integer
          ${after === undefined ? '' : 'and (attempts, xid, uow) > ($5::integer, $6::xid8, $7::uuid)'}
        order by attempts, xid, uow limit $1::bigint) picked) measured
      where before < ${MAX_ANSWER_BYTES} order by attempts, xid, uow`;
    const rows = await this.#run({ text, values }, access);
    return rows.map((row) => ({ ...openUnit(row), place: String(row.at(-1)) }));
  }

  async find(unitOfWork: string, access: Access): Promise<OpenUnit | undefined> {
    const text = `select ${UNIT} from ${JOURNAL} where uow = $1::uuid`;
    const [row] = await this.#run({ text, values: [unitId(unitOfWork)], prepare: true }, access);
    return row && openUnit(row);
  }

  async note(unitsOfWork: readonly string[], failure: Failure, access: Access): Promise<void> {
    const error = failure.error?.replaceAll('\0', '').slice(0, MAX_ERROR_LENGTH) ?? null;
    const change = `update ${JOURNAL} set attempts = $2::integer, error = $3::text, dead = $4::boolean`;
    const values = [String(failure.attempts), error, String(failure.dead)];
    await this.#each(change, 'not done', unitsOfWork, access, values);
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
      extract(epoch from clock_timestamp() - min(decided_at) filter (where not dead)) * 1000 from ${JOURNAL} where not done`;
    const [[open, dead, oldest] = []] = await this.#run({ text, values: [] }, access);
    return { open: Number(open), dead: Number(dead), ...(oldest != null && { oldestMs: age(oldest) }) };
  }

  /** Several rows in one statement, locked in one order: two relays that do the same must not block each other. */
  async #each(
    change: string,
    where: string,
    unitsOfWork: readonly string[],
    access: Access,
    more: readonly (string | null)[] = [],
  ): Promise<void> {
    if (unitsOfWork.length === 0) return;
    const text = `with picked as materialized (
      select uow from ${JOURNAL} where uow = any($1::uuid[]) and ${where} order by uow for update)
      ${change} where uow in (select uow from picked)`;
    await this.#run({ text, values: [unitIds(unitsOfWork), ...more], prepare: true }, access);
  }

  async #run(statement: Statement, access: Access): Promise<readonly TextRow[]> {
    const { rows } = await this.domain.use(access, (session) => session.query(statement));
    return rows;
  }
}

function recording({ unitOfWork, redo }: JournalRow): Statement {
  const text = `insert into ${JOURNAL} (uow, redo) values ($1::uuid, $2::text)`;
  return { text, values: [unitId(unitOfWork), redo], prepare: true };
}

function openUnit([unitOfWork, redo, attempts, error, dead, ageMs, done]: TextRow): OpenUnit {
  return {
    unitOfWork: String(unitOfWork),
    redo: String(redo),
    attempts: Number(attempts),
    ...(error != null && { error }),
    dead: dead === 't',
    ...(done === 't' && { done: true }),
    ageMs: age(ageMs),
  };
}

/** A clock that was set back makes no negative age. */
function age(ms: string | null | undefined): number {
  return Math.max(0, Number(ms));
}
