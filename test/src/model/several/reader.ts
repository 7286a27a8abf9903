/**
 * A settled reader over records of any stores: reads all, looks for open journal rows and for fences, reads all again,
 * asks whether anything was decided since it looked, and accepts what was the same. Without the last question a record
 * that came and went in between passes for one that was never there. It tries once: that it may begin at any time covers
 * its next try.
 */
import type { Emit } from '../explore.js';
import { put, stepper } from '../step.js';
import * as S from './state.js';
import { Fate, get, type Plan, Row, type State, Wrong } from './state.js';

const DONE = 255;

export const readerAtRest = (state: State): boolean => get(state, S.READER) === 0 || get(state, S.READER) === DONE;

export function readerSteps(plan: Plan, state: State, emit: Emit<State>): void {
  const { reader, records, stores } = plan.world;
  const at = get(state, S.READER);
  const count = reader.length;
  if (count === 0 || at === DONE) return;
  const { readsOnce } = plan.world;
  const stepOf = stepper(state, -1, emit);
  const step = (label: string, change: (to: State) => void = () => {}): void =>
    stepOf(`the reader ${label}`, (to) => {
      to[S.READER] = at + 1;
      change(to);
    });
  const fencing = [...new Set(reader.map((record) => records[record]?.store ?? 0))].filter(
    (store) => stores[store]?.kind === 'fence' || plan.units.some(({ spec }) => spec.coordinator !== store),
  );
  const first = reader[at];
  if (readsOnce && at < count) step('begins', put(S.READER, count));
  else if (first !== undefined)
    step(`reads ${records[first]?.name}`, (to) => {
      to[S.SEEN + at] = S.seen(state, first);
      to[S.BITS_1 + at] = get(state, S.recordAt(first) + S.BITS);
    });
  else if (at === count) {
    if (!plan.units.some((_, unit) => isRowInTheWay(plan, state, unit)))
      step('finds no open journal row', put(S.DECIDED, decided(plan, state)));
  } else if (at <= count + fencing.length) {
    const store = fencing[at - count - 1] as number;
    const settled = plan.has('readTwiceOnly') || !isFencedAt(plan, state, store);
    if (settled) step(`finds no fence at ${stores[store]?.name}`);
  } else readAgain(plan, state, at - count - 1 - fencing.length, stepOf);
}

function readAgain(plan: Plan, state: State, at: number, step: ReturnType<typeof stepper>): void {
  const { reader, records } = plan.world;
  const record = reader[at] as number;
  const { readsOnce } = plan.world;
  const isSame = readsOnce || get(state, S.SEEN + at) === S.seen(state, record) || plan.has('readerReadsOnce');
  step(`the reader reads ${records[record]?.name} again${isSame ? '' : ', finds it changed and begins anew'}`, (to) => {
    to[S.READER] = get(state, S.READER) + 1;
    to[S.BITS_2 + at] = get(state, plan.has('readerReadsOnce') ? S.BITS_1 + at : S.recordAt(record) + S.BITS);
    if (readsOnce) to[S.BITS_1 + at] = get(to, S.BITS_2 + at);
    if (!isSame) forget(to);
    else if (at < reader.length - 1) return;
    else if (
      plan.has('readerTrustsAbsence') ||
      plan.has('readerReadsOnce') ||
      decided(plan, state) === get(state, S.DECIDED)
    )
      accept(plan, to);
    else forget(to);
  });
}

/** Units of several stores that are decided: to ask for those since a moment, their rows have to stay for as long. */
function decided(plan: Plan, state: State): number {
  return plan.units.reduce(
    (bits, { several }, unit) =>
      several && get(state, S.unitAt(unit) + S.TX) === S.Tx.committed ? bits | (1 << unit) : bits,
    0,
  );
}

/** An open row: it would be applied, and read anew. What has no fence shows nowhere else. */
function isRowInTheWay(plan: Plan, state: State, unit: number): boolean {
  const at = S.unitAt(unit);
  if (get(state, at + S.ROW) !== Row.there || plan.has('readTwiceOnly')) return false;
  if (plan.has('readerSkipsDead') && get(state, at + S.FATE) !== Fate.fine) return false;
  if (plan.has('readerAsksOneJournal') && plan.of(unit).spec.coordinator !== plan.of(0).spec.coordinator) return false;
  return plan.of(unit).parts.some(({ record, way }) => way !== 'own' && plan.world.reader.includes(record));
}

/** A row lock is not seen, and what is prepared is. */
function isFencedAt(plan: Plan, state: State, store: number): boolean {
  return plan.units.some(({ parts }, unit) =>
    parts.some(
      (part) =>
        plan.world.records[part.record]?.store === store &&
        S.holds(state, unit, part) &&
        (part.way === 'fence' ||
          (part.way === 'prepare' && get(state, S.unitAt(unit) + S.SENT + part.at) === S.Sent.done)),
    ),
  );
}

function forget(to: State): void {
  to.fill(0, S.SEEN, S.DECIDED + 1);
  to[S.READER] = DONE;
}

/** Whole for each unit, at one of the two looks at each record: in between others may have come and gone. */
function accept(plan: Plan, to: State): void {
  const { reader } = plan.world;
  const choices = 2 ** reader.length;
  let isWhole = false;
  for (let choice = 0; choice < choices && !isWhole; choice++) {
    const bits = (at: number): number => ((choice >> at) & 1 ? S.BITS_2 : S.BITS_1) + at;
    isWhole = plan.units.every((_, unit) => isWholeFor(plan, to, unit, bits));
  }
  if (!isWhole) to[S.BROKEN] = Wrong.reader;
  forget(to);
}

function isWholeFor(plan: Plan, state: State, unit: number, bits: (at: number) => number): boolean {
  if (get(state, S.unitAt(unit) + S.FATE) >= Fate.discarding) return true;
  const saw = plan.of(unit).parts.flatMap((part) => {
    const at = plan.world.reader.indexOf(part.record);
    return at < 0 || part.change === 'guard' || !S.takesPart(state, unit, part)
      ? []
      : [S.hasBit(state, bits(at), unit)];
  });
  return saw.every((each) => each === saw[0]);
}
