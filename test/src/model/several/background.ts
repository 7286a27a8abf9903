/**
 * What happens without the worker: applies, settling, pruning, dead letters and what becomes of them, restarts. Helpers,
 * relays and those who discard have no names: what one of them knows is acted upon at any later time, any number of times.
 */
import type { Emit } from '../explore.js';
import { put, type Step, stepper } from '../step.js';
import * as S from './state.js';
import { Claim, Fate, get, type Part, Pc, type Plan, Row, Sent, type State, Tx, Wrong } from './state.js';
import { abort, install, release } from './stores.js';
import { nameOf, rollBack } from './worker.js';

export function backgroundSteps(plan: Plan, state: State, unit: number, emit: Emit<State>): void {
  if (!plan.of(unit).several) return;
  const step = stepper(state, unit, emit);
  if (get(state, S.unitAt(unit) + S.TX) === Tx.committed) {
    apply(plan, state, unit, step);
    deadLetter(plan, state, unit, step);
    prune(plan, state, unit, step);
  }
  help(plan, state, unit, step);
}

const isDead = (fate: number): boolean => fate > Fate.fine && fate < Fate.discarding;

/** Anybody's, at any time after the decision; where there is nothing of its own to apply to, it changes nothing. */
function apply(plan: Plan, state: State, unit: number, step: Step): void {
  const at = S.unitAt(unit);
  const fate = get(state, at + S.FATE);
  for (const part of plan.of(unit).parts) {
    if (part.way === 'own' || fate === part.at + 1) continue;
    const name = nameOf(plan, part);
    const done = (to: State): void => {
      if (plan.has('finishedTwiceFails')) S.setBit(to, at + S.MARK, part.at);
    };
    if (part.way === 'late') {
      const isThere = S.hasBit(state, S.recordAt(part.record) + S.BITS, unit);
      const ends = plan.world.records[part.record]?.ends ?? [];
      const canStand = ends.every((end) => get(state, S.recordAt(end) + S.PRESENT) === 1);
      if (!isThere && canStand) step(`${name} arrives`, (to) => install(plan, to, unit, part, Wrong.redo));
    } else if (S.holds(state, unit, part) && get(state, at + S.SENT + part.at) !== Sent.underWay)
      step(`an apply of ${name} arrives`, (to) => {
        install(plan, to, unit, part, Wrong.redo);
        done(to);
      });
    // The same, and the answer is lost, or is not the relay's.
    if (plan.has('finishedTwiceFails') && part.way === 'prepare' && S.holds(state, unit, part))
      step(`${name} is finished by somebody who met it`, (to) => install(plan, to, unit, part, Wrong.redo));
    const isLate = part.change === 'match' && part.way === 'fence' && plan.has('bulkAppliedByFilter');
    const record = S.recordAt(part.record);
    if (
      isLate &&
      !S.takesPart(state, unit, part) &&
      get(state, record + S.PRESENT) === 1 &&
      !S.hasBit(state, record + S.BITS, unit)
    )
      step(`an apply finds that ${name} matches by now`, (to) => install(plan, to, unit, part, Wrong.redo));
  }
}

/** A participant refuses what was decided; somebody mends that, or discards the unit. */
function deadLetter(plan: Plan, state: State, unit: number, step: Step): void {
  if (!plan.world.deadLetters) return;
  const at = S.unitAt(unit);
  const fate = get(state, at + S.FATE);
  const { parts } = plan.of(unit);
  const become = (label: string, to: number, more: (next: State) => void = () => {}): void =>
    step(label, (next) => {
      next[at + S.FATE] = to;
      more(next);
    });
  if (fate === Fate.fine && get(state, at + S.ROW) === Row.there)
    for (const part of parts) {
      const isOpen =
        part.way === 'late' ? !S.hasBit(state, S.recordAt(part.record) + S.BITS, unit) : S.holds(state, unit, part);
      if (isOpen && part.way !== 'own' && part.way !== 'prepare')
        become(`its apply of ${nameOf(plan, part)} is refused for good`, part.at + 1);
    }
  if (isDead(fate)) {
    become('the cause is mended, and it is tried again', Fate.fine);
    if (!plan.has('discardClearsFirst')) become('somebody discards it, and the journal says so', Fate.discarding);
  }
  const clears = fate === Fate.discarding || (isDead(fate) && plan.has('discardClearsFirst'));
  if (!clears) return;
  const fenced = parts.filter((part) => part.way !== 'own' && S.holds(state, unit, part));
  for (const part of fenced) step(`its fence on ${nameOf(plan, part)} is discarded`, (to) => clear(to, unit, part));
  if (plan.has('discardClearsAll'))
    for (const part of parts)
      step(`whatever stands on ${nameOf(plan, part)} is discarded`, put(S.recordAt(part.record) + S.HOLD, 0));
  if (fenced.length === 0 || plan.has('discardLeavesFence'))
    become('it is discarded', plan.has('discardUntold') ? Fate.fine : Fate.discarded, (to) => {
      if (get(to, at + S.PC) !== Pc.settling || plan.has('discardForgets')) to[at + S.ROW] = Row.pruned;
    });
}

/** Takes off a fence, or rolls a prepared transaction back; one that is still to be prepared is not there for it. */
function clear(to: State, unit: number, part: Part): void {
  if (part.way === 'prepare') rollBack(to, unit, part);
  else release(to, unit, part);
}

function prune(plan: Plan, state: State, unit: number, step: Step): void {
  const at = S.unitAt(unit);
  const fate = get(state, at + S.FATE);
  if (get(state, at + S.ROW) !== Row.there || get(state, at + S.PC) === Pc.settling) return;
  const isApplied = (part: Part): boolean => {
    if (part.way === 'own') return true;
    if (part.way === 'late') return S.hasBit(state, S.recordAt(part.record) + S.BITS, unit) || plan.has('prunedInPart');
    if (part.way === 'prepare' && plan.has('finishedTwiceFails') && !S.hasBit(state, at + S.MARK, part.at))
      return false;
    return !S.holds(state, unit, part);
  };
  const { parts } = plan.of(unit);
  const enough = plan.has('prunedInPart')
    ? parts.some((part) => part.way !== 'own' && isApplied(part))
    : parts.every(isApplied);
  if (fate === Fate.discarded || (fate === Fate.fine && enough))
    step('its journal row is pruned', put(at + S.ROW, Row.pruned));
}

/** Resolve, by whoever meets a fence, or the scrub that finds a prepared transaction. */
function help(plan: Plan, state: State, unit: number, step: Step): void {
  const at = S.unitAt(unit);
  const tx = get(state, at + S.TX);
  const met = get(state, at + S.HELP);
  const stands = (part: Part): boolean =>
    part.way === 'fence' ? S.holds(state, unit, part) : part.way === 'prepare' && isPrepared(state, unit, part);
  const standing = plan.of(unit).parts.filter(stands);
  const isFound = standing.some((part) => !(part.way === 'prepare' && plan.has('preparedNotFound')));
  const held = tx === Tx.committing || (tx === Tx.open && get(state, at + S.CLAIM) >= Claim.held);
  if (met === 0 && isFound) step('somebody meets its fence', put(at + S.HELP, 1));
  if (met === 1 && (!held || plan.has('claimLetGo'))) step('a helper gets its claim lock', put(at + S.HELP, 2));
  const isKnown = get(state, at + S.REMOVAL) === 1;
  if (met === 2 && get(state, at + S.ROW) !== Row.there && !isKnown)
    step('a helper finds no journal row', put(at + S.REMOVAL, 1));
  if (!isKnown && isFound && isForeign(plan, unit) && plan.has('foreignSettled'))
    step('an application of the other coordinator finds no row there', put(at + S.REMOVAL, 1));
  if (!isKnown && isFound && plan.has('clearedByHand'))
    step('somebody discards it, before it is decided', put(at + S.REMOVAL, 1));
  for (const part of standing) {
    if (isKnown) step(`a removal arrives at ${nameOf(plan, part)}`, (to) => clear(to, unit, part));
    if (part.way === 'prepare' && plan.has('preparedTimedOut'))
      step(`what is prepared at ${nameOf(plan, part)} is old, and is rolled back`, (to) => clear(to, unit, part));
    if (part.way === 'prepare' && plan.has('preparedRolledBack') && get(state, at + S.ROW) !== Row.there)
      step(`a helper finds no row, without the lock, and rolls ${nameOf(plan, part)} back`, (to) =>
        clear(to, unit, part),
      );
  }
}

const isPrepared = (state: State, unit: number, part: Part): boolean =>
  S.holds(state, unit, part) && get(state, S.unitAt(unit) + S.SENT + part.at) === Sent.done;

const isForeign = (plan: Plan, unit: number): boolean =>
  plan.units.some(({ spec }) => spec.coordinator !== plan.of(unit).spec.coordinator);

/** A database restarts: its open transactions are gone, and what is prepared stays. */
export function storeSteps(plan: Plan, state: State, emit: Emit<State>): void {
  if (get(state, S.RESTARTS) >= plan.world.restarts) return;
  const step = stepper(state, -1, emit);
  for (const [store, { name, kind }] of plan.world.stores.entries()) {
    if (kind !== 'lock') continue;
    const deciding = plan.units.flatMap(({ spec }, unit) =>
      spec.coordinator === store && isOpen(state, unit) ? [unit] : [],
    );
    const open = plan.units.flatMap(({ parts }, unit) =>
      parts.flatMap((part) =>
        part.way === 'prepare' && isAt(plan, part, store) && isUnprepared(state, unit, part) ? [{ unit, part }] : [],
      ),
    );
    if (deciding.length + open.length === 0) continue;
    step(
      `${name} restarts`,
      (to) => {
        to[S.RESTARTS] = get(state, S.RESTARTS) + 1;
        for (const unit of deciding) {
          abort(plan, to, unit);
          if (get(to, S.unitAt(unit) + S.PC) === Pc.committing) to[S.unitAt(unit) + S.PC] = Pc.settling;
        }
        for (const { unit, part } of open) rollBack(to, unit, part);
      },
      true,
    );
  }
}

const isAt = (plan: Plan, { record }: Part, store: number): boolean => plan.world.records[record]?.store === store;

function isUnprepared(state: State, unit: number, part: Part): boolean {
  const sent = get(state, S.unitAt(unit) + S.SENT + part.at);
  return sent === Sent.open || sent === Sent.underWay;
}

export function isOpen(state: State, unit: number): boolean {
  const tx = get(state, S.unitAt(unit) + S.TX);
  return tx === Tx.open || tx === Tx.committing;
}
