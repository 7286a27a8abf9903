/**
 * The protocol as a transition system: all steps of all actors, and what must hold. Steps that break an invariant say so
 * themselves (`BROKEN`); here is what shows only in a whole state, above all that every unit is wholly there or wholly
 * not, once nothing is left to do.
 */
import type { System } from '../explore.js';
import { half, unitSystem } from '../units.js';
import { backgroundSteps, flushed, isOpen, storeSteps } from './background.js';
import type { MistakeName } from './mistakes.js';
import { readerAtRest, readerSteps } from './reader.js';
import * as S from './state.js';
import { get, initialState, type Model, Pc, Row, Sent, type State, Tx } from './state.js';
import { deliverySteps, workerSteps } from './worker.js';

const ENDED: readonly number[] = [Pc.yes, Pc.no, Pc.dead, Pc.unsure];

export function protocol(model: Model): System<State> {
  const { units } = model;
  if (units.length > S.MOST_UNITS) throw new RangeError(`A model has at most ${S.MOST_UNITS} units of work.`);
  return unitSystem({
    plan: model,
    names: units.map(({ name }) => name),
    initial: initialState(model),
    unitSteps: [workerSteps, deliverySteps, backgroundSteps],
    otherSteps: [storeSteps, readerSteps],
    othersAtRest: (state) => get(state, S.B + S.FENCE) === 0 && flushed(state) && readerAtRest(state),
    unitAtRest,
    forgetOver: (to, unit) => forgetOver(model, to, unit),
    broken: (state) => S.WRONG[get(state, S.BROKEN)] || undefined,
    violation: (state, unit, rests) =>
      toldWrong(state, unit) ?? undone(model, state, unit) ?? (rests ? inPart(model, state, unit) : undefined),
  });
}

function unitAtRest(state: State, unit: number): boolean {
  const at = S.worker(unit);
  const sent = get(state, at + S.SENT);
  return (
    ENDED.includes(get(state, at + S.PC)) &&
    !isOpen(state, unit) &&
    sent !== Sent.underWay &&
    sent !== Sent.looked &&
    get(state, at + S.ROW) !== Row.there
  );
}

/**
 * Reduction: what nobody reads again is forgotten, so that states which differ only in it become one. A unit is over when
 * its worker and its transaction have ended, no request is under way, its fence is neither in B's memory nor flushed, and
 * its journal row is gone; a fence never comes twice, so late removals and applies of it do nothing from then on. Where a
 * planted mistake makes something come back, nothing is forgotten.
 */
function forgetOver(model: Model, to: State, unit: number): void {
  if (LASTING.some((mistake) => model.mistakes.has(mistake))) return;
  const at = S.worker(unit);
  const over = unitAtRest(to, unit) && get(to, S.B + S.FENCE) !== unit + 1 && get(to, S.B_DISK + S.FENCE) !== unit + 1;
  if (!over) return;
  if (toldWrong(to, unit) !== undefined) return;
  to[at + S.PC] = Pc.dead;
  for (const field of [S.BASE_A, S.VERSION_A, S.BASE_B, S.VERSION_B, S.HELP, S.REMOVAL]) to[at + field] = 0;
  // Of a one-store unit it says whether it wrote.
  if (model.units[unit]?.several) to[at + S.SENT] = Sent.refused;
  S.clearBit(to, S.REFUSED, unit);
}

const LASTING: readonly MistakeName[] = [
  'fenceTwice',
  'unguardedUnfence',
  'applyAsUpsert',
  'resurrectingUpsert',
  'hold',
  'bypass',
];

/** What the caller was told is the truth. */
function toldWrong(state: State, unit: number): string | undefined {
  const at = S.worker(unit);
  const pc = get(state, at + S.PC);
  const tx = get(state, at + S.TX);
  const written = tx === Tx.committed || S.hasBit(state, S.A + S.BITS, unit) || S.hasBit(state, S.B + S.BITS, unit);
  if (pc === Pc.no && written) return `unit ${unit + 1} was told that it is refused, and is there`;
  if (pc === Pc.yes && tx === Tx.aborted) return `unit ${unit + 1} was told that it is decided, and is not`;
  return undefined;
}

/**
 * From the decision on B has the fence or the change, in every state: else nothing is left that could carry it out. The
 * design that holds native transactions has no fence to lose; it is judged by what is there at rest.
 */
function undone(model: Model, state: State, unit: number): string | undefined {
  const { b, fences } = model.units[unit] as Model['units'][number];
  if (!fences || b === 'guard' || model.mistakes.has('hold')) return undefined;
  if (get(state, S.worker(unit) + S.TX) !== Tx.committed) return undefined;
  if (get(state, S.B + S.FENCE) === unit + 1 || S.hasBit(state, S.B + S.BITS, unit)) return undefined;
  return `a decided commit is undone: unit ${unit + 1} has neither its fence nor its change at B`;
}

/** All or nothing, once quiet: what is flushed counts. */
function inPart(model: Model, state: State, unit: number): string | undefined {
  const { a, b, c, several } = model.units[unit] as Model['units'][number];
  const at = S.worker(unit);
  const decided = get(state, at + S.TX) === Tx.committed;
  const parts: [string, boolean][] = [];
  if (a !== 'none' && a !== 'guard') parts.push(['A', S.hasBit(state, S.A + S.BITS, unit)]);
  if (b !== 'none' && b !== 'guard') parts.push(['B', S.hasBit(state, S.B_DISK + S.BITS, unit)]);
  if (c !== 'none') parts.push(['C', S.hasBit(state, S.C_DISK, unit)]);
  const expected = several || a !== 'none' ? decided : get(state, at + S.SENT) === Sent.done;
  const wrong = parts.filter(([, there]) => there !== expected).map(([store]) => store);
  return half(unit, expected, wrong);
}
