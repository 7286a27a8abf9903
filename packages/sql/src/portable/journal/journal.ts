/**
 * A database without arrays decides: its COMMIT makes the journal row of a unit of work last, and that row is the decision. The
 * claim is the row itself, inserted before any fence is sent and without its redo: whoever asks waits until the
 * transaction that inserted it is over, however its client ended.
 */
import {
  type Access,
  type CommitCoordinator,
  type Failure,
  type JournalRow,
  type JournalStats,
  type OpenQuery,
  type OpenUnit,
  SchemaError,
  type StoreweaveError,
  TimeoutError,
} from '@storeweave/core';
import {
  journalStats,
  MAX_ANSWER_BYTES,
  MAX_ERROR_LENGTH,
  MAX_INTEGER,
  openUnit,
  placedUnit,
} from '../../commit/journal-rows.js';
import { unitId } from '../../commit/unit-id.js';
import type { SqlDomain, SqlSession, TextRow } from '../../session.js';
import { JOURNAL, type JournalTerms } from './journal-terms.js';

/** Ids in one statement: few forms of it, each prepared once. */
const SIZES = [1, 10, 100] as const;
const LARGEST = 100;

export class PortableJournal implements CommitCoordinator {
  constructor(
    private readonly domain: SqlDomain,
    private readonly terms: JournalTerms,
  ) {}

  async setUp({ transaction: _, ...access }: Access): Promise<void> {
    const { create } = this.terms;
    await this.domain.use(access, async (session) => {
      await this.terms.checkDurable(session, this.domain.name);
      try {
        for (const text of create) await session.query({ text, values: [] });
      } catch (cause) {
        throw new SchemaError(
          `The table ${JOURNAL}, which a commit over several stores needs, could not be made: ${(cause as StoreweaveError).message} Give the user the right to create tables, or have this run by somebody who may:\n${create.join(';\n')};`,
          { cause },
        );
      }
    });
  }

  async claim(unitOfWork: string, access: Access): Promise<void> {
    await this.#ask(`insert into ${JOURNAL} (uow) values ($1)`, [unitId(unitOfWork)], access);
  }

  async record({ unitOfWork, redo }: JournalRow, access: Access): Promise<void> {
    const { update, now } = this.terms;
    const values = [unitId(unitOfWork), redo];
    await this.domain.use(access, async (session) => {
      const text = `${update} redo = $2, decided_at = ${now} where uow = $1 and redo is null`;
      if ((await session.query({ text, values })).count > 0) return;
      // Without a claim. A row that is there already was decided by another, and the insert fails.
      await session.query({ text: `insert into ${JOURNAL} (uow, redo, decided_at) values ($1, $2, ${now})`, values });
    });
  }

  async resolve(unitOfWork: string, access: Access): Promise<JournalRow | undefined> {
    const unit = unitId(unitOfWork);
    const { timeoutMs } = access;
    try {
      const found = await this.terms.settled(this.domain, unit, access);
      if (found?.redo == null) return undefined;
      await this.terms.keep?.(this.domain, access);
      return { unitOfWork: unit, redo: found.redo };
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      const limit = timeoutMs === undefined ? 'in time' : `within ${timeoutMs} ms`;
      throw new TimeoutError(
        `Unit of work ${unit} was not decided at "${this.domain.name}" ${limit}: the transaction that decides it is still open there. Try again; if it stays so, look for a connection that does nothing and has a transaction open.`,
        { cause: error },
      );
    }
  }

  async open(query: OpenQuery, access: Access): Promise<readonly OpenUnit[]> {
    const { limit, minAgeMs = 0, dead = false, attempts: { min, max } = { min: 0 }, after } = query;
    const integer = (n: number) => this.domain.dialect.parameter(n, 'bigint');
    const values = [minAgeMs, min, max ?? MAX_INTEGER].map((value) => String(Math.ceil(value)));
    if (after !== undefined) values.push(String(after.attempts), after.place ?? '0');
    const sizes = await this.#ask(
      `select uow, octet_length(redo) from ${JOURNAL} where done = 0 and dead = ${dead ? 1 : 0} and redo is not null
        and decided_at <= ${this.terms.now} - ${integer(1)} and attempts between ${integer(2)} and ${integer(3)}
        ${after === undefined ? '' : `and (attempts > ${integer(4)} or attempts = ${integer(4)} and seq > ${integer(5)})`}
        order by attempts, seq limit ${Math.max(0, Math.trunc(limit))}`,
      values,
      access,
    );
    const units = fitting(sizes);
    if (units.length === 0) return [];
    const rows = await this.#each(
      units,
      access,
      (ids) => `select ${this.#unit}, seq from ${JOURNAL} where uow in (${ids})`,
    );
    await this.terms.keep?.(this.domain, access);
    const byUnit = new Map(rows.map((row) => [String(row[0]), row]));
    return units.flatMap((unit) => {
      const row = byUnit.get(unit);
      return row === undefined ? [] : [placedUnit(row)];
    });
  }

  async find(unitOfWork: string, access: Access): Promise<OpenUnit | undefined> {
    const text = `select ${this.#unit} from ${JOURNAL} where uow = $1 and redo is not null`;
    const [row] = await this.#ask(text, [unitId(unitOfWork)], access);
    return row && openUnit(row);
  }

  async note(unitsOfWork: readonly string[], { error, attempts, dead, over }: Failure, access: Access): Promise<void> {
    const set = `error = $1, attempts = ${this.domain.dialect.parameter(2, 'bigint')}, dead = ${dead ? 1 : 0}`;
    const values = [error?.slice(0, MAX_ERROR_LENGTH) ?? null, String(attempts)];
    if (over !== undefined) values.push(String(over.attempts));
    const still =
      over === undefined
        ? ''
        : `attempts = ${this.domain.dialect.parameter(3, 'bigint')} and dead = ${over.dead ? 1 : 0} and `;
    await this.#change(
      unitsOfWork,
      access,
      (ids) => `${this.terms.update} ${set} where ${still}uow in (${ids}) and done = 0`,
      values,
    );
  }

  async handOver(unitsOfWork: readonly string[], error: string | undefined, access: Access): Promise<void> {
    await this.#change(
      unitsOfWork,
      access,
      (ids) =>
        `${this.terms.update} error = $1, attempts = 1 where uow in (${ids}) and attempts = 0 and dead = 0 and done = 0`,
      [error?.slice(0, MAX_ERROR_LENGTH) ?? null],
    );
  }

  async done(unitsOfWork: readonly string[], access: Access): Promise<void> {
    await this.#change(
      unitsOfWork,
      access,
      (ids) => `${this.terms.update} done = 1 where uow in (${ids}) and done = 0`,
    );
  }

  async forget(unitsOfWork: readonly string[], access: Access): Promise<void> {
    await this.#change(unitsOfWork, access, (ids) => `${this.terms.remove} where uow in (${ids})`);
  }

  async prune(unitsOfWork: readonly string[], access: Access): Promise<void> {
    await this.#change(unitsOfWork, access, (ids) => `${this.terms.remove} where uow in (${ids}) and done = 1`);
  }

  async doneUnits(limit: number, access: Access): Promise<readonly string[]> {
    const text = `select uow from ${JOURNAL} where done = 1 order by seq limit ${Math.max(0, Math.trunc(limit))}`;
    return (await this.#ask(text, [], access)).map(([unit]) => String(unit));
  }

  async stats(access: Access): Promise<JournalStats> {
    const text = `select count(case when dead = 0 then 1 end), count(case when dead = 1 then 1 end),
      count(case when attempts > 0 then 1 end), sum(attempts),
      ${this.terms.now} - min(case when dead = 0 then decided_at end) from ${JOURNAL} where done = 0 and redo is not null`;
    const [row = []] = await this.#ask(text, [], access);
    return journalStats(row);
  }

  get #unit(): string {
    return `uow, redo, attempts, error, dead, ${this.terms.now} - decided_at, done`;
  }

  async #ask(text: string, values: readonly string[], access: Access): Promise<readonly TextRow[]> {
    return (await this.domain.use(access, (session) => session.query({ text, values }))).rows;
  }

  /** Several rows, in one order: two relays that do the same must not block each other. All of them or none. */
  async #change(
    unitsOfWork: readonly string[],
    access: Access,
    textOf: (ids: string) => string,
    first: readonly (string | null)[] = [],
  ): Promise<void> {
    if (unitsOfWork.length === 0) return;
    const units = unitsOfWork.map(unitId).sort();
    if (access.transaction !== undefined) {
      await this.#each(units, access, textOf, first);
      return;
    }
    const { signal, timeoutMs } = access;
    const options = { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }), label: 'journal' };
    // Rows of others that are under way would be waited for at a stricter level.
    const transaction = await this.domain.begin({ ...options, isolation: 'read committed' });
    try {
      await this.#each(units, { ...access, transaction }, textOf, first);
      await transaction.commit();
    } finally {
      await transaction.rollback();
    }
  }

  #each(
    units: readonly string[],
    access: Access,
    textOf: (ids: string) => string,
    first: readonly (string | null)[] = [],
  ): Promise<TextRow[]> {
    const run = async (session: SqlSession) => {
      const rows: TextRow[] = [];
      for (let at = 0; at < units.length; at += LARGEST) {
        const some = padded(units.slice(at, at + LARGEST));
        const ids = some.map((_, i) => `$${first.length + i + 1}`).join();
        rows.push(...(await session.query({ text: textOf(ids), values: [...first, ...some] })).rows);
      }
      return rows;
    };
    return this.domain.use(access, run);
  }
}

/** The units of an answer that is not too large, by their sizes. */
function fitting(sizes: readonly TextRow[]): string[] {
  const units: string[] = [];
  let bytes = 0;
  for (const [unit, size] of sizes) {
    bytes += Number(size);
    if (units.length > 0 && bytes > MAX_ANSWER_BYTES) break;
    units.push(String(unit));
  }
  return units;
}

/** The last one several times, where there are fewer than a statement has places. */
function padded(units: readonly string[]): string[] {
  const size = SIZES.find((each) => each >= units.length) ?? units.length;
  return Array.from({ length: size }, (_, at) => units[Math.min(at, units.length - 1)] ?? '');
}
