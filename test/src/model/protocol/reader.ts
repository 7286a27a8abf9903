/**
 * A settled reader over all three stores: read all, resolve what is fenced, read again, accept if nothing changed. What has
 * no fence (points, fresh inserts) shows only in the coordinator's journal, so it asks there too, with each read of A.
 * It tries once: that it may begin at any time covers its next try.
 */
import type { Emit } from '../explore.js';
import { put, stepper } from '../step.js';
import * as S from './state.js';
import { get, type Model, Row, type State } from './state.js';

const DONE = 7;

export const readerAtRest = (state: State): boolean => get(state, S.READER) === 0 || get(state, S.READER) === DONE;

/**
 * A journal row is open whose unfenced part has not arrived *durably*: the reader would apply and flush it, and go on
 * then. To have arrived is not enough: a restart between two of its reads takes it back, a second one once more.
 */
function pending(model: Model, state: State): boolean {
  if (model.mistakes.has('readerSkipsJournal')) return false;
  const unflushed = model.mistakes.has('readerTrustsUnflushed');
  const points = unflushed ? S.C : S.C_DISK;
  const inserts = (unflushed ? S.B : S.B_DISK) + S.BITS;
  return model.units.some(
    ({ b, c }, unit) =>
      get(state, S.worker(unit) + S.ROW) === Row.there &&
      ((c !== 'none' && !S.hasBit(state, points, unit)) || (b === 'fresh' && !S.hasBit(state, inserts, unit))),
  );
}

function forget(to: State): void {
  to[S.READER] = DONE;
  to.fill(0, S.SEEN_A, S.BITS_B2 + 1);
}

export function readerSteps(model: Model, state: State, emit: Emit<State>): void {
  if (!model.reader) return;
  const stepOf = stepper(state, -1, emit);
  const step = (label: string, change: (to: State) => void): void =>
    stepOf(`the reader ${label}`, (to) => {
      to[S.READER] = get(state, S.READER) + 1;
      change(to);
    });
  const fenced = get(state, S.B + S.FENCE) !== 0 && !model.mistakes.has('readOverFences');
  const again = (label: string, changed: boolean, note: (to: State) => void): void =>
    changed ? step(`${label}, finds it changed and begins anew`, forget) : step(label, note);
  switch (get(state, S.READER)) {
    case 0:
      if (!pending(model, state))
        step('reads A', (to) => {
          to[S.SEEN_A] = S.seen(state, S.A);
          to[S.BITS_A] = get(state, S.A + S.BITS);
          to[S.BITS_A2] = get(state, S.A + S.BITS);
        });
      break;
    case 1:
      if (!fenced)
        step('reads B', (to) => {
          to[S.SEEN_B] = S.seen(state, S.B);
          to[S.BITS_B] = get(state, S.B + S.BITS);
          to[S.BITS_B2] = get(state, S.B + S.BITS);
        });
      break;
    case 2:
      step('reads C', (to) => {
        to[S.BITS_C] = get(state, S.C);
        if (model.mistakes.has('readOnce')) accept(model, to);
      });
      break;
    case 3:
      if (!pending(model, state))
        again('reads A again', get(state, S.SEEN_A) !== S.seen(state, S.A), put(S.BITS_A2, get(state, S.A + S.BITS)));
      break;
    case 4:
      if (!fenced)
        again('reads B again', get(state, S.SEEN_B) !== S.seen(state, S.B), put(S.BITS_B2, get(state, S.B + S.BITS)));
      break;
    case 5:
      again('reads C again and accepts', get(state, S.BITS_C) !== get(state, S.C), (to) => accept(model, to));
  }
}

/**
 * What it saw must be whole for each unit. Where a record was absent at both reads, others may have come and gone in
 * between: then it is enough that it was whole at one of the two.
 */
function accept(model: Model, to: State): void {
  const whole = [S.BITS_A, S.BITS_A2].some((atA) =>
    [S.BITS_B, S.BITS_B2].some((atB) => model.units.every((_, unit) => isWhole(model, to, unit, atA, atB))),
  );
  if (!whole) to[S.BROKEN] = S.Wrong.reader;
  forget(to);
}

function isWhole(model: Model, state: State, unit: number, atA: number, atB: number): boolean {
  const { a, b, c } = model.units[unit] as Model['units'][number];
  const parts: boolean[] = [];
  if (a !== 'none' && a !== 'guard') parts.push(S.hasBit(state, atA, unit));
  if (b !== 'none' && b !== 'guard') parts.push(S.hasBit(state, atB, unit));
  if (c !== 'none') parts.push(S.hasBit(state, S.BITS_C, unit));
  return parts.every((part) => part === parts[0]);
}
