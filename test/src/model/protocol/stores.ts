/**
 * What the stores do with a request that arrives: the fence's compare-and-set, apply, removal, and the write of a one-store
 * unit. Each is one atomic step of the store; nothing here knows whether the sender still lives. An acknowledgement that
 * has to be durable flushes everything before it too, as a log does.
 */
import type { Operation } from './kinds.js';
import * as S from './state.js';
import { get, type Model, type State } from './state.js';

/** Installs a change on a record and notes what the ghosts find wrong with it. */
function install(state: State, record: number, unit: number, operation: Operation, base: number, wrong: number): void {
  const tail = get(state, record + S.TAIL);
  const inserts = operation === 'insert' || operation === 'fresh';
  if (S.hasBit(state, record + S.BITS, unit)) {
    // The same value once more, with nobody in between, changes nothing.
    if (tail !== unit + 1) state[S.BROKEN] = S.Wrong.twice;
    return;
  }
  if (inserts ? get(state, record + S.PRESENT) === 1 : tail + 1 !== base) state[S.BROKEN] = wrong;
  const version = get(state, record + S.VERSION);
  state[record + S.PRESENT] = operation === 'delete' ? 0 : 1;
  state[record + S.VERSION] = operation === 'delete' ? 0 : inserts || operation === 'reinsert' ? 1 : version + 1;
  state[record + S.TAIL] = unit + 1;
  S.setBit(state, record + S.BITS, unit);
}

/** The guard of an operation against the record as it is; an increment has none but that the record is there. */
function guardHolds(model: Model, state: State, record: number, operation: Operation, base: number, version: number) {
  const present = get(state, record + S.PRESENT) === 1;
  if (operation === 'insert') return !present;
  if (operation === 'increment') return present;
  if (!present || get(state, record + S.VERSION) !== version) return false;
  return model.mistakes.has('versionAlone') || get(state, record + S.TAIL) + 1 === base;
}

export function flushB(state: State): void {
  state.copyWithin(S.B_DISK, S.B, S.B_DISK);
}

/** B's answer to a fence: true where it is set. */
export function fenceB(model: Model, state: State, unit: number): boolean {
  const at = S.worker(unit);
  const operation = (model.units[unit] as Model['units'][number]).b;
  if (get(state, S.B + S.FENCE) !== 0) return false;
  if (!guardHolds(model, state, S.B, operation, get(state, at + S.BASE_B), get(state, at + S.VERSION_B))) return false;
  setFence(model, state, unit, operation);
  return true;
}

export function guardOfFenceHolds(model: Model, state: State, unit: number): boolean {
  const probe = S.copy(state);
  return fenceB(model, probe, unit);
}

export function setFence(model: Model, state: State, unit: number, operation: Operation): void {
  const at = S.worker(unit);
  const tail = get(state, S.B + S.TAIL) + 1;
  if (operation === 'increment') {
    // Fence first, then read back: what it will write is computed from what the fence protects.
    if (!model.mistakes.has('incrementReadFirst')) state[at + S.BASE_B] = tail;
    else if (get(state, at + S.BASE_B) !== tail) state[S.BROKEN] = S.Wrong.lostUpdate;
  } else if (operation !== 'insert' && get(state, at + S.BASE_B) !== tail) state[S.BROKEN] = S.Wrong.lostUpdate;
  state[S.B + S.FENCE] = unit + 1;
  if (!model.mistakes.has('hold') && !model.mistakes.has('volatileFence')) flushB(state);
}

/** B's write for a unit of this store only: native, durable, with the predicate that it meets no fence. */
export function writeB(model: Model, state: State, unit: number): boolean {
  const at = S.worker(unit);
  const operation = (model.units[unit] as Model['units'][number]).b;
  if (get(state, S.B + S.FENCE) !== 0 && !model.mistakes.has('bypass')) return false;
  const base = operation === 'increment' ? get(state, S.B + S.TAIL) + 1 : get(state, at + S.BASE_B);
  if (!guardHolds(model, state, S.B, operation, base, get(state, at + S.VERSION_B))) return false;
  install(state, S.B, unit, operation, base, S.Wrong.lostUpdate);
  flushB(state);
  return true;
}

/** Whether an apply that arrives at B now changes anything. */
export function applyWouldWork(model: Model, state: State, unit: number): boolean {
  const at = S.worker(unit);
  const { b, fences } = model.units[unit] as Model['units'][number];
  const { mistakes } = model;
  if (b === 'fresh') {
    if (S.hasBit(state, S.B + S.INBOX, unit)) return false;
    const sent = get(state, at + S.SENT_GENERATION);
    if (mistakes.has('inboxPruned') || (mistakes.has('generationUnchecked') && sent !== 0)) return true;
    return sent === S.LOOKED || sent === get(state, S.GENERATION) + 1;
  }
  if (!fences) return false;
  if (get(state, S.B + S.FENCE) === unit + 1) return true;
  if (mistakes.has('applyAsUpsert') || mistakes.has('resurrectingUpsert'))
    return get(state, S.B + S.TAIL) !== unit + 1 && b !== 'guard';
  // The redo of a held transaction that vanished: guarded by version, skipped where it does not match.
  return mistakes.has('hold') && get(state, S.B + S.FENCE) === 0 && redoMatches(model, state, unit);
}

export function redoMatches(model: Model, state: State, unit: number): boolean {
  const at = S.worker(unit);
  const { b } = model.units[unit] as Model['units'][number];
  return guardHolds(model, state, S.B, b, get(state, at + S.BASE_B), get(state, at + S.VERSION_B));
}

/** B's apply: installs what was decided and clears the fence. It need not be durable at once: the journal row stays. */
export function applyB(model: Model, state: State, unit: number): void {
  const { b } = model.units[unit] as Model['units'][number];
  if (get(state, S.B + S.FENCE) === unit + 1) state[S.B + S.FENCE] = 0;
  if (b === 'guard') return;
  install(state, S.B, unit, b, get(state, S.worker(unit) + S.BASE_B), S.Wrong.redo);
  const marks = b === 'fresh' && !model.mistakes.has('noInbox') && !model.mistakes.has('markApart');
  if (marks) S.setBit(state, S.B + S.INBOX, unit);
}

/** C's write of a point: the same point twice is the same point, unless points can be rewritten. */
export function applyC(model: Model, state: State, unit: number): void {
  const rewrites = (model.units[unit] as Model['units'][number]).c === 'rewrite';
  if (rewrites && S.hasBit(state, S.C, unit) && get(state, S.C_TAIL) !== unit + 1) state[S.BROKEN] = S.Wrong.point;
  if (rewrites) state[S.C_TAIL] = unit + 1;
  S.setBit(state, S.C, unit);
}

/** A's own write in the open transaction: takes the row's lock; false where the guard does not match. */
export function lockA(model: Model, state: State, unit: number): boolean {
  const at = S.worker(unit);
  const operation = (model.units[unit] as Model['units'][number]).a;
  if (!guardHolds(model, state, S.A, operation, get(state, at + S.BASE_A), get(state, at + S.VERSION_A))) return false;
  if (operation === 'increment') state[at + S.BASE_A] = get(state, S.A + S.TAIL) + 1;
  state[S.A + S.FENCE] = unit + 1;
  return true;
}

/** The transaction is over, and what it held is free. */
export function abortA(state: State, unit: number): void {
  state[S.worker(unit) + S.TX] = S.Tx.aborted;
  if (get(state, S.A + S.FENCE) === unit + 1) state[S.A + S.FENCE] = 0;
}

/** COMMIT takes effect: the decision. */
export function commitA(model: Model, state: State, unit: number): void {
  const at = S.worker(unit);
  const { a, b, several } = model.units[unit] as Model['units'][number];
  state[at + S.TX] = S.Tx.committed;
  if (several) state[at + S.ROW] = S.Row.there;
  const base = get(state, at + S.BASE_A);
  if (a === 'guard' && get(state, S.A + S.TAIL) + 1 !== base) state[S.BROKEN] = S.Wrong.skew;
  if (b === 'guard' && get(state, S.B + S.TAIL) + 1 !== get(state, at + S.BASE_B)) state[S.BROKEN] = S.Wrong.skew;
  if (a !== 'none' && a !== 'guard') install(state, S.A, unit, a, base, S.Wrong.lostUpdate);
  if (get(state, S.A + S.FENCE) === unit + 1) state[S.A + S.FENCE] = 0;
  state[at + S.BASE_A] = 0;
  state[at + S.VERSION_A] = 0;
}
