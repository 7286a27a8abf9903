/** What settled reads have seen: of each unit of work everything or nothing, and nothing that never came to be. */
import type { Attempt, Change, Snapshot, UnitStory } from '../story.js';

/** `units`: those of the round of the snapshots. `isThere` tells which units of work are there in the end. */
export function verifySnapshots(
  snapshots: readonly Snapshot[],
  units: readonly UnitStory[],
  isThere: ReadonlySet<string>,
): string[] {
  const deleted = new Set(
    units.flatMap(({ attempts }) =>
      attempts.flatMap(({ changes }) => changes.filter(({ op }) => op === 'delete').map(lifeOf)),
    ),
  );
  return snapshots.flatMap((snapshot, at) =>
    verifyOne(snapshot, units, isThere, deleted).map((text) => `settled read ${at + 1} ${text}`),
  );
}

function verifyOne(
  snapshot: Snapshot,
  units: readonly UnitStory[],
  isThere: ReadonlySet<string>,
  deleted: ReadonlySet<string>,
): string[] {
  const lists = new Map(snapshot.slots.map(([store, id, list]) => [`${store} ${id}`, list.split(',')]));
  const marks = new Set(snapshot.marks.map(([store, unit]) => `${store} ${unit}`));
  const points = new Map(snapshot.points);
  const problems: string[] = [];
  for (const { unit, attempts } of units) {
    const attempt = attempts.at(-1);
    if (attempt === undefined) continue;
    const seen: string[] = [];
    const missing: string[] = [];
    const note = (what: string, is: boolean | undefined) => {
      if (is !== undefined) (is ? seen : missing).push(what);
    };
    for (const change of attempt.changes) {
      const slot = `${change.store} ${change.id}`;
      note(`${change.op} of ${slot}`, sees(lists.get(slot), unit, change, attempt, deleted));
    }
    for (const store of attempt.marks) note(`mark in ${store}`, marks.has(`${store} ${unit}`));
    if (attempt.hasLink) note('relationship', snapshot.links.includes(unit));
    const found = points.get(unit) ?? 0;
    if (attempt.points > 0) {
      note(`${found} points of ${attempt.points}`, found > 0);
      if (found > 0 && found < attempt.points) note(`${attempt.points - found} points`, false);
    }
    if (seen.length > 0 && missing.length > 0)
      problems.push(`saw of ${unit} ${seen.join(', ')}, and not ${missing.join(', ')}`);
    if (seen.length > 0 && !isThere.has(unit)) problems.push(`saw ${seen.join(', ')} of ${unit}, which is not there`);
  }
  return problems;
}

/** Whether a list shows that a change was made, or that it was not; undefined where it tells neither. */
function sees(
  list: readonly string[] | undefined,
  unit: string,
  change: Change,
  { changes }: Attempt,
  deleted: ReadonlySet<string>,
): boolean | undefined {
  const { store, id, op, before } = change;
  if (op === 'delete') return list?.[0] === before?.[0] ? false : undefined;
  if (list?.includes(unit) === true) return true;
  if (op === 'append') return list?.[0] === before?.[0] && list !== undefined ? false : undefined;
  // Nothing is there: not yet, if what it inserts was never deleted, and it did not come in the place of something.
  const isFirst = !changes.some((other) => other.op === 'delete' && other.store === store && other.id === id);
  const isKept = !deleted.has(`${store} ${id} ${unit}`);
  return list === undefined && isFirst && isKept ? false : undefined;
}

/** The life that a deletion ends. */
function lifeOf({ store, id, before }: Change): string {
  return `${store} ${id} ${before?.[0]}`;
}
