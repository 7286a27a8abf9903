/**
 * `storeweave journal`: the units of work over several databases that are decided and not yet applied everywhere, those
 * that cannot be, and what a person can do about them.
 */
import { ConfigurationError, type Journal, type JournalEntry, Storeweave } from '@storeweave/core';
import type { StoreweaveConfig } from '../config.js';
import { ExitCode } from '../exit-code.js';
import { columns, type Output } from '../output.js';
import { whole } from './move.js';

export interface ListFlags {
  readonly dead: boolean;
  readonly limit: string;
}

/** Length of an error in a table; `show` has all of it. */
const ERROR_WIDTH = 80;

export function journalList(config: StoreweaveConfig, output: Output, flags: ListFlags): Promise<ExitCode> {
  const limit = whole('--limit', flags.limit);
  return withJournal(config, async (journal) => {
    const units = await journal.list({ dead: flags.dead, limit });
    const none = flags.dead
      ? 'There is no dead letter.'
      : 'Nothing is open: all that was decided is applied everywhere, or a dead letter.';
    output.result({ units }, units.length === 0 ? none : table(units));
    return ExitCode.ok;
  });
}

/** The exit code is `differs` where the journal has no row of it. */
export function journalShow(config: StoreweaveConfig, output: Output, unitOfWork: string): Promise<ExitCode> {
  return withJournal(config, async (journal) => {
    const unit = await journal.find(unitOfWork);
    const absent = `The journal has no unit of work ${unitOfWork}: it was refused, or it was applied everywhere and its row pruned since.`;
    output.result({ unit: unit ?? null }, unit === undefined ? absent : describe(unit));
    return unit === undefined ? ExitCode.differs : ExitCode.ok;
  });
}

/** Gives units of work back to the relays: those that are named, or every dead letter. */
export function journalRetry(
  config: StoreweaveConfig,
  output: Output,
  units: readonly string[],
  flags: { readonly allDead: boolean },
): Promise<ExitCode> {
  if (units.length > 0 === flags.allDead) {
    throw new ConfigurationError('journal retry takes the ids of units of work, or --all-dead, and not both.');
  }
  return withJournal(config, async (journal) => {
    const retried = flags.allDead ? await retryDead(journal, output) : await retryEach(journal, units);
    const text =
      retried.length === 0 ? 'There is no dead letter.' : `Relays will try again:\n  ${retried.join('\n  ')}`;
    output.result({ retried }, text);
    return ExitCode.ok;
  });
}

export function journalDiscard(
  config: StoreweaveConfig,
  output: Output,
  unitOfWork: string,
  { reason }: { readonly reason: string },
): Promise<ExitCode> {
  if (reason.trim() === '') throw new ConfigurationError('--reason says why, for those who look at it later.');
  return withJournal(config, async (journal) => {
    await journal.discard(unitOfWork, reason);
    const text = `Discarded ${unitOfWork}. This broke the unit of work apart: what was applied of it stays, what was not never will be, and its rows can be written again. Repairing the data is yours.`;
    output.result({ discarded: unitOfWork, reason }, text);
    return ExitCode.ok;
  });
}

/** With `check`, dead letters are the exit code `differs`. */
export function journalStats(
  config: StoreweaveConfig,
  output: Output,
  { check }: { readonly check: boolean },
): Promise<ExitCode> {
  return withJournal(config, async (journal) => {
    const stats = await journal.stats();
    const oldest = stats.oldestMs === undefined ? '-' : age(stats.oldestMs);
    const rows = [
      ['open', 'dead letters', 'oldest', 'retried', 'attempts'],
      [String(stats.open), String(stats.dead), oldest, String(stats.retried), String(stats.attempts)],
    ];
    output.result(stats, columns(rows));
    return check && stats.dead > 0 ? ExitCode.differs : ExitCode.ok;
  });
}

/** In pages, since one that is given back is no longer listed. */
async function retryDead(journal: Journal, output: Output): Promise<string[]> {
  const retried = new Set<string>();
  for (;;) {
    const page = (await journal.list({ dead: true, limit: 500 })).map((unit) => unit.unitOfWork);
    // What died again meanwhile is left as it is.
    const fresh = page.filter((unit) => !retried.has(unit));
    if (fresh.length === 0) return [...retried];
    for (const unit of await retryEach(journal, fresh)) retried.add(unit);
    output.progress(`${retried.size} given back.`);
  }
}

async function retryEach(journal: Journal, units: readonly string[]): Promise<readonly string[]> {
  for (const unit of units) await journal.retry(unit);
  return units;
}

/** Without a relay: these commands look, and leave the work to those who do it. */
async function withJournal(
  { migrations: _, ...options }: StoreweaveConfig,
  run: (journal: Journal) => Promise<ExitCode>,
): Promise<ExitCode> {
  await using weave = await Storeweave.open({
    ...options,
    schema: 'ignore',
    commit: { ...options.commit, relay: false },
  });
  return await run(weave.journal);
}

function table(units: readonly JournalEntry[]): string {
  const head = ['unit of work', 'age', 'attempts', 'changes', 'error'];
  const rows = units.map((unit) => [
    unit.unitOfWork,
    age(unit.ageMs),
    String(unit.attempts),
    changes(unit),
    short(unit.error ?? '-'),
  ]);
  return columns([head, ...rows]);
}

function describe(unit: JournalEntry): string {
  const { unitOfWork, ageMs, attempts, error } = unit;
  const lines = [`${unitOfWork}: ${standing(unit)}`, `decided   ${age(ageMs)} ago`, `attempts  ${attempts} failed`];
  lines.push(`changes   ${changes(unit)}`);
  if (error !== undefined) lines.push(`error     ${error}`);
  return lines.join('\n');
}

function standing({ done = false, dead }: JournalEntry): string {
  if (done) return dead ? 'decided, then discarded as a dead letter' : 'decided, and applied everywhere';
  return dead ? 'decided, and a dead letter: no relay tries it any more' : 'decided, and not yet applied everywhere';
}

/** `document: 1 insert Profile, 2 update Account; billing: a prepared transaction` */
function changes({ stores, changes: all = [] }: JournalEntry): string {
  if (stores === undefined) return 'of entities that this configuration does not know';
  const inStore = (name: string) => all.filter(({ store }) => store === name);
  return stores
    .map((name) => {
      const parts = inStore(name).map(({ rows, operation, entity }) => `${rows} ${operation} ${entity}`);
      return `${name}: ${parts.length === 0 ? 'a prepared transaction' : parts.join(', ')}`;
    })
    .join('; ');
}

/** In one unit, for people. */
function age(ms: number): string {
  const units: readonly [string, number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ];
  const [unit, size] = units.find(([, length]) => ms >= 2 * length) ?? ['ms', 1];
  return `${Math.floor(ms / size)} ${unit}`;
}

function short(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > ERROR_WIDTH ? `${line.slice(0, ERROR_WIDTH - 1)}…` : line;
}
