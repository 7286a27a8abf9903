/** The planted mistakes of the wider model, each in the smallest world in which it shows. */
export interface Planted {
  /** What is done wrong. */
  readonly what: string;
  /** The topic whose stores and records it is about. */
  readonly topic: string;
  readonly units: readonly string[];
  /** Records that are there at the start. */
  readonly there: readonly string[];
  readonly reader?: readonly string[];
  /** A word of the violation that is expected. */
  readonly found: RegExp;
}

const half = /half|undone/;
const prepared = { topic: 'prepared transactions', units: ['a.update p.update'], there: ['a', 'p'], found: half };
const dead = { topic: 'dead letters', units: ['b.update d.update'], there: ['b', 'd'], found: half };
const filter = {
  topic: 'changes by filter',
  units: ['b1.match b2.match', 'a.update b1.update'],
  there: ['a', 'b1', 'b2'],
};
const flight = { topic: 'requests that ride together', units: ['a.update b.update'], there: ['a', 'b'], found: half };
const both = { topic: 'two fencing stores', units: ['b.update d.update'], there: ['b', 'd'] };
const read = { ...both, reader: ['b', 'd'], found: /reader/ };
const graph = { topic: 'relationships', there: ['a', 'gn'] };

export const SEVERAL_MISTAKES = {
  decidedBeforeAll: { ...both, what: 'COMMIT is sent when the first of two stores has its fence', found: half },
  prunedInPart: { ...both, what: 'the journal row goes when the first of two stores has applied', found: half },
  idReused: {
    ...both,
    units: ['a.update b.update'],
    there: ['a', 'b'],
    what: 'a refused unit is tried again under the same id',
    found: half,
  },
  readerReadsOnce: { ...read, what: 'a settled reader of two stores does not read again' },
  readTwiceOnly: { ...read, what: 'a settled reader of two stores reads twice, and asks nobody in between' },
  readerTrustsAbsence: {
    ...read,
    units: ['b.insert d.insert', 'b.delete d.delete'],
    there: [],
    what: 'a settled reader takes what it twice did not see for what was never there in between',
  },
  preparedRolledBack: {
    ...prepared,
    what: 'what is prepared is rolled back by a look without the lock, while the COMMIT is in flight',
  },
  preparedTimedOut: { ...prepared, what: 'what has been prepared for long is rolled back without asking' },
  preparedNotFound: { ...prepared, what: 'nobody looks for prepared transactions that came late', found: /rest/ },
  heldNotPrepared: { ...prepared, what: 'the transaction is held open in place of being prepared' },
  finishedTwiceFails: {
    ...prepared,
    what: 'finishing what somebody else has finished is taken for a failure',
    found: /rest/,
  },
  endsUnguarded: {
    ...graph,
    units: ['a.update gr.insert', 'a.update gn.delete'],
    what: 'a relationship is hung on a node that is about to go',
    found: /undone|node/,
  },
  endsNotLocked: {
    ...graph,
    units: ['a.update gr.insert', 'gn.delete'],
    what: 'the nodes are looked at, and the relationship is added later',
    found: /undone|node/,
  },
  hangingIgnored: {
    ...graph,
    units: ['a.update gr.insert', 'gn.delete'],
    what: 'a node is deleted with a placeholder on it',
    found: /undone|node/,
  },
  placeholderShown: {
    ...graph,
    units: ['a.update gr.insert'],
    what: 'readers are shown placeholders',
    found: /reader sees/,
  },
  freshRelationship: {
    ...graph,
    units: ['a.update gr.fresh', 'gn.delete'],
    what: 'a new relationship skips the fence, as a fresh insert',
    found: /rest/,
  },
  discardLeavesFence: { ...dead, what: 'discarding leaves the fences', found: /discarded/ },
  discardClearsFirst: { ...dead, what: 'fences are discarded before the journal says so' },
  discardUntold: { ...dead, what: 'what is discarded is noted as applied' },
  discardForgets: {
    ...dead,
    what: 'discarding removes the row of a worker that has lost its COMMIT',
    found: /refused/,
  },
  discardClearsAll: {
    ...dead,
    units: ['a.update b.update', 'a.update b.update'],
    there: ['a', 'b'],
    what: 'discarding takes off whatever stands there',
  },
  clearedByHand: { ...dead, what: 'a unit that is not decided yet is discarded' },
  readerSkipsDead: {
    ...dead,
    units: ['a.update c.fresh'],
    there: ['a'],
    reader: ['a', 'c'],
    what: 'a settled reader does not ask for dead letters',
    found: /reader/,
  },
  bulkOverFences: { ...filter, what: 'a change by filter ignores fences', found: /redo over|undone/ },
  bulkLeavesOut: {
    ...filter,
    what: 'a change by filter leaves out what is fenced, and does not say so',
    found: /left out/,
  },
  bulkAsksLater: {
    ...filter,
    what: 'fences that kept records out are asked for in a second request',
    found: /left out/,
  },
  bulkAppliedByFilter: {
    ...filter,
    units: ['a.update b1.match b2.match', 'b1.insert'],
    there: ['a', 'b2'],
    what: 'the redo has the filter, and not the records',
    found: /redo over/,
  },
  foreignSettled: {
    topic: 'two coordinators',
    units: ['a.update b.update', 'Z: z.update b.update'],
    there: ['a', 'z', 'b'],
    what: 'an application settles the fences of another coordinator, by its own journal',
    found: half,
  },
  readerAsksOneJournal: {
    topic: 'two coordinators',
    units: ['a.update b.update', 'Z: z.update c.fresh'],
    there: ['a', 'z', 'b'],
    reader: ['z', 'c'],
    what: 'a settled reader asks one of two journals',
    found: /reader/,
  },
  fenceInFlight: { ...flight, what: 'the fence is sent before the claim is acknowledged' },
  claimLetGo: {
    ...flight,
    what: 'the claim is let go before COMMIT (a savepoint rolled back, a transaction of its own)',
  },
  recordedBeforeReadBack: {
    ...flight,
    units: ['a.increment b.increment', 'b.update'],
    what: 'the redo of an increment is written before its fence was read back',
    found: /lost update/,
  },
} as const satisfies Record<string, Planted>;

export type SeveralMistake = keyof typeof SEVERAL_MISTAKES;
