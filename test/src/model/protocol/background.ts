/**
 * What happens without the unit's own worker: applies, helpers and relays, pruning, flushes and restarts. Helpers and
 * relays have no names and no number: what one of them knows (that a unit is decided, that its fence may be removed) is
 * noted once, and acted upon at any later time, any number of times. So a state stands for any number of them, and for
 * every request of theirs that arrives late: more behaviour than is real, never less.
 */
import type { Emit } from '../explore.js';
import { put, type Step, stepper } from '../step.js';
import * as S from './state.js';
import { get, type Model, Pc, Row, type State, Tx } from './state.js';
import { abortA, applyB, applyC, applyWouldWork, flushB, redoMatches } from './stores.js';

export function backgroundSteps(model: Model, state: State, unit: number, emit: Emit<State>): void {
  const kind = model.units[unit] as Model['units'][number];
  if (!kind.several) return;
  const at = S.worker(unit);
  const decided = get(state, at + S.TX) === Tx.committed;
  const step = stepper(state, unit, emit);
  if (model.mistakes.has('relayBySequence')) pollBySequence(model, state, unit, step);
  // Nobody applies what the relay has passed by: its worker died at the decision.
  if (decided && !S.hasBit(state, S.PASSED, unit)) {
    if (applyWouldWork(model, state, unit)) step('an apply of it arrives at B', (to) => applyB(model, to, unit));
    if (kind.c === 'rewrite' ? get(state, S.C_TAIL) !== unit + 1 : kind.c === 'point' && !S.hasBit(state, S.C, unit))
      step('its point arrives at C', (to) => applyC(model, to, unit));
    prune(model, state, unit, step);
  }
  if (kind.b === 'fresh') marks(model, state, unit, step);
  help(model, state, unit, step);
}

/** The mistake: a row that is seen moves the relay past all that claimed before it, also those that have yet to commit. */
function pollBySequence(model: Model, state: State, unit: number, step: Step): void {
  const claimed = (of: number): number => get(state, S.worker(of) + S.CLAIMED);
  const missed = model.units
    .map((_, other) => other)
    .filter((other) => isOpen(state, other) && claimed(other) < claimed(unit) && !S.hasBit(state, S.PASSED, other));
  if (get(state, S.worker(unit) + S.ROW) === Row.there && missed.length > 0)
    step('the relay sees its journal row, and goes on from there', (to) => {
      for (const other of missed) S.setBit(to, S.PASSED, other);
    });
}

/** Resolve, by whoever meets the fence: the claim lock first, then a look in a new statement, then a removal. */
function help(model: Model, state: State, unit: number, step: Step): void {
  const at = S.worker(unit);
  const tx = get(state, at + S.TX);
  const met = get(state, at + S.HELP);
  const { mistakes } = model;
  const held = tx === Tx.committing || (tx === Tx.open && !mistakes.has('noClaim'));
  const advance = (label: string, to: number): void =>
    step(label, (next) => {
      next[at + S.HELP] = to;
    });
  if (met === 0 && get(state, S.B + S.FENCE) === unit + 1) advance('somebody meets its fence', 1);
  if (met === 1 && model.resolve === 'lock' && (!held || mistakes.has('plainLookUp')))
    advance('a helper gets its claim lock', 2);
  // The refusal row has the unit's unique key: it waits for nothing that has not yet written the journal row.
  if (met === 1 && model.resolve === 'refusal')
    step('a helper inserts a refusal row, or finds its journal row', (to) => {
      to[at + S.HELP] = 2;
      if (tx === Tx.committed) return;
      S.setBit(to, S.REFUSED, unit);
      S.setBit(to, at + S.REMOVAL, 0);
    });
  if (mistakes.has('refusalPruned') && S.hasBit(state, S.REFUSED, unit))
    step('its refusal row is removed', (to) => S.clearBit(to, S.REFUSED, unit));
  const absent = get(state, at + S.ROW) !== Row.there || mistakes.has('wrongCoordinator');
  if (met === 2 && model.resolve === 'lock' && absent && get(state, at + S.REMOVAL) === 0)
    step('a helper finds no journal row', put(at + S.REMOVAL, 1));
  const fence = get(state, S.B + S.FENCE);
  if (get(state, at + S.REMOVAL) === 1 && (fence === unit + 1 || (mistakes.has('unguardedUnfence') && fence !== 0)))
    step('a removal of its fence arrives', put(S.B + S.FENCE, 0));
  // A held transaction ends with its worker, or at its time limit, and nothing stays.
  if (mistakes.has('hold') && fence === unit + 1) step('its held transaction is gone', put(S.B + S.FENCE, 0));
}

/**
 * The journal row goes when every participant has applied durably, and the worker, while it has its lease, has learned
 * the outcome: an absent row must not tell it that a decided unit was refused.
 */
function prune(model: Model, state: State, unit: number, step: Step): void {
  const at = S.worker(unit);
  const { mistakes } = model;
  const pc = get(state, at + S.PC);
  if (get(state, at + S.ROW) !== Row.there) return;
  if (pc === Pc.settling && !mistakes.has('prunedUnsettled')) return;
  const { b, c, fences } = model.units[unit] as Model['units'][number];
  const record = mistakes.has('prunedTooEarly') ? S.B : S.B_DISK;
  const cleared = get(state, record + S.FENCE) !== unit + 1 && get(state, S.B + S.FENCE) !== unit + 1;
  const skipped = mistakes.has('hold') && get(state, S.B + S.FENCE) !== unit + 1 && !redoMatches(model, state, unit);
  const atB =
    b === 'none' ||
    mistakes.has('prunedUnapplied') ||
    (b === 'guard' ? cleared || !fences : S.hasBit(state, record + S.BITS, unit) || skipped);
  const atC = c === 'none' || S.hasBit(state, mistakes.has('pointsPrunedTooEarly') ? S.C : S.C_DISK, unit);
  if (atB && atC) step('its journal row is pruned', put(at + S.ROW, Row.pruned));
}

/**
 * Pruning the marks of fresh inserts: an apply carries the generation of B that was read *before* the journal row was seen
 * there, and B refuses other generations. So a mark whose row is gone, and whose generation has ended since, is dead.
 */
function marks(model: Model, state: State, unit: number, step: Step): void {
  const at = S.worker(unit);
  const row = get(state, at + S.ROW);
  const generation = get(state, S.GENERATION);
  const knows = model.mistakes.has('generationReadLate') ? row !== Row.none : row === Row.there;
  if (knows && get(state, at + S.SENT_GENERATION) !== generation + 1)
    step('an apply of its fresh insert is on its way', put(at + S.SENT_GENERATION, generation + 1));
  plantedAtMarks(model, state, unit, step);
  if (!S.hasBit(state, S.B + S.INBOX, unit)) return;
  if (row === Row.pruned && generation === 0 && !model.mistakes.has('inboxPruned'))
    step('B begins a new generation', (to) => {
      to[S.GENERATION] = 1;
      to[at + S.ROW] = Row.old;
      flushB(to);
    });
  if (row === Row.old || (row === Row.pruned && model.mistakes.has('inboxPruned')))
    step('its mark is pruned', (to) => S.clearBit(to, S.B + S.INBOX, unit));
}

/** The mistakes that belong to marks and generations. */
function plantedAtMarks(model: Model, state: State, unit: number, step: Step): void {
  const at = S.worker(unit);
  const { mistakes } = model;
  const generation = get(state, S.GENERATION);
  const isMarked = S.hasBit(state, S.B + S.INBOX, unit);
  if (mistakes.has('markApart') && !isMarked && S.hasBit(state, S.B + S.BITS, unit))
    step('its mark is written, after it', (to) => S.setBit(to, S.B + S.INBOX, unit));
  if (mistakes.has('generationLookedAt') && !isMarked && get(state, at + S.SENT_GENERATION) === generation + 1)
    step('an apply of it finds its generation, and no mark', put(at + S.SENT_GENERATION, S.LOOKED));
  if (mistakes.has('generationGoesBack') && generation === 1)
    step('the generation of B goes back', put(S.GENERATION, 0));
  if (!mistakes.has('markPrunedByAge') || get(state, at + S.ROW) !== Row.there || !isMarked) return;
  if (generation === 0)
    step('B begins a new generation', (to) => {
      to[S.GENERATION] = 1;
      flushB(to);
    });
  else step('its mark is old, and is pruned', (to) => S.clearBit(to, S.B + S.INBOX, unit));
}

const dirtyB = (state: State): boolean => {
  for (let at = 0; at < S.B_DISK - S.B; at++) if (state[S.B + at] !== state[S.B_DISK + at]) return true;
  return false;
};

export const flushed = (state: State): boolean => !dirtyB(state) && get(state, S.C) === get(state, S.C_DISK);

/** Flushes whenever they like, and restarts of each store, which lose what was not flushed. */
export function storeSteps(model: Model, state: State, emit: Emit<State>): void {
  const step = stepper(state, -1, emit);
  const restart = (label: string, change: (to: State) => void): void =>
    step(
      label,
      (to) => {
        to[S.RESTARTS] = get(state, S.RESTARTS) + 1;
        change(to);
      },
      true,
    );
  const restarts = get(state, S.RESTARTS) < model.restarts;
  if (dirtyB(state)) {
    step('B flushes', flushB);
    if (restarts) restart('B restarts', (to) => to.copyWithin(S.B, S.B_DISK, S.B_DISK + (S.B_DISK - S.B)));
  }
  if (get(state, S.C) !== get(state, S.C_DISK)) {
    step('C flushes', (to) => {
      to[S.C_DISK] = get(to, S.C);
    });
    if (restarts)
      restart('C restarts', (to) => {
        to[S.C] = get(to, S.C_DISK);
      });
  }
  const open = model.units.map((_, unit) => unit).filter((unit) => isOpen(state, unit));
  if (restarts && open.length > 0)
    restart('A restarts', (to) => {
      for (const unit of open) {
        abortA(to, unit);
        if (get(to, S.worker(unit) + S.PC) === Pc.committing) to[S.worker(unit) + S.PC] = Pc.settling;
      }
    });
}

export function isOpen(state: State, unit: number): boolean {
  const tx = get(state, S.worker(unit) + S.TX);
  return tx === Tx.open || tx === Tx.committing;
}
