/**
 * Counters are changed without being read, so that nothing but their sum, their version and the last unit of a shelf can
 * tell: of everything that is committed, once.
 */
import { COUNTERS, type RowStore } from '../model.js';
import type { UnitStory } from '../story.js';
import type { CounterRow } from './observation.js';

export function verifyCounters(
  store: RowStore,
  stories: readonly UnitStory[],
  committed: ReadonlySet<string>,
  rows: readonly CounterRow[],
): string[] {
  const own = stories.flatMap(({ unit, attempts }) => {
    const counts = committed.has(unit) ? (attempts.at(-1)?.counts ?? []) : [];
    return counts.filter((count) => count.store === store).map((count) => ({ ...count, unit }));
  });
  const problems = rows.length === COUNTERS ? [] : [`${store} has ${rows.length} of ${COUNTERS} counters`];
  for (const { id, total, version, last } of rows) {
    const changes = own.filter((count) => count.id === id);
    const sum = changes.reduce((before, { by }) => before + by, 0);
    const by = () =>
      changes.map(({ unit, by: added, isShelf }) => `${unit} ${isShelf ? 'shelf' : `+${added}`}`).join(', ');
    if (total !== sum) problems.push(`${store} counter ${id} is ${total} and should be ${sum} (${by()})`);
    if (version !== changes.length + 1)
      problems.push(`${store} counter ${id} has version ${version} after ${changes.length} changes (${by()})`);
    const shelvers = changes.filter(({ isShelf }) => isShelf).map(({ unit }) => unit);
    const isRight = last === null ? shelvers.length === 0 : shelvers.includes(last);
    if (!isRight) problems.push(`${store} counter ${id} was last changed by ${last}, and its shelf by ${shelvers}`);
  }
  for (const shelf of new Set(rows.map((row) => row.shelf))) {
    const lasts = new Set(rows.filter((row) => row.shelf === shelf).map(({ last }) => last));
    if (lasts.size > 1) problems.push(`${store} shelf ${shelf} was last changed by ${[...lasts].join(' and ')}`);
  }
  return problems;
}
