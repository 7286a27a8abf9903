/**
 * What stores do with a request that arrives, each an atomic step: a row lock, a fence's compare-and-set, a write of one
 * store, an apply, a removal. On a graph a relationship needs its nodes, and a node that is deleted takes its
 * relationships with it, unless somebody holds them.
 */
import * as S from './state.js';
import { get, type Part, type Plan, type State, Wrong } from './state.js';
import { type Change, kindAt } from './world.js';

const INSERTS: readonly (Change | undefined)[] = ['insert', 'fresh'];

/** Whose hold keeps this part from being done now: waiting for it, or settling it, comes first. */
export function isBlocked(plan: Plan, state: State, unit: number, part: Part): boolean {
  const { record, change } = part;
  const others = (of: number, changes?: readonly (Change | undefined)[]): boolean => {
    const hold = get(state, S.recordAt(of) + S.HOLD);
    if (hold === 0 || hold === unit + 1) return false;
    return changes?.includes(plan.changeOf(hold - 1, of)) ?? true;
  };
  if (others(record)) return true;
  const ends = plan.world.records[record]?.ends ?? [];
  if (!plan.has('endsUnguarded')) {
    if (INSERTS.includes(change) && ends.some((end) => others(end, ['insert', 'delete']))) return true;
    if (plan.of(unit).several && ends.some((end) => others(end, ['delete']))) return true;
  }
  return change === 'delete' && !plan.has('hangingIgnored') && plan.hangingOn(record).some((each) => others(each));
}

export function guardHolds(plan: Plan, state: State, unit: number, { record, change, at }: Part): boolean {
  const present = get(state, S.recordAt(record) + S.PRESENT) === 1;
  if (change === 'insert') {
    const ends = plan.world.records[record]?.ends ?? [];
    const isThere = (end: number): boolean =>
      get(state, S.recordAt(end) + S.PRESENT) === 1 ||
      (plan.has('endsUnguarded') && get(state, S.recordAt(end) + S.HOLD) > 0);
    return !present && ends.every(isThere);
  }
  if (change === 'increment') return present;
  return present && get(state, S.recordAt(record) + S.TAIL) + 2 === get(state, S.unitAt(unit) + S.BASE + at);
}

/** Sets the fence, or takes the row lock, once the guard has been found to hold. */
export function hold(state: State, unit: number, part: Part): void {
  const base = S.unitAt(unit) + S.BASE + part.at;
  const tail = get(state, S.recordAt(part.record) + S.TAIL) + 2;
  // What it writes is computed from what is protected now; a redo that was written before is not.
  const isWritten = part.way === 'fence' && get(state, S.unitAt(unit) + S.RECORDED) === 1;
  if (part.change === 'increment' && !isWritten) state[base] = tail;
  else if (part.change !== 'insert' && get(state, base) !== tail) state[S.BROKEN] = Wrong.lostUpdate;
  state[S.recordAt(part.record) + S.HOLD] = unit + 1;
}

export function release(state: State, unit: number, part: Part): void {
  if (S.holds(state, unit, part)) state[S.recordAt(part.record) + S.HOLD] = 0;
}

/** Writes one change and notes what the ghosts find wrong with it. */
export function install(plan: Plan, state: State, unit: number, part: Part, wrong: number): void {
  const { record, change, at } = part;
  const to = S.recordAt(record);
  release(state, unit, part);
  if (change === 'guard') return;
  if (kindAt(plan.world, record) === 'append') {
    // Points of several units stand side by side: what a reader sees is which of them are there.
    S.setBit(state, to + S.BITS, unit);
    state[to + S.PRESENT] = 1;
    state[to + S.TAIL] = get(state, to + S.BITS);
    return;
  }
  const tail = get(state, to + S.TAIL);
  if (S.hasBit(state, to + S.BITS, unit)) {
    if (tail !== unit + 1) state[S.BROKEN] = Wrong.twice;
    return;
  }
  const isNew = INSERTS.includes(change);
  const isExpected = isNew
    ? get(state, to + S.PRESENT) === 0
    : tail + 2 === get(state, S.unitAt(unit) + S.BASE + at) && get(state, to + S.PRESENT) === 1;
  if (!isExpected) state[S.BROKEN] = wrong;
  const ends = plan.world.records[record]?.ends ?? [];
  if (isNew && ends.some((end) => get(state, S.recordAt(end) + S.PRESENT) === 0)) state[S.BROKEN] = Wrong.dangling;
  state[to + S.PRESENT] = change === 'delete' ? 0 : 1;
  state[to + S.TAIL] = unit + 1;
  S.setBit(state, to + S.BITS, unit);
  if (change === 'delete') for (const each of plan.hangingOn(record)) detach(state, unit, each);
}

/** What hangs on a node goes with it: a fence and a placeholder, too. */
function detach(state: State, unit: number, relationship: number): void {
  const at = S.recordAt(relationship);
  if (get(state, at + S.PRESENT) === 1) state[at + S.TAIL] = unit + 1;
  state[at + S.PRESENT] = 0;
  state[at + S.HOLD] = 0;
}

/** True where a unit of one fencing store has to settle somebody else's fence first. */
export function meetsFence(plan: Plan, state: State, unit: number): boolean {
  return plan.of(unit).parts.some((part) => {
    // A filter does not match what is not there, and a placeholder is not.
    if (part.change === 'match' && get(state, S.recordAt(part.record) + S.PRESENT) === 0) return false;
    return isBlocked(plan, state, unit, part);
  });
}

/** The native write of a unit of one fencing store, all of it or nothing. False where a guard does not hold. */
export function writeNative(plan: Plan, state: State, unit: number, leaveOut: boolean): boolean {
  const { parts } = plan.of(unit);
  for (const part of parts) {
    const to = S.recordAt(part.record);
    const base = S.unitAt(unit) + S.BASE + part.at;
    if (part.change === 'match' || part.change === 'increment')
      state[base] = get(state, to + S.PRESENT) === 1 ? get(state, to + S.TAIL) + 2 : 0;
    if (part.change !== 'match' && !guardHolds(plan, state, unit, part)) return false;
  }
  for (const part of parts) {
    if (!S.takesPart(state, unit, part)) continue;
    if (leaveOut && get(state, S.recordAt(part.record) + S.HOLD) !== 0) {
      state[S.unitAt(unit) + S.MARK] = 1;
      state[S.unitAt(unit) + S.BASE + part.at] = 0;
    } else {
      const held = get(state, S.recordAt(part.record) + S.HOLD);
      install(plan, state, unit, part, Wrong.lostUpdate);
      state[S.recordAt(part.record) + S.HOLD] = held;
    }
  }
  return true;
}

/** COMMIT takes effect: the decision, with the coordinator's own changes. */
export function commit(plan: Plan, state: State, unit: number): void {
  const { several, parts } = plan.of(unit);
  const at = S.unitAt(unit);
  state[at + S.TX] = S.Tx.committed;
  if (several) state[at + S.ROW] = S.Row.there;
  for (const part of parts) {
    const tail = get(state, S.recordAt(part.record) + S.TAIL) + 2;
    if (part.change === 'guard' && tail !== get(state, at + S.BASE + part.at)) state[S.BROKEN] = Wrong.skew;
    if (part.way === 'own' && S.takesPart(state, unit, part)) install(plan, state, unit, part, Wrong.lostUpdate);
  }
}

/** The coordinator's transaction is over without effect, and what it held is free. */
export function abort(plan: Plan, state: State, unit: number): void {
  state[S.unitAt(unit) + S.TX] = S.Tx.aborted;
  for (const part of plan.of(unit).parts) if (part.way === 'own') release(state, unit, part);
}
