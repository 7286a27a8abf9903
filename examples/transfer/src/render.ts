/** What was seen, as tables for a terminal. */
import Table from 'cli-table3';
import type { Balance } from './model.js';
import { MOMENTS } from './moments.js';
import type { Fence, Seen } from './outside.js';
import type { Story } from './show.js';

/** One moment, database by database. */
export function seenTable(seen: Seen): string {
  const table = new Table({
    head: ['database', 'what its own client says', 'fences and journal'],
    style: { head: [], border: [], compact: true },
  });
  const { accounts, journal, ledgers, payments, points } = seen;
  table.push(
    ['PostgreSQL', `accounts  ${balances(accounts)}`, journal.map((unit) => `journal: ${short(unit)}`).join('\n')],
    [
      'MongoDB',
      ledgers.map((ledger) => `ledger    ${balances(ledger.balances)}`).join('\n'),
      fences(ledgers.map(({ fence }) => fence)),
    ],
    ['Neo4j', `PAID      ${list(payments.map(({ cents }) => cents))}`, fences(payments.map(({ fence }) => fence))],
    ['InfluxDB', `points    ${list(points)}`, ''],
  );
  return table.toString();
}

export function heading({ cents, kill }: Pick<Story, 'cents' | 'kill'>): string {
  const what = `Ada pays Bob ${money(cents)}`;
  return kill === undefined ? what : `${what}; the process is killed when ${MOMENTS[kill]}`;
}

export function verdict({ outcome, expected, kill }: Story): string {
  const after = kill === undefined ? '' : ' after the restart';
  const words = {
    whole: `The transfer is whole${after}: four databases tell the same.`,
    absent: `The transfer is absent${after}: it was never decided, and no trace of it is left.`,
    half: `The transfer is HALF DONE${after}.`,
  };
  return outcome === expected ? words[outcome] : `${words[outcome]} This must not be: it should be ${expected}.`;
}

function balances(all: readonly Balance[]): string {
  return all.map(({ owner, cents }) => `${owner} ${money(cents).padStart(6)}`).join('   ');
}

function list(cents: readonly number[]): string {
  return cents.length === 0 ? 'none' : cents.map(money).join('  ');
}

function fences(all: readonly (Fence | undefined)[]): string {
  const words: Record<string, string> = { insert: 'placeholder', update: 'fence' };
  return all
    .flatMap((fence) => (fence === undefined ? [] : [`${words[fence.op] ?? fence.op} of ${short(fence.unitOfWork)}`]))
    .join('\n');
}

/** The end of an id: units of work of one moment begin alike. */
function short(unitOfWork: string): string {
  return `…${unitOfWork.slice(-8)}`;
}

function money(cents: number): string {
  return (cents / 100).toFixed(2);
}
