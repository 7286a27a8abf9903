/**
 * A state of the model: each unit of work with a few of each of its changes, each record, and the reader.
 * What a store acknowledges is durable here, and so a record has no copy on disk; what a restart takes away is the open
 * transaction of a database that has some. `TAIL` and `BITS` are ghosts, as in `protocol/state.ts`.
 */
import { get, type State } from '../bytes.js';
import { isSeveral, type Slot, type UnitSpec, type Way, type World, wayOf } from './world.js';

export { get, hasBit, type State, setBit } from '../bytes.js';

export const MOST_UNITS = 3;
export const MOST_SLOTS = 4;
export const MOST_RECORDS = 5;

// Of each unit of work, from `unitAt(i)` on.
export const PC = 0;
export const TX = 1;
/** Its claim: see `Claim`. */
export const CLAIM = 2;
export const ROW = 3;
/** How far helpers have come: 0 nobody met it, 1 somebody did, 2 somebody had its claim lock after that. */
export const HELP = 4;
/** Somebody knows that it is refused: removals of its fences may arrive from now on, any number of times. */
export const REMOVAL = 5;
/** What became of applying it: see `Fate`. */
export const FATE = 6;
/** Its journal row is in the open transaction. */
export const RECORDED = 7;
/** Marks of planted mistakes: slots whose end was acknowledged, one bit each, or that it has been tried again. */
export const MARK = 8;
/** What became of each request: see `Sent`. */
export const SENT = 9;
/** The last writer that was read of each record plus two; 0 where the record was not there. */
export const BASE = SENT + MOST_SLOTS;
const STRIDE = BASE + MOST_SLOTS;

export const unitAt = (unit: number): number => unit * STRIDE;

// Of each record, from `recordAt(i)` on.
export const PRESENT = 0;
/** The last writer plus one, also of a record that it deleted; 0 is who was there before. */
export const TAIL = 1;
export const BITS = 2;
/** The unit plus one whose fence, row lock or prepared transaction stands on it. */
export const HOLD = 3;
const RECORD = 4;

const RECORDS = MOST_UNITS * STRIDE;
export const recordAt = (record: number): number => RECORDS + record * RECORD;

export const RESTARTS = RECORDS + MOST_RECORDS * RECORD;
export const BROKEN = RESTARTS + 1;
/** The step of the settled reader. */
export const READER = RESTARTS + 2;
/** What it saw first of each record, and who had ever written it then, and at the second look. */
export const SEEN = RESTARTS + 3;
export const BITS_1 = SEEN + MOST_RECORDS;
export const BITS_2 = BITS_1 + MOST_RECORDS;
/** Units that were decided when it looked for open rows, one bit each. */
export const DECIDED = BITS_2 + MOST_RECORDS;
const SIZE = DECIDED + 1;

export const Pc = { read: 0, work: 1, committing: 2, settling: 3, yes: 4, no: 5, dead: 6, unsure: 7 } as const;
export const Tx = { none: 0, open: 1, committing: 2, committed: 3, aborted: 4 } as const;
/** `sent`: under way to the coordinator; `held`: it is, and the answer is under way; `known`: to the worker as well. */
export const Claim = { none: 0, sent: 1, held: 2, known: 3 } as const;
export const Row = { none: 0, there: 1, pruned: 2 } as const;
/** From 1 on: the slot, plus one, whose store refuses to apply it, which makes it a dead letter. */
export const Fate = { fine: 0, discarding: 8, discarded: 9 } as const;
/** `open`: written in a transaction that is to be prepared; `looked`: guarded, and not yet set, by mistake. */
export const Sent = { no: 0, underWay: 1, done: 2, refused: 3, open: 4, looked: 5 } as const;

export const WRONG = [
  '',
  'a lost update: what was read is not what is written over',
  'a redo over a later write',
  'written twice: a late request, or a resurrection',
  'a guarded record changed before the decision (write skew)',
  'a settled reader saw half a unit of work',
  'a relationship without its node',
  'a change by filter left out a record that matched',
] as const;
export const Wrong = { lostUpdate: 1, redo: 2, twice: 3, skew: 4, reader: 5, dangling: 6, leftOut: 7 } as const;

export function initialState(world: World): State {
  const state = new Uint8Array(SIZE);
  for (const [record, { there }] of world.records.entries()) state[recordAt(record) + PRESENT] = there ? 1 : 0;
  return state;
}

/** What a reader can tell apart: absent, or present with its writer. */
export const seen = (state: State, record: number): number => {
  const at = recordAt(record);
  return get(state, at + PRESENT) === 1 ? get(state, at + TAIL) + 2 : 0;
};

export interface Part extends Slot {
  readonly at: number;
  readonly way: Way;
}

/** What does not change from state to state, worked out once. */
export class Plan {
  readonly units: readonly { readonly spec: UnitSpec; readonly several: boolean; readonly parts: readonly Part[] }[];

  constructor(readonly world: World) {
    this.units = world.units.map((spec) => ({
      spec,
      several: isSeveral(world, spec),
      parts: spec.slots.map((slot, at) => ({ ...slot, at, way: wayOf(world, spec, slot) })),
    }));
  }

  of(unit: number) {
    return this.units[unit] as Plan['units'][number];
  }

  has(mistake: World['mistakes'] extends ReadonlySet<infer M> ? M : never): boolean {
    return this.world.mistakes.has(mistake);
  }

  /** The change that a unit makes to a record. */
  changeOf(unit: number, record: number): Slot['change'] | undefined {
    return this.of(unit).parts.find((part) => part.record === record)?.change;
  }

  /** Relationships that hang on a node. */
  hangingOn(node: number): number[] {
    return this.world.records.flatMap(({ ends }, record) => (ends?.includes(node) ? [record] : []));
  }
}

/** True where its fence, lock or prepared transaction stands on the part's record. */
export const holds = (state: State, unit: number, { record }: Slot): boolean =>
  get(state, recordAt(record) + HOLD) === unit + 1;

/** True of a change that it makes; a filter makes none of what was not there. */
export const takesPart = (state: State, unit: number, { at, change }: Part): boolean =>
  change !== 'match' || get(state, unitAt(unit) + BASE + at) !== 0;
