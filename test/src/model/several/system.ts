/**
 * The wider model as a transition system, and what must hold in it. A unit that was discarded may be partial, and says
 * so; no other may. Nothing undecided is shown to an ordinary reader, and from the decision on every participant has the
 * fence, the prepared transaction or the change.
 */
import type { System } from '../explore.js';
import { half, unitSystem } from '../units.js';
import { backgroundSteps, isOpen, storeSteps } from './background.js';
import type { SeveralMistake } from './mistakes.js';
import { readerAtRest, readerSteps } from './reader.js';
import * as S from './state.js';
import { Claim, Fate, get, initialState, Pc, Plan, Row, Sent, type State, Tx } from './state.js';
import { deliverySteps, isNative, nameOf, workerSteps } from './worker.js';
import type { World } from './world.js';

const ENDED: readonly number[] = [Pc.yes, Pc.no, Pc.dead, Pc.unsure];

export function severalProtocol(world: World): System<State> {
  const plan = new Plan(world);
  return unitSystem({
    plan,
    names: world.units.map(({ name }) => name),
    initial: initialState(world),
    unitSteps: [workerSteps, deliverySteps, backgroundSteps],
    otherSteps: [storeSteps, readerSteps],
    othersAtRest: (state) =>
      readerAtRest(state) && world.records.every((_, record) => get(state, S.recordAt(record) + S.HOLD) === 0),
    unitAtRest: (state, unit) => isUnitAtRest(plan, state, unit),
    forgetOver: (to, unit) => forgetOver(plan, to, unit),
    broken: (state) => S.WRONG[get(state, S.BROKEN)] || undefined,
    violation: (state, unit, rests) =>
      toldWrong(plan, state, unit) ??
      undone(plan, state, unit) ??
      shownTooEarly(plan, state, unit) ??
      (rests ? inPart(plan, state, unit) : undefined),
  });
}

function isUnitAtRest(plan: Plan, state: State, unit: number): boolean {
  const at = S.unitAt(unit);
  const isUnderWay = plan.of(unit).parts.some((part) => {
    const sent = get(state, at + S.SENT + part.at);
    return sent === Sent.underWay || sent === Sent.looked || sent === Sent.open;
  });
  const fate = get(state, at + S.FATE);
  return (
    ENDED.includes(get(state, at + S.PC)) &&
    !isOpen(state, unit) &&
    !isUnderWay &&
    get(state, at + S.CLAIM) !== Claim.sent &&
    get(state, at + S.ROW) !== Row.there &&
    (fate === Fate.fine || fate === Fate.discarded)
  );
}

/** What no mistake brings back, nobody reads again of a unit that is over. */
function forgetOver(plan: Plan, to: State, unit: number): void {
  if (LASTING.some((mistake) => plan.has(mistake))) return;
  const at = S.unitAt(unit);
  const { parts } = plan.of(unit);
  if (!isUnitAtRest(plan, to, unit) || parts.some((part) => S.holds(to, unit, part))) return;
  if (toldWrong(plan, to, unit) !== undefined) return;
  to[at + S.PC] = Pc.dead;
  for (const field of [S.CLAIM, S.HELP, S.REMOVAL, S.RECORDED]) to[at + field] = 0;
  for (const part of parts) {
    if (get(to, at + S.BASE + part.at) !== 0) to[at + S.BASE + part.at] = part.change === 'match' ? 1 : 0;
    if (!isNative(plan, unit)) to[at + S.SENT + part.at] = Sent.refused;
  }
}

const LASTING: readonly SeveralMistake[] = [
  'discardClearsAll',
  'bulkOverFences',
  'bulkAppliedByFilter',
  'prunedInPart',
];

/** What the caller was told is the truth. */
function toldWrong(plan: Plan, state: State, unit: number): string | undefined {
  const at = S.unitAt(unit);
  const pc = get(state, at + S.PC);
  const isWritten = plan.of(unit).parts.some(({ record }) => S.hasBit(state, S.recordAt(record) + S.BITS, unit));
  const isDecided = get(state, at + S.TX) === Tx.committed;
  if (pc === Pc.no && (isDecided || isWritten)) return `unit ${unit + 1} was told that it is refused, and is there`;
  if (pc === Pc.yes && !isDecided && !isNative(plan, unit))
    return `unit ${unit + 1} was told that it is decided, and is not`;
  return undefined;
}

function undone(plan: Plan, state: State, unit: number): string | undefined {
  const at = S.unitAt(unit);
  const fate = get(state, at + S.FATE);
  const { parts } = plan.of(unit);
  const held = parts.find((part) => part.way !== 'own' && S.holds(state, unit, part));
  if (fate === Fate.discarded && held !== undefined)
    return `unit ${unit + 1} is discarded, and still stands on ${nameOf(plan, held)}`;
  if (get(state, at + S.TX) !== Tx.committed || fate >= Fate.discarding) return undefined;
  // Here the fences go while it is still a dead letter: whether that does harm shows at rest.
  if (plan.has('discardClearsFirst')) return undefined;
  const lost = parts.find(
    (part) =>
      (part.way === 'fence' || part.way === 'prepare') &&
      part.change !== 'guard' &&
      S.takesPart(state, unit, part) &&
      !S.holds(state, unit, part) &&
      !S.hasBit(state, S.recordAt(part.record) + S.BITS, unit),
  );
  return lost && `a decided commit is undone: unit ${unit + 1} has neither hold nor change at ${nameOf(plan, lost)}`;
}

/** An ordinary read shows what is there, and no placeholder; so nothing of a unit that is not decided. */
function shownTooEarly(plan: Plan, state: State, unit: number): string | undefined {
  if (isNative(plan, unit) || get(state, S.unitAt(unit) + S.TX) === Tx.committed) return undefined;
  const shown = plan
    .of(unit)
    .parts.find(
      (part) =>
        S.hasBit(state, S.recordAt(part.record) + S.BITS, unit) ||
        (plan.has('placeholderShown') &&
          part.change === 'insert' &&
          part.way === 'fence' &&
          S.holds(state, unit, part)),
    );
  return shown && `a reader sees ${nameOf(plan, shown)} of unit ${unit + 1}, which is not decided`;
}

/** All or nothing, once quiet; only what was discarded may be partial. */
function inPart(plan: Plan, state: State, unit: number): string | undefined {
  const at = S.unitAt(unit);
  if (get(state, at + S.FATE) === Fate.discarded) return undefined;
  const isDecided = isNative(plan, unit)
    ? get(state, at + S.SENT) === Sent.done
    : get(state, at + S.TX) === Tx.committed;
  const wrong = plan
    .of(unit)
    .parts.filter((part) => part.change !== 'guard' && S.takesPart(state, unit, part))
    .filter(({ record }) => S.hasBit(state, S.recordAt(record) + S.BITS, unit) !== isDecided)
    .map((part) => nameOf(plan, part));
  return half(unit, isDecided, wrong);
}
