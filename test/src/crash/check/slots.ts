/**
 * The history of a slot. It lives from an insertion to a deletion, and each change in between adds its unit to the list
 * and one to the version; so a life's list must be made of exactly those committed changes that say so, each on top of
 * what it read. A lost, repeated, reordered or resurrected change breaks that chain.
 */
import type { RowStore } from '../model.js';
import type { Change, UnitStory } from '../story.js';
import type { SlotRow } from './observation.js';

interface Committed extends Change {
  readonly unit: string;
}

export function verifySlots(
  store: RowStore,
  stories: readonly UnitStory[],
  committed: ReadonlySet<string>,
  rows: readonly SlotRow[],
): string[] {
  const byId = new Map<number, Committed[]>();
  for (const { unit, attempts } of stories) {
    if (!committed.has(unit)) continue;
    for (const change of attempts.at(-1)?.changes ?? []) {
      if (change.store !== store) continue;
      const changes = byId.get(change.id) ?? [];
      byId.set(change.id, changes);
      changes.push({ ...change, unit });
    }
  }
  const ids = new Set([...byId.keys(), ...rows.map(({ id }) => id)]);
  const names = rows.map(({ name }) => name);
  const twice = names
    .filter((name, at) => names.indexOf(name) !== at)
    .map((name) => `${store} has the name ${name} twice`);
  const each = [...ids].flatMap((id) => {
    const found = rows.filter((row) => row.id === id);
    const problems = found.length > 1 ? ['is there more than once'] : verifySlot(byId.get(id) ?? [], found[0]);
    return problems.map((problem) => `${store} ${id} ${problem}`);
  });
  return [...twice, ...each];
}

function verifySlot(changes: readonly Committed[], row: SlotRow | undefined): string[] {
  const problems: string[] = [];
  const now = row?.units.split(',') ?? [];
  const births = changes.filter(({ op }) => op === 'insert').map(({ unit }) => unit);
  const deaths = new Map<string, Committed[]>();
  for (const change of changes) {
    if (change.op !== 'delete') continue;
    const birth = change.before?.[0] ?? '';
    deaths.set(birth, [...(deaths.get(birth) ?? []), change]);
  }
  const changesOf = (birth: string) => changes.filter(({ op, before }) => op === 'append' && before?.[0] === birth);
  const lives = new Set([...births, ...deaths.keys(), ...changes.flatMap(({ before }) => before?.slice(0, 1) ?? [])]);
  if (row !== undefined) lives.add(now[0] ?? '');
  for (const birth of lives) {
    const ends = deaths.get(birth) ?? [];
    const isAlive = row !== undefined && now[0] === birth;
    if (ends.length > 1)
      problems.push(`was deleted by ${ends.map(({ unit }) => unit).join(' and ')}, of one life (${birth})`);
    if (isAlive && ends.length > 0) problems.push(`was deleted by ${ends[0]?.unit} and is there (${now})`);
    if (!isAlive && ends.length === 0) problems.push(`was inserted by ${birth}, is not there, and nobody deleted it`);
    const units = isAlive ? now : [...(ends[0]?.before ?? [])];
    if (units.length > 0) problems.push(...verifyLife(birth, units, births, changesOf(birth)));
  }
  if (row !== undefined) {
    if (row.version !== now.length) problems.push(`has version ${row.version} after ${now.length} changes (${now})`);
    const named = now.map((unit) => changes.find((each) => each.unit === unit && each.op !== 'delete')?.name);
    const name = named.findLast((each) => each !== undefined);
    if (name !== undefined && row.name !== name) problems.push(`is named ${row.name}, and was last named ${name}`);
  }
  return problems;
}

/** `units`: all that it went through. */
function verifyLife(
  birth: string,
  units: readonly string[],
  births: readonly string[],
  appended: readonly Committed[],
): string[] {
  const problems: string[] = [];
  if (!births.includes(birth)) problems.push(`has a life that begins with ${birth}, which did not insert it`);
  for (const [at, unit] of units.entries()) {
    if (at === 0) continue;
    const change = appended.find((each) => each.unit === unit);
    if (change === undefined) problems.push(`has a change by ${unit}, which is not there or made none (${units})`);
    else if (change.before?.join() !== units.slice(0, at).join())
      problems.push(`was changed by ${unit} after ${change.before}, and has ${units}`);
  }
  for (const { unit, before } of appended)
    if (units[before?.length ?? 0] !== unit)
      problems.push(`has lost the change by ${unit} after ${before}: it has ${units}`);
  if (new Set(units).size < units.length) problems.push(`has a change twice: ${units}`);
  return problems;
}
