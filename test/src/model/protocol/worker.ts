/**
 * The worker's own steps: read, claim, write and fence in parallel, decide. It ends at the decision: an apply is
 * anybody's, at any time, any number of times (`background.ts`), which covers its own, the relay's and those that arrive
 * late. It may die wherever that leaves something behind; death in COMMIT is the same as the lost connection.
 */
import type { Emit } from '../explore.js';
import { put, type Step, stepper } from '../step.js';
import * as S from './state.js';
import { get, type Model, Pc, Row, Sent, type State, Tx } from './state.js';
import { abortA, commitA, fenceB, guardOfFenceHolds, lockA, setFence, writeB } from './stores.js';

export function workerSteps(model: Model, state: State, unit: number, emit: Emit<State>): void {
  const at = S.worker(unit);
  const step = stepper(state, unit, emit);
  switch (get(state, at + S.PC)) {
    case Pc.readA:
      step('reads A', (to) => read(model, to, unit, 'a'));
      break;
    case Pc.readB:
      readB(model, unit, step);
      break;
    case Pc.claim:
      step('opens its transaction at the coordinator and claims', (to) => {
        to[at + S.TX] = Tx.open;
        to[at + S.PC] = Pc.work;
        if (model.mistakes.has('relayBySequence'))
          to[at + S.CLAIMED] = 1 + Math.max(...model.units.map((_, other) => get(state, S.worker(other) + S.CLAIMED)));
      });
      if (model.mistakes.has('fenceBeforeClaim') && get(state, at + S.SENT) === Sent.no)
        step('sends its fence', put(at + S.SENT, Sent.underWay));
      break;
    case Pc.work:
      work(model, state, unit, step);
      break;
    case Pc.committing:
      step('loses its connection in COMMIT, or dies', put(at + S.PC, Pc.settling), true);
      break;
    case Pc.settling:
    case Pc.expired:
      settle(model, state, unit, step);
  }
}

/** Notes what the unit read, and goes on; a unit that finds nothing to work on ends. */
function read(model: Model, to: State, unit: number, store: 'a' | 'b'): void {
  const at = S.worker(unit);
  const { a, b } = model.units[unit] as Model['units'][number];
  const operation = store === 'a' ? a : b;
  const record = store === 'a' ? S.A : S.B;
  const present = get(to, record + S.PRESENT) === 1;
  const inserts = operation === 'insert' || operation === 'fresh';
  to[at + S.PC] = store === 'a' && b !== 'none' ? Pc.readB : Pc.claim;
  if (operation === 'none') return;
  // A new UUID needs no look.
  if (operation !== 'fresh' && present === inserts) to[at + S.PC] = Pc.no;
  else if (!inserts) {
    to[at + (store === 'a' ? S.BASE_A : S.BASE_B)] = get(to, record + S.TAIL) + 1;
    to[at + (store === 'a' ? S.VERSION_A : S.VERSION_B)] = get(to, record + S.VERSION);
  }
}

/** Reading meets no fence: it shows what was there before. A one-store unit then sends its write at once. */
function readB(model: Model, unit: number, step: Step): void {
  const at = S.worker(unit);
  const { a, several } = model.units[unit] as Model['units'][number];
  step(several || a !== 'none' ? 'reads B' : 'reads B and sends its write', (to) => {
    read(model, to, unit, 'b');
    if (several || get(to, at + S.PC) === Pc.no) return;
    to[at + S.PC] = Pc.work;
    to[at + S.SENT] = Sent.underWay;
  });
}

function work(model: Model, state: State, unit: number, step: Step): void {
  const at = S.worker(unit);
  const { a, several } = model.units[unit] as Model['units'][number];
  const sent = get(state, at + S.SENT);
  const end = (to: State): void => {
    if (get(to, at + S.TX) === Tx.open) abortA(to, unit);
    to[at + S.PC] = Pc.no;
  };
  if (several || a !== 'none') {
    const owner = get(state, S.A + S.FENCE);
    const written = a === 'none' || owner === unit + 1;
    const fences = fencesOf(model, unit);
    if (get(state, at + S.TX) === Tx.aborted) step('learns that the coordinator restarted', end);
    else {
      if (!written && owner === 0)
        step('writes at A', (to) => {
          if (!lockA(model, to, unit)) end(to);
        });
      if (!written && owner !== 0 && !model.mistakes.has('noWaitLimit'))
        step('has waited too long for the row at A, and gives up', end);
      if (fences && sent === Sent.no) step('sends its fence', put(at + S.SENT, Sent.underWay));
      const fenced =
        !fences ||
        sent === Sent.done ||
        sent === Sent.again ||
        (model.mistakes.has('decidedBeforeFences') && sent !== Sent.refused);
      if (written && fenced)
        step('sends COMMIT', (to) => {
          to[at + S.TX] = Tx.committing;
          to[at + S.PC] = Pc.committing;
        });
      if (sent === Sent.refused) step('was refused its fence, and rolls back', end);
    }
  } else if (sent === Sent.done || sent === Sent.refused)
    step('has the answer', put(at + S.PC, sent === Sent.done ? Pc.yes : Pc.no));
  // What is not decided without the coordinator is refused; a write of one store may have happened, or may yet.
  if ((sent === Sent.underWay || sent === Sent.looked) && !model.mistakes.has('noWaitLimit'))
    step('has waited too long for B, and gives up', (to) => {
      end(to);
      if (!several) to[at + S.PC] = model.mistakes.has('timeOutIsRefusal') ? Pc.no : Pc.unsure;
    });
  step('dies', put(at + S.PC, Pc.dead), true);
}

export function fencesOf(model: Model, unit: number): boolean {
  const { fences, b } = model.units[unit] as Model['units'][number];
  return fences && !(b === 'guard' && model.mistakes.has('guardUnfenced'));
}

/** A COMMIT whose answer is lost is settled like a fence: the lock, then the row; or the refusal row. */
function settle(model: Model, state: State, unit: number, step: Step): void {
  const at = S.worker(unit);
  const row = get(state, at + S.ROW);
  const tx = get(state, at + S.TX);
  const { several } = model.units[unit] as Model['units'][number];
  const expired = get(state, at + S.PC) === Pc.expired;
  const end = (label: string, pc: number): void =>
    step(label, (to) => {
      to[at + S.PC] = pc;
      if (pc === Pc.no && model.resolve === 'refusal' && tx === Tx.committing) S.setBit(to, S.REFUSED, unit);
    });
  if (!several) end('cannot know, without a journal, and says so', Pc.unsure);
  else if (tx === Tx.aborted && model.mistakes.has('rollbackTagIgnored')) end('is answered, and told yes', Pc.yes);
  if (!several) return;
  if (tx === Tx.committing && model.resolve === 'lock' && !model.mistakes.has('lookUpAfterLostCommit')) return;
  if (row === Row.there) end('finds its journal row: told yes', Pc.yes);
  else if (expired) end('finds no journal row, and has lost its lease: told unknown', Pc.unsure);
  else end('finds no journal row: told no', Pc.no);
  // Its process is taken for dead: pruning no longer waits for it, and it may no longer conclude from an absent row.
  if (!expired && row === Row.there) step('loses its lease', put(at + S.PC, Pc.expired));
}

/** What the network and the stores do with what was sent; the sender may be long dead. */
export function deliverySteps(model: Model, state: State, unit: number, emit: Emit<State>): void {
  const at = S.worker(unit);
  const pc = get(state, at + S.PC);
  const tx = get(state, at + S.TX);
  const sent = get(state, at + S.SENT);
  const step = stepper(state, unit, emit);
  if (tx === Tx.committing) {
    step('its COMMIT takes effect', (to) => {
      if (S.hasBit(state, S.REFUSED, unit)) abortA(to, unit);
      else commitA(model, to, unit);
      if (pc === Pc.committing) to[at + S.PC] = get(to, at + S.TX) === Tx.committed ? Pc.yes : Pc.no;
    });
    if (pc !== Pc.committing) step('its COMMIT never arrives, the server rolls back', (to) => abortA(to, unit));
  }
  if (tx === Tx.open && pc !== Pc.work)
    step('the server sees that it is gone, and rolls back', (to) => abortA(to, unit));
  if (sent === Sent.underWay) deliver(model, state, unit, step);
  if (sent === Sent.looked)
    step('its fence, looked at before, is set', (to) => {
      setFence(model, to, unit, (model.units[unit] as Model['units'][number]).b);
      to[at + S.SENT] = Sent.done;
    });
  if (model.mistakes.has('fenceTwice') && sent === Sent.done && fencesOf(model, unit))
    step('its fence arrives a second time', (to) => {
      fenceB(model, to, unit);
      to[at + S.SENT] = Sent.again;
    });
}

function deliver(model: Model, state: State, unit: number, step: Step): void {
  const at = S.worker(unit);
  const fences = fencesOf(model, unit);
  const alive = get(state, at + S.PC) === Pc.work || get(state, at + S.PC) === Pc.claim;
  if (!alive) step('its request to B is lost', put(at + S.SENT, Sent.refused));
  // A request that meets a fence resolves it and is sent again: the same as one that waits.
  if (get(state, S.B + S.FENCE) !== 0 && !(model.mistakes.has('bypass') && !fences)) return;
  if (fences && model.mistakes.has('fenceNotAtomic')) {
    step('its fence looks', put(at + S.SENT, guardOfFenceHolds(model, state, unit) ? Sent.looked : Sent.refused));
    return;
  }
  step(fences ? 'its fence arrives at B' : 'its write arrives at B', (to) => {
    const done = fences ? fenceB(model, to, unit) : writeB(model, to, unit);
    to[at + S.SENT] = done ? Sent.done : Sent.refused;
  });
}
