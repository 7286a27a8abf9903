/** The story: accounts are opened, money is transferred, processes die, and what the databases say is held against it. */
import { isDecidedAt, type Moment } from './moments.js';
import { lookFromOutside, type Seen } from './outside.js';
import type { Places } from './places.js';
import { inProcess } from './processes.js';
import type { Parties } from './transfer.js';

export type Outcome = 'whole' | 'absent' | 'half';

export interface Story {
  readonly cents: number;
  /** Absent: it was left alone. */
  readonly kill?: Moment;
  /** What its process said when it was through; undefined for one that died. */
  readonly receipt: unknown;
  /** Right after the process ended, in whatever way. */
  readonly found: Seen;
  /** In the end: after a restart, where it had died. */
  readonly after: Seen;
  readonly outcome: Outcome;
  /** What the protocol promises. */
  readonly expected: Outcome;
}

export async function beginStory(places: Places): Promise<{ readonly parties: Parties; readonly seen: Seen }> {
  const { result } = await inProcess({ places, task: { do: 'open accounts' } });
  const parties = result as Parties;
  return { parties, seen: await lookFromOutside(places, parties) };
}

/** One transfer, and its end. `before` is what was there. */
export async function tell(
  places: Places,
  parties: Parties,
  before: Seen,
  { cents, kill }: Pick<Story, 'cents' | 'kill'>,
): Promise<Story> {
  const task = { do: 'transfer', parties, cents, ...(kill && { dieAt: kill }) } as const;
  const { result: receipt, signal } = await inProcess({ places, task });
  if (kill !== undefined && signal !== 'SIGKILL') throw new Error(`The process was to die at '${kill}' and did not.`);
  const found = await lookFromOutside(places, parties);
  const expected = kill === undefined || isDecidedAt(kill) ? 'whole' : 'absent';
  if (kill === undefined) {
    return { cents, receipt, found, outcome: outcomeOf(before, found, cents), expected, after: found };
  }
  await inProcess({ places, task: { do: 'finish' } });
  const after = await lookFromOutside(places, parties);
  return { cents, kill, receipt, found, outcome: outcomeOf(before, after, cents), expected, after };
}

/** Whether four databases tell of a transfer, none does, or they contradict each other or the books. */
export function outcomeOf(before: Seen, after: Seen, cents: number): Outcome {
  if (after.journal.length > 0 || [...after.ledgers, ...after.payments].some(({ fence }) => fence !== undefined)) {
    return 'half';
  }
  if (isSame(visible(before), visible(after))) return 'absent';
  const accounts = before.accounts.map(({ owner, cents: had }, at) => ({
    owner,
    cents: at === 0 ? had - cents : had + cents,
  }));
  const wanted = {
    accounts,
    ledgers: [accounts],
    payments: [...visible(before).payments, cents],
    points: [...before.points, cents],
  };
  return isSame(wanted, visible(after)) ? 'whole' : 'half';
}

function visible({ accounts, ledgers, payments, points }: Seen) {
  return {
    accounts,
    ledgers: ledgers.map(({ balances }) => balances),
    payments: payments.filter(({ fence }) => fence?.op !== 'insert').map((payment) => payment.cents),
    points,
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
