/**
 * The planted mistakes: each turns one rule of the protocol off. A checker that finds nothing is believed only because it
 * finds every one of these, each in a scenario small enough to read.
 */
import { type Kind, kind } from './kinds.js';

export interface Mistake {
  /** What is done wrong. */
  readonly what: string;
  /** The units in which it shows. */
  readonly units: readonly Kind[];
  readonly start: { readonly a: boolean; readonly b: boolean };
  /** With a settled reader beside the units. */
  readonly reader?: true;
  /** The way to resolve that it belongs to; `lock` where it is not said. */
  readonly resolve?: 'refusal';
  /** A word of the violation that is expected. */
  readonly found: RegExp;
}

const both = { a: true, b: true };
const update = kind('update', 'update');
const half = /half|undone/;

export const MISTAKES = {
  noClaim: { what: 'no claim: nothing is locked until COMMIT', units: [update], start: both, found: half },
  fenceBeforeClaim: { what: 'the fence is sent before the claim is taken', units: [update], start: both, found: half },
  plainLookUp: {
    what: 'a helper looks for the journal row without the lock',
    units: [update],
    start: both,
    found: half,
  },
  lookUpAfterLostCommit: {
    what: 'a lost COMMIT is settled by a plain SELECT',
    units: [update],
    start: both,
    found: /refused/,
  },
  rollbackTagIgnored: {
    what: 'the answer ROLLBACK is taken for a COMMIT',
    units: [update],
    start: both,
    found: /told/,
  },
  timeOutIsRefusal: {
    what: 'a write of one store that was not answered in time is reported as refused',
    units: [kind('none', 'update')],
    start: both,
    found: /refused/,
  },
  wrongCoordinator: { what: 'a helper asks another coordinator', units: [update], start: both, found: half },
  refusalPruned: {
    what: 'the refusal row is removed while a late COMMIT may come',
    units: [update],
    start: both,
    resolve: 'refusal',
    found: /refused|half|undone/,
  },
  hold: {
    what: 'a native transaction is held open in place of a fence; the redo is guarded by version',
    units: [update, kind('none', 'update')],
    start: both,
    found: half,
  },
  volatileFence: { what: 'a fence is acknowledged before it is durable', units: [update], start: both, found: half },
  fenceNotAtomic: {
    what: 'a fence looks, and sets later',
    units: [update, update],
    start: both,
    found: /undone|half|lost/,
  },
  fenceTwice: {
    what: 'the driver sends a fence again',
    units: [kind('update', 'insert'), kind('none', 'delete')],
    start: { a: true, b: false },
    found: /twice/,
  },
  decidedBeforeFences: {
    what: 'COMMIT is sent before the fence is acknowledged',
    units: [update],
    start: both,
    found: half,
  },
  versionAlone: {
    what: 'the guard is the version without its writer',
    units: [update, kind('none', 'reinsert')],
    start: both,
    found: /lost update/,
  },
  bypass: {
    what: 'a writer of one store ignores fences',
    units: [update, kind('none', 'update')],
    start: both,
    found: /redo over/,
  },
  applyAsUpsert: {
    what: 'apply installs whether or not its fence is there',
    units: [update, kind('none', 'update')],
    start: both,
    found: /redo over|twice/,
  },
  resurrectingUpsert: {
    what: 'the same, after a delete',
    units: [kind('update', 'insert'), kind('none', 'delete')],
    start: { a: true, b: false },
    found: /twice/,
  },
  unguardedUnfence: {
    what: 'a helper removes whatever fence it finds',
    units: [update, kind('increment', 'update')],
    start: both,
    found: half,
  },
  prunedTooEarly: {
    what: 'the journal row goes before the apply is durable',
    units: [update],
    start: both,
    found: half,
  },
  prunedUnapplied: { what: 'the journal row goes when the apply is sent', units: [update], start: both, found: half },
  prunedUnsettled: {
    what: 'the journal row goes while a worker that lost its COMMIT has not looked',
    units: [update],
    start: both,
    found: /refused/,
  },
  pointsPrunedTooEarly: {
    what: 'the journal row goes before the point is durable',
    units: [kind('update', 'none', 'point')],
    start: both,
    found: half,
  },
  relayBySequence: {
    what: 'the relay polls by sequence, and passes rows that commit late',
    units: [kind('update', 'none', 'point'), kind('none', 'update', 'point')],
    start: both,
    found: /rest/,
  },
  noWaitLimit: {
    what: 'waits have no limit',
    units: [update, update],
    start: both,
    found: /rest/,
  },
  noInbox: {
    what: 'a fresh insert leaves no mark',
    units: [kind('update', 'fresh'), kind('none', 'delete')],
    start: { a: true, b: false },
    found: /twice/,
  },
  inboxPruned: {
    what: 'a mark is removed while a late apply may come',
    units: [kind('update', 'fresh'), kind('none', 'delete')],
    start: { a: true, b: false },
    found: /twice/,
  },
  generationReadLate: {
    what: 'the generation is read after the journal row, not before',
    units: [kind('update', 'fresh'), kind('none', 'delete')],
    start: { a: true, b: false },
    found: /twice/,
  },
  generationUnchecked: {
    what: 'applies of an earlier generation are taken',
    units: [kind('update', 'fresh'), kind('none', 'delete')],
    start: { a: true, b: false },
    found: /twice/,
  },
  generationLookedAt: {
    what: 'the generation is looked at, and not locked, by the transaction that inserts',
    units: [kind('update', 'fresh'), kind('none', 'delete')],
    start: { a: true, b: false },
    found: /twice/,
  },
  generationGoesBack: {
    what: 'the generation is a clock that can be set back',
    units: [kind('update', 'fresh'), kind('none', 'delete')],
    start: { a: true, b: false },
    found: /twice/,
  },
  markApart: {
    what: 'the mark is written after the insert, not with it',
    units: [kind('update', 'fresh'), kind('none', 'delete')],
    start: { a: true, b: false },
    found: /twice/,
  },
  markPrunedByAge: {
    what: 'a mark goes with its generation, while its journal row is there',
    units: [kind('update', 'fresh'), kind('none', 'delete')],
    start: { a: true, b: false },
    found: /twice/,
  },
  rewrittenPoints: {
    what: 'points are rewritten, as "idempotent by nature"',
    units: [kind('update', 'none', 'rewrite'), kind('increment', 'none', 'rewrite')],
    start: both,
    found: /point/,
  },
  incrementReadFirst: {
    what: 'an increment reads before its fence, which has no guard',
    units: [kind('update', 'increment'), kind('none', 'increment')],
    start: both,
    found: /lost update/,
  },
  guardUnfenced: {
    what: 'a guard is checked, and not fenced',
    units: [kind('update', 'guard'), kind('none', 'update')],
    start: both,
    found: /skew/,
  },
  readOnce: {
    what: 'a settled reader does not read again',
    units: [update],
    start: both,
    reader: true,
    found: /reader/,
  },
  readOverFences: {
    what: 'a settled reader does not resolve fences',
    units: [update],
    start: both,
    reader: true,
    found: /reader/,
  },
  readerTrustsUnflushed: {
    what: 'a settled reader takes a point that has arrived, and is not flushed, for there',
    units: [kind('none', 'update', 'point')],
    start: both,
    reader: true,
    found: /reader/,
  },
  readerSkipsJournal: {
    what: 'a settled reader does not ask for open journal rows of what has no fence',
    units: [kind('update', 'none', 'point')],
    start: both,
    reader: true,
    found: /reader/,
  },
} as const satisfies Record<string, Mistake>;

export type MistakeName = keyof typeof MISTAKES;
