/**
 * The worker: reads, writes in its databases with transactions, claims, fences and prepares in parallel, decides. What it
 * sent arrives at any later time, or never; it may die, lose its connection in COMMIT, or give up a wait. All records
 * are read in one step: a unit that read them at several moments is refused by more guards, and by no fewer.
 */
import type { Emit } from '../explore.js';
import { put, type Step, stepper } from '../step.js';
import * as S from './state.js';
import { Claim, get, type Part, Pc, type Plan, Row, Sent, type State, Tx, Wrong } from './state.js';
import { abort, commit, guardHolds, hold, isBlocked, meetsFence, release, writeNative } from './stores.js';

export function workerSteps(plan: Plan, state: State, unit: number, emit: Emit<State>): void {
  const at = S.unitAt(unit);
  const step = stepper(state, unit, emit);
  switch (get(state, at + S.PC)) {
    case Pc.read:
      step('reads', (to) => read(plan, to, unit));
      break;
    case Pc.work:
      if (isNative(plan, unit)) native(plan, state, unit, step);
      else work(plan, state, unit, step);
      step('dies', put(at + S.PC, Pc.dead), true);
      break;
    case Pc.committing:
      step('loses its connection in COMMIT, or dies', put(at + S.PC, Pc.settling), true);
      break;
    case Pc.settling:
      settle(plan, state, unit, step);
  }
}

/** Of one fencing store: one request, and no coordinator. */
export function isNative(plan: Plan, unit: number): boolean {
  const { several, parts } = plan.of(unit);
  return !several && parts.every(({ way }) => way === 'fence');
}

function read(plan: Plan, to: State, unit: number): void {
  const at = S.unitAt(unit);
  const { parts } = plan.of(unit);
  for (const part of parts) {
    const isNew = part.change === 'insert' || part.change === 'fresh';
    const there = S.seen(to, part.record);
    if (part.way === 'late') continue;
    if (part.change !== 'match' && (there === 0) !== isNew) to[at + S.PC] = Pc.no;
    if (!isNew) to[at + S.BASE + part.at] = there === 0 ? 0 : there;
  }
  if (get(to, at + S.PC) === Pc.no) return;
  to[at + S.PC] = Pc.work;
  if (isNative(plan, unit)) to[at + S.SENT] = Sent.underWay;
  else if (!plan.world.flights) to[at + S.TX] = Tx.open;
}

function native(plan: Plan, state: State, unit: number, step: Step): void {
  const at = S.unitAt(unit);
  const sent = get(state, at + S.SENT);
  const end = (label: string, pc: number): void => step(label, put(at + S.PC, pc));
  if (sent === Sent.done) end('has the answer', Pc.yes);
  else if (sent === Sent.refused) end('is refused', Pc.no);
  else if (sent === Sent.looked) askForFences(plan, state, unit, step);
  else end('has waited too long, and gives up', Pc.unsure);
}

/** The mistake: fences that kept a record out are asked for in a second request. */
function askForFences(plan: Plan, state: State, unit: number, step: Step): void {
  const at = S.unitAt(unit);
  if (meetsFence(plan, state, unit)) return;
  step('asks for fences on what matches, and finds none', (to) => {
    to[at + S.SENT] = Sent.done;
    if (get(state, at + S.MARK) === 1) to[S.BROKEN] = Wrong.leftOut;
  });
}

function work(plan: Plan, state: State, unit: number, step: Step): void {
  const at = S.unitAt(unit);
  const { several, parts } = plan.of(unit);
  const { flights } = plan.world;
  const tx = get(state, at + S.TX);
  const claim = get(state, at + S.CLAIM);
  const sentOf = (part: Part): number => get(state, at + S.SENT + part.at);
  const taking = parts.filter((part) => S.takesPart(state, unit, part));
  const end = (to: State): void => refuse(plan, to, unit);
  if (tx === Tx.aborted) {
    step('learns that its transaction is over', end);
    return;
  }
  const unwritten = taking.filter((part) =>
    part.way === 'own' ? !S.holds(state, unit, part) : part.way === 'prepare' && sentOf(part) === Sent.no,
  );
  for (const part of unwritten) {
    // With flights the coordinator's server does it; see `flightSteps`.
    if (part.way === 'own' && flights) continue;
    if (!isBlocked(plan, state, unit, part))
      step(`writes ${nameOf(plan, part)}`, (to) => {
        if (!guardHolds(plan, to, unit, part)) end(to);
        else {
          hold(to, unit, part);
          if (part.way === 'prepare') to[at + S.SENT + part.at] = Sent.open;
        }
      });
  }
  const waits =
    unwritten.some((part) => isBlocked(plan, state, unit, part)) ||
    taking.some((part) => sentOf(part) === Sent.underWay);
  if (waits) step('has waited too long, and gives up', end);
  const refused = taking.some((part) => sentOf(part) === Sent.refused);
  if (refused) step('is refused, and rolls back', end);
  if (!several) {
    if (unwritten.length === 0 && tx === Tx.open) sendCommit(unit, step);
    else if (flights && claim === Claim.none) sendFlight(unit, step);
    return;
  }
  if (claim === Claim.none && (flights || unwritten.length === 0))
    sendFlight(unit, step, flights ? Claim.sent : Claim.known);
  if (flights && claim === Claim.held) step('has the answer to its claim', put(at + S.CLAIM, Claim.known));
  const mayFence = claim === Claim.known || (plan.has('fenceInFlight') && claim !== Claim.none);
  if (mayFence)
    for (const part of taking) {
      const isReady = part.way === 'fence' ? Sent.no : part.way === 'prepare' ? Sent.open : -1;
      if (sentOf(part) === isReady && !(part.way === 'prepare' && plan.has('heldNotPrepared')))
        step(
          `sends ${part.way === 'fence' ? 'the fence of' : 'PREPARE for'} ${nameOf(plan, part)}`,
          put(at + S.SENT + part.at, Sent.underWay),
        );
    }
  const ready =
    claim === Claim.known &&
    unwritten.length === 0 &&
    (!flights || get(state, at + S.RECORDED) === 1) &&
    taking.every((part) => isReady(plan, part, sentOf(part)));
  if (ready && tx === Tx.open) sendCommit(unit, step);
}

/** What has to be acknowledged before COMMIT. */
function isReady(plan: Plan, { way }: Part, sent: number): boolean {
  if (way === 'own' || way === 'late' || sent === Sent.done) return true;
  if (way === 'prepare' && plan.has('heldNotPrepared')) return sent === Sent.open;
  return plan.has('decidedBeforeAll') && sent === Sent.underWay;
}

function sendFlight(unit: number, step: Step, claim: number = Claim.sent): void {
  step(
    claim === Claim.sent ? 'sends BEGIN, claim, writes and journal row' : 'claims',
    put(S.unitAt(unit) + S.CLAIM, claim),
  );
}

function sendCommit(unit: number, step: Step): void {
  const at = S.unitAt(unit);
  step('sends COMMIT', (to) => {
    to[at + S.TX] = Tx.committing;
    to[at + S.PC] = Pc.committing;
  });
}

/** It was not decided and never will be: COMMIT was not sent, so it may take back what stands without asking. */
function refuse(plan: Plan, to: State, unit: number): void {
  const at = S.unitAt(unit);
  if (get(to, at + S.TX) === Tx.open) abort(plan, to, unit);
  for (const part of plan.of(unit).parts) if (get(to, at + S.SENT + part.at) === Sent.open) rollBack(to, unit, part);
  to[at + S.REMOVAL] = 1;
  to[at + S.PC] = Pc.no;
  if (!plan.has('idReused') || get(to, at + S.MARK) !== 0) return;
  // The mistake: it is tried again under the same id, though requests of the first attempt may be under way.
  if (plan.of(unit).parts.some((part) => get(to, at + S.SENT + part.at) === Sent.underWay)) return;
  to.fill(0, at + S.SENT, at + S.BASE + S.MOST_SLOTS);
  to[at + S.PC] = Pc.read;
  to[at + S.TX] = Tx.none;
  to[at + S.CLAIM] = Claim.none;
  to[at + S.MARK] = 1;
}

export function rollBack(to: State, unit: number, part: Part): void {
  release(to, unit, part);
  to[S.unitAt(unit) + S.SENT + part.at] = Sent.refused;
}

/** A lost COMMIT: the claim lock first, so that it is over, and then the row. */
function settle(plan: Plan, state: State, unit: number, step: Step): void {
  const at = S.unitAt(unit);
  const end = (label: string, pc: number): void =>
    step(label, (to) => {
      to[at + S.PC] = pc;
      if (pc === Pc.no) to[at + S.REMOVAL] = 1;
    });
  if (!plan.of(unit).several) end('cannot know, without a journal, and says so', Pc.unsure);
  else if (get(state, at + S.TX) !== Tx.committing) {
    if (get(state, at + S.ROW) === Row.there) end('finds its journal row: told yes', Pc.yes);
    else end('finds no journal row: told no', Pc.no);
  }
}

/** What servers and the network do with what was sent; the sender may be long dead. */
export function deliverySteps(plan: Plan, state: State, unit: number, emit: Emit<State>): void {
  const at = S.unitAt(unit);
  const pc = get(state, at + S.PC);
  const tx = get(state, at + S.TX);
  const step = stepper(state, unit, emit);
  const gone = pc !== Pc.work;
  if (tx === Tx.committing) {
    step('its COMMIT takes effect', (to) => {
      commit(plan, to, unit);
      if (pc === Pc.committing) to[at + S.PC] = Pc.yes;
    });
    if (pc !== Pc.committing) step('its COMMIT never arrives, the server rolls back', (to) => abort(plan, to, unit));
  }
  if (tx === Tx.open && gone) step('the server sees that it is gone, and rolls back', (to) => abort(plan, to, unit));
  if (plan.world.flights) flightSteps(plan, state, unit, step);
  if (isNative(plan, unit)) {
    if (get(state, at + S.SENT) === Sent.underWay) deliverNative(plan, state, unit, step);
    return;
  }
  for (const part of plan.of(unit).parts) {
    const sent = get(state, at + S.SENT + part.at);
    const name = nameOf(plan, part);
    const lost = (label: string): void => step(`${label} ${name} is lost`, (to) => rollBack(to, unit, part));
    if (part.way === 'prepare' && gone && pc !== Pc.committing && pc !== Pc.yes && sent === Sent.open)
      lost('its open transaction at');
    if (sent === Sent.looked)
      step(`its fence on ${name}, looked at before, is set`, (to) => {
        hold(to, unit, part);
        to[at + S.SENT + part.at] = Sent.done;
      });
    if (sent !== Sent.underWay) continue;
    if (gone) lost('its request to');
    if (part.way === 'prepare') step(`its PREPARE arrives at ${name}`, put(at + S.SENT + part.at, Sent.done));
    else if (!isBlocked(plan, state, unit, part))
      step(`its fence arrives at ${name}`, (to) => {
        const holdsNow = guardHolds(plan, to, unit, part);
        if (holdsNow && !plan.has('endsNotLocked')) hold(to, unit, part);
        to[at + S.SENT + part.at] = !holdsNow ? Sent.refused : plan.has('endsNotLocked') ? Sent.looked : Sent.done;
      });
  }
}

/** The coordinator's server works off what rides together, in its order; an error ends the transaction at once. */
function flightSteps(plan: Plan, state: State, unit: number, step: Step): void {
  const at = S.unitAt(unit);
  const claim = get(state, at + S.CLAIM);
  if (claim === Claim.sent) {
    step('its claim arrives', (to) => {
      to[at + S.CLAIM] = Claim.held;
      to[at + S.TX] = Tx.open;
    });
    if (get(state, at + S.PC) !== Pc.work) step('its flight is lost', put(at + S.CLAIM, Claim.none));
  }
  if (get(state, at + S.TX) !== Tx.open) return;
  const { parts, several } = plan.of(unit);
  for (const part of parts)
    if (part.way === 'own' && !S.holds(state, unit, part) && !isBlocked(plan, state, unit, part))
      step(`its write of ${nameOf(plan, part)} takes the lock`, (to) => {
        if (guardHolds(plan, to, unit, part)) hold(to, unit, part);
        else abort(plan, to, unit);
      });
  // What a fence protects is known only when it stands; anything else may be written at any time.
  const isKnown = parts.every(
    (part) => part.change !== 'increment' || part.way === 'own' || get(state, at + S.SENT + part.at) === Sent.done,
  );
  if (several && get(state, at + S.RECORDED) === 0 && (isKnown || plan.has('recordedBeforeReadBack')))
    step('its journal row is written', put(at + S.RECORDED, 1));
}

function deliverNative(plan: Plan, state: State, unit: number, step: Step): void {
  const at = S.unitAt(unit);
  if (get(state, at + S.PC) !== Pc.work) step('its request is lost', put(at + S.SENT, Sent.refused));
  const leaveOut = plan.has('bulkLeavesOut') || plan.has('bulkAsksLater');
  const isBulk = plan.of(unit).parts.some(({ change }) => change === 'match');
  // It is told whose the fences are, settles them and comes again: the same as one that waits.
  if (meetsFence(plan, state, unit) && !(isBulk && (leaveOut || plan.has('bulkOverFences')))) return;
  step('its write arrives', (to) => {
    const done = writeNative(plan, to, unit, leaveOut);
    to[at + S.SENT] = !done ? Sent.refused : plan.has('bulkAsksLater') && isBulk ? Sent.looked : Sent.done;
    if (plan.has('bulkLeavesOut') && get(to, at + S.MARK) === 1) to[S.BROKEN] = Wrong.leftOut;
  });
}

export function nameOf(plan: Plan, { record }: { readonly record: number }): string {
  return plan.world.records[record]?.name ?? '';
}
