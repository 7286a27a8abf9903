/**
 * A state of the model: what each store has (in memory and flushed), what each worker knows, and which requests are under
 * way.
 *
 * Ghosts, which no actor of the protocol reads: who wrote a record last where it is gone (`TAIL`), who ever wrote it
 * (`BITS`). The checks live on them.
 */
import { get, type State } from '../bytes.js';
import type { Kind, Start } from './kinds.js';
import type { MistakeName } from './mistakes.js';

export { clearBit, copy, get, hasBit, type State, setBit } from '../bytes.js';

/** What is explored: units of work, one worker each, and which rules are broken. */
export interface Model {
  readonly units: readonly Kind[];
  readonly start: Start;
  readonly mistakes: ReadonlySet<MistakeName>;
  /** How the fate of a fence is settled: by the claim lock, or by a refusal row under the unit's unique key. */
  readonly resolve: 'lock' | 'refusal';
  readonly reader: boolean;
  /** How often a store, any of them, restarts. Workers die and connections break without limit. */
  readonly restarts: number;
}

// Of each worker, from `worker(i)` on.
/** Where it stands: see `Pc`. */
export const PC = 0;
/** The writer that it read at A, plus one; and the version. */
export const BASE_A = 1;
export const VERSION_A = 2;
/** The same at B. */
export const BASE_B = 3;
export const VERSION_B = 4;
/** Its one request to B: see `Sent`. */
export const SENT = 5;
/** Its transaction at the coordinator: see `Tx`. */
export const TX = 6;
/** Its journal row: see `Row`. */
export const ROW = 7;
/** How far helpers have come: 0 nobody met its fence, 1 somebody did, 2 somebody had the claim lock after that. */
export const HELP = 8;
/** A helper found it aborted: from then on a removal of its fence may arrive at any time, any number of times. */
export const REMOVAL = 9;
/** The generation of B, plus one, with which an apply of its fresh insert may be under way. */
export const SENT_GENERATION = 10;
/** In its place: an apply has found its generation, and inserts later. */
export const LOOKED = 9;
/** The order of claims; kept only for the mistake of a relay that polls by it. */
export const CLAIMED = 11;
const STRIDE = 12;

export const MOST_UNITS = 3;
export const worker = (unit: number): number => unit * STRIDE;

// A record, from `A`, `B` (memory) or `B_DISK` on.
export const PRESENT = 0;
export const VERSION = 1;
/** The last writer plus one, also of a record that it deleted; 0 is who was there before. */
export const TAIL = 2;
export const BITS = 3;
/** The unit, plus one, that has a fence here; at A, the one whose transaction has the row's lock. */
export const FENCE = 4;
/** Marks that fresh inserts leave; one bit a unit. */
export const INBOX = 5;
const RECORD = 6;

export const A = MOST_UNITS * STRIDE;
export const B = A + RECORD;
export const B_DISK = B + RECORD;
/** Points at C, one bit a unit: in memory, flushed; and who wrote the rewritten point last. */
export const C = B_DISK + RECORD;
export const C_DISK = C + 1;
export const C_TAIL = C + 2;
/** Refusal rows at the coordinator, one bit a unit. */
export const REFUSED = C + 3;
/** The generation of B's marks. */
export const GENERATION = C + 4;
export const RESTARTS = C + 5;
/** An index into `WRONG`, where the step that led here broke an invariant. */
export const BROKEN = C + 6;
// The settled reader: where it is, what it saw first of A and B (`seen`) and the ghosts then.
export const READER = C + 7;
export const SEEN_A = C + 8;
export const SEEN_B = C + 9;
export const BITS_A = C + 10;
export const BITS_B = C + 11;
export const BITS_C = C + 12;
export const BITS_A2 = C + 13;
export const BITS_B2 = C + 14;
/** Units whose journal row such a relay has passed by, one bit each. */
export const PASSED = C + 15;
const SIZE = C + 16;

/** `settling` lost its connection in COMMIT; `expired` also lost its lease, so its row may be pruned meanwhile. */
export const Pc = {
  readA: 0,
  readB: 1,
  claim: 2,
  work: 3,
  committing: 4,
  settling: 5,
  yes: 6,
  no: 7,
  dead: 8,
  unsure: 9,
  expired: 10,
} as const;

export const Sent = { no: 0, underWay: 1, done: 2, refused: 3, looked: 4, again: 5 } as const;
export const Tx = { none: 0, open: 1, committing: 2, committed: 3, aborted: 4 } as const;
/** `old`: pruned, and B's generation has moved on since. */
export const Row = { none: 0, there: 1, pruned: 2, old: 3 } as const;

export const WRONG = [
  '',
  'a lost update: what was read is not what is written over',
  'a redo over a later write',
  'written twice: a late request, or a resurrection',
  'an older point over a newer one',
  'a guarded record changed before the decision (write skew)',
  'a settled reader saw half a unit of work',
] as const;
export const Wrong = { lostUpdate: 1, redo: 2, twice: 3, point: 4, skew: 5, reader: 6 } as const;

export function initialState(model: Model): State {
  const state = new Uint8Array(SIZE);
  for (const [record, there] of [
    [A, model.start.a],
    [B, model.start.b],
    [B_DISK, model.start.b],
  ] as const) {
    state[record + PRESENT] = there ? 1 : 0;
    state[record + VERSION] = there ? 1 : 0;
  }
  for (const [unit, { a }] of model.units.entries()) state[worker(unit) + PC] = a === 'none' ? Pc.readB : Pc.readA;
  return state;
}

/** What a reader can tell apart: absent, or present with its writer (the version goes with the writer). */
export const seen = (state: State, record: number): number =>
  get(state, record + PRESENT) === 1 ? get(state, record + TAIL) + 1 : 0;
