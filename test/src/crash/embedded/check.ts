/**
 * The independent checker: opens the folder with PGlite alone and asks its tables in SQL, so that a mistake in
 * Storeweave's reading cannot hide a mistake in its writing.
 */
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { ACCOUNTS, OPENING_BALANCE } from './model.js';

/** What the worker said of its units of work, over all rounds. */
export interface Story {
  readonly acknowledged: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
}

/** Returns a sentence for each invariant that does not hold. */
export async function check(folder: string, story: Story): Promise<string[]> {
  const database = await PGlite.create(join(folder, 'postgres'));
  try {
    const ids = async (sql: string): Promise<string[]> =>
      (await database.query<{ id: string }>(sql)).rows.map((row) => row.id);
    const receipts = new Set(await ids('select id::text as id from receipts'));
    const payments = new Set(await ids('select id::text as id from "PAID"'));
    const moved = new Set(
      await ids('select transfer as id from movements group by transfer having count(*) = 2 and sum(amount) = 0'),
    );
    const halfMoved = await ids(
      'select transfer as id from movements group by transfer having count(*) <> 2 or sum(amount) <> 0',
    );

    const violations = halfMoved.map((id) => `${id} has not its two movements`);
    for (const id of new Set([...receipts, ...payments, ...moved])) {
      const places = [receipts.has(id), payments.has(id), moved.has(id)];
      if (places.includes(false)) violations.push(`${id} is half there: document, graph, time series = ${places}`);
      if (story.refused.has(id)) violations.push(`${id} was refused and is there`);
    }
    for (const id of story.acknowledged)
      if (!receipts.has(id)) violations.push(`${id} was acknowledged and is not there`);

    const accounts = await database.query<{ id: number; balance: number; version: number; moves: number; sum: number }>(
      `select a.id, a.balance, a.version, count(m.account)::integer as moves, coalesce(sum(m.amount), 0)::integer as sum
       from accounts a left join movements m on m.account = a.id group by a.id, a.balance, a.version`,
    );
    if (accounts.rows.length !== ACCOUNTS)
      violations.push(`there are ${accounts.rows.length} accounts, not ${ACCOUNTS}`);
    for (const { id, balance, version, moves, sum } of accounts.rows) {
      if (balance !== OPENING_BALANCE + sum)
        violations.push(`account ${id} has ${balance}, its movements say ${OPENING_BALANCE + sum}`);
      if (version !== 1 + moves) violations.push(`account ${id} has version ${version} after ${moves} changes`);
    }
    return violations;
  } finally {
    await database.close();
  }
}
