/**
 * Guards against write skew. Changes of a slot have an order, and a unit that guards one comes after what it has read
 * there and before the next change. If no order of all units agrees with all of these, a guard has not held.
 */
import type { UnitStory } from '../story.js';

export function verifyOrder(stories: readonly UnitStory[], committed: ReadonlySet<string>): string[] {
  const later = new Map<string, Set<string>>();
  const edge = (from: string | undefined, to: string) => {
    if (from === undefined || from === to) return;
    const known = later.get(from);
    if (known === undefined) later.set(from, new Set([to]));
    else known.add(to);
  };
  const there = stories.filter(({ unit }) => committed.has(unit));
  /** Who changed a slot right after it had this list. */
  const next = new Map<string, string[]>();
  const state = (store: string, id: number, units: readonly string[]) => `${store} ${id} ${units}`;
  for (const { unit, attempts } of there) {
    for (const { store, id, before } of attempts.at(-1)?.changes ?? []) {
      if (before === null) continue;
      edge(before.at(-1), unit);
      const key = state(store, id, before);
      next.set(key, [...(next.get(key) ?? []), unit]);
    }
  }
  for (const { unit, attempts } of there) {
    for (const { store, id, before } of attempts.at(-1)?.guards ?? []) {
      edge(before.at(-1), unit);
      for (const other of next.get(state(store, id, before)) ?? []) edge(unit, other);
    }
  }
  const cycle = findCycle(later);
  return cycle === undefined ? [] : [`a guard has not held: ${cycle.join(' before ')}`];
}

function findCycle(later: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  for (const start of later.keys()) {
    // By hand, and not by calls: the way may be as long as the run.
    const way: { unit: string; rest: Iterator<string> }[] = [];
    const onWay = new Set<string>();
    const enter = (unit: string) => {
      way.push({ unit, rest: (later.get(unit) ?? []).values() });
      onWay.add(unit);
    };
    if (!done.has(start)) enter(start);
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const step = top.rest.next();
      if (step.done === true) {
        done.add(top.unit);
        onWay.delete(top.unit);
        way.pop();
      } else if (onWay.has(step.value)) {
        const units = way.map(({ unit }) => unit);
        return [...units.slice(units.indexOf(step.value)), step.value];
      } else if (!done.has(step.value)) enter(step.value);
    }
  }
  return undefined;
}
