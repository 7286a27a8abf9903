/**
 * Holds what the workers said against what is in the stores. A unit of work is there if all that it was about to leave is
 * there; whatever is there in part, against what its caller was told, or out of its place in the history of a slot, is
 * a violation.
 */
import { AUDITED, type RowStore } from '../model.js';
import type { Attempt, UnitStory } from '../story.js';
import { verifyCounters } from './counters.js';
import type { Observation } from './observation.js';
import { verifyOrder } from './order.js';
import { verifySlots } from './slots.js';

export interface Verdict {
  /** A sentence each. */
  readonly violations: readonly string[];
  /** Units that are there. */
  readonly committed: ReadonlySet<string>;
}

/**
 * `stories`: all units of the run so far. `observed` has the marks of rounds from `since` on; `before` tells which units
 * of earlier rounds were there.
 */
export function verify(
  stories: readonly UnitStory[],
  observed: Observation,
  since: number,
  before: ReadonlySet<string>,
): Verdict {
  const violations: string[] = [];
  const evidence = new Evidence(stories, observed);
  const committed = new Set<string>();
  for (const story of stories) {
    if (story.round < since) {
      if (before.has(story.unit)) committed.add(story.unit);
      continue;
    }
    const traces = evidence.tracesOf(story);
    const there = traces.filter(({ isThere }) => isThere);
    const told = `${story.unit} (${story.outcome}${story.error === undefined ? '' : `: ${story.error}`})`;
    if (there.length > 0) committed.add(story.unit);
    if (there.length > 0 && there.length < traces.length) {
      const missing = traces.filter(({ isThere }) => !isThere);
      violations.push(`${told} is half there: ${namesOf(there)}, but not ${namesOf(missing)}`);
    }
    if (there.length > 0)
      violations.push(...(story.attempts.at(-1)?.doubts ?? []).map((doubt) => `${told} is there and ${doubt}`));
    violations.push(...verifyRecords(story, there.length > 0, observed).map((problem) => `${told} ${problem}`));
    if (story.outcome === 'acknowledged' && there.length === 0) violations.push(`${told} is not there`);
    if (story.outcome === 'refused' && there.length > 0) violations.push(`${told} is there: ${namesOf(there)}`);
  }
  violations.push(...strangers(stories, observed));
  violations.push(...verifyOrder(stories, committed));
  for (const [store, { slots, counters, leftovers }] of observed.rows) {
    violations.push(...leftovers.map((each) => `${store} has a leftover: ${each}`));
    violations.push(...verifySlots(store, stories, committed, slots));
    violations.push(...verifyCounters(store, stories, committed, counters));
  }
  return { violations, committed };
}

interface Trace {
  readonly name: string;
  readonly isThere: boolean;
}

/** Where a unit of work was seen. */
class Evidence {
  readonly #marks = new Map<RowStore, ReadonlySet<string>>();
  readonly #links: ReadonlySet<string>;
  /** Units by slot that are in it, or were when somebody read it. */
  readonly #seen = new Map<string, Set<string>>();

  constructor(
    stories: readonly UnitStory[],
    private readonly observed: Observation,
  ) {
    this.#links = new Set(observed.links);
    for (const [store, { slots, marks }] of observed.rows) {
      this.#marks.set(store, new Set(marks));
      for (const { id, units } of slots) this.#note(store, id, units.split(','));
    }
    for (const { attempts } of stories) {
      for (const { changes, guards } of attempts)
        for (const { store, id, before } of [...changes, ...guards]) this.#note(store, id, before ?? []);
    }
  }

  tracesOf({ unit, attempts }: UnitStory): Trace[] {
    const attempt = attempts.at(-1);
    if (attempt === undefined) return this.#anyOf(unit);
    const traces = attempt.marks.map((store) => ({
      name: `its mark in ${store}`,
      isThere: this.#marks.get(store)?.has(unit) === true,
    }));
    for (const { store, id, op } of attempt.changes) {
      if (op === 'delete') continue;
      traces.push({
        name: `its change of ${store} ${id}`,
        isThere: this.#seen.get(`${store} ${id}`)?.has(unit) === true,
      });
    }
    if (attempt.hasLink) traces.push({ name: 'its relationship', isThere: this.#links.has(unit) });
    const points = this.observed.points.get(unit) ?? 0;
    for (let n = 1; n <= Math.max(points, attempt.points); n++) {
      traces.push({ name: `point ${n}`, isThere: n <= points && n <= attempt.points });
    }
    return traces;
  }

  /** Of one that never came to its commit: nothing should be found. */
  #anyOf(unit: string): Trace[] {
    const inSlots = [...this.#seen].filter(([, units]) => units.has(unit)).map(([slot]) => slot);
    const inMarks = [...this.#marks].filter(([, units]) => units.has(unit)).map(([store]) => `mark in ${store}`);
    const isElsewhere = this.#links.has(unit) || this.observed.points.has(unit);
    const found = [...inSlots, ...inMarks, ...(isElsewhere ? ['relationship or points'] : [])];
    if (found.length === 0) return [];
    return [...found.map((name) => ({ name, isThere: true })), { name: 'an attempt to commit it', isThere: false }];
  }

  #note(store: RowStore, id: number, units: readonly string[]): void {
    const slot = `${store} ${id}`;
    const seen = this.#seen.get(slot) ?? new Set();
    this.#seen.set(slot, seen);
    for (const unit of units) seen.add(unit);
  }
}

const OPERATIONS = { insert: 'insert', append: 'update', delete: 'delete' } as const;

/** One record for each change of an audited row that is there, with what it changed, and none else. */
function verifyRecords({ unit, attempts }: UnitStory, isThere: boolean, { records }: Observation): string[] {
  const attempt = isThere ? attempts.at(-1) : undefined;
  const expected: string[] = [];
  for (const { store, id, op, before } of attempt?.changes ?? []) {
    const units = [...(before ?? []), ...(op === 'delete' ? [] : [unit])];
    if (AUDITED[store] !== undefined) expected.push(`${AUDITED[store].slot} ${id} ${OPERATIONS[op]} ${units}`);
  }
  for (const { store, id } of attempt?.counts ?? [])
    if (AUDITED[store] !== undefined) expected.push(`${AUDITED[store].counter} ${id} update`);
  const found = [...(records.get(unit) ?? [])];
  if (expected.sort().join() === found.sort().join()) return [];
  return [`is on record with [${found}], and did [${expected}]`];
}

/** Marks, relationships, points and records that nobody spoke of. */
function strangers(stories: readonly UnitStory[], observed: Observation): string[] {
  const last = new Map<string, Attempt | undefined>(stories.map(({ unit, attempts }) => [unit, attempts.at(-1)]));
  const violations: string[] = [];
  for (const [store, { marks }] of observed.rows) {
    for (const unit of marks) {
      if (last.get(unit)?.marks.includes(store) !== true)
        violations.push(`${store} has a mark of ${unit}, which left none`);
    }
    if (new Set(marks).size < marks.length) violations.push(`${store} has a mark twice`);
  }
  for (const unit of observed.links)
    if (last.get(unit)?.hasLink !== true) violations.push(`there is a relationship of ${unit}, which made none`);
  for (const [unit, count] of observed.points) {
    const meant = last.get(unit)?.points ?? 0;
    if (count > meant) violations.push(`${unit} has ${count} points and made ${meant}`);
  }
  for (const unit of observed.records.keys())
    if (!last.has(unit)) violations.push(`the audit log speaks of ${unit}, whom nobody knows`);
  if (new Set(observed.links).size < observed.links.length) violations.push('a relationship is there twice');
  return violations;
}

function namesOf(traces: readonly Trace[]): string {
  return traces.map(({ name }) => name).join(', ');
}
