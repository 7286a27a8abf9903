/**
 * The calls of a commit across several transaction domains (`docs/guarantees.md`). One store coordinates: its transaction
 * decides. The others take part in one of three ways, which `capabilities.commit` declares:
 *  - `fence`: each row is given a durable mark, its fence, before the decision, and installed after it.
 *  - `prepare`: the store's own transaction is prepared (XA, `PREPARE TRANSACTION`) before the decision.
 *  - `append`: rows that are only ever added and that nothing else writes; they are written after the decision.
 * Whoever meets a fence asks the coordinator that it names, so nothing here may depend on who is alive.
 */
import type { Access, Transaction } from './access.js';
import type { WriteBatch } from './write.js';

/** Names a unit of work and who decides it; kept in every fence. */
export interface FenceOwner {
  /** Id of one attempt of a unit of work: a UUID that no other attempt ever has. */
  readonly unitOfWork: string;
  /** Logical name of the store that decides. */
  readonly coordinator: string;
}

/** What became of a request for fences. */
export interface FenceOutcome {
  /** Rows to change or delete that are not there or have another version: position of the batch, and in it. */
  readonly missed: readonly { readonly batch: number; readonly row: number }[];
  /** Whose fences stand on rows that were asked for, each once. */
  readonly held: readonly FenceOwner[];
}

/** What a unit of work is to do in one store. */
export interface UnitPart {
  readonly owner: FenceOwner;
  readonly batches: readonly WriteBatch[];
}

/** A store beside the coordinator. Batches have one row for each key in all; `returning` and `onConflict` never occur. */
export interface CommitParticipant {
  /**
   * With `fence`: puts a fence on every row, each an atomic compare-and-set ("is there, has this version, no fence"),
   * acknowledged as durable. A new row is written as a placeholder that no read shows and that holds its key and unique
   * values; an update reserves new unique values in the same way. An update without fields only guards its row. Throws
   * what an ordinary write would throw (unique, check, …). Not all or nothing: the core takes off what was put up.
   * Never sent again by the store itself where the answer is lost.
   */
  fence?(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<FenceOutcome>;
  /**
   * The same for several units of work in as few requests as the store can: what a busy worker calls. An outcome for each,
   * in the order given: none may fail for another, or be let through. What it throws is the failure of all.
   */
  fenceMany?(units: readonly UnitPart[], access: Access): Promise<readonly PromiseSettledResult<FenceOutcome>[]>;
  /** Installs what was fenced and clears the fences, each row only where the fence is this owner's. Idempotent, durable. */
  apply?(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void>;
  /**
   * The same for several decided units of work in as few requests as the store can: what a relay with a backlog calls, and
   * a busy worker. Resolves when all of them are durable. Where it throws, any of them may have been applied and none is
   * known to be: the core calls again with fewer at a time, down to one, so that none fails for another. Each row is in
   * the batches of one unit at most that still has its fence. Absent: `apply` is called for each.
   */
  applyMany?(units: readonly UnitPart[], access: Access): Promise<void>;
  /** Clears this owner's fences and placeholders, whatever of them is there. Idempotent, durable. */
  unfence?(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void>;
  /** Clears every fence of an owner, without being told where they are. */
  unfenceAll?(owner: FenceOwner, access: Access): Promise<void>;
  /** Owners of the fences and prepared transactions that are there, in any order. */
  owners?(limit: number, access: Access): Promise<readonly FenceOwner[]>;

  /** With `prepare`: ends the transaction so that it outlives its connection and server, and can still go either way. */
  prepare?(owner: FenceOwner, transaction: Transaction): Promise<void>;
  /** Ends what was prepared. Idempotent: resolves where it is over already. */
  finish?(owner: FenceOwner, outcome: 'commit' | 'rollback', access: Access): Promise<void>;

  /** With `append`: throws what writing these rows would throw, as far as it can be known, without writing. */
  check?(batches: readonly WriteBatch[], access: Access): Promise<void>;
}

/** One decided unit of work: enough to finish it at any later time, by anybody. */
export interface JournalRow {
  readonly unitOfWork: string;
  /** What is to be applied where; made and read by the core. */
  readonly redo: string;
}

/** A journal row as the relay sees it. */
export interface OpenUnit extends JournalRow {
  /** How often applying it has failed; a relay counts up to 10. */
  readonly attempts: number;
  /** Of the last failure. */
  readonly error?: string;
  /** True for a dead letter: it is not tried again unless told to. */
  readonly dead: boolean;
  /** Applied everywhere, or discarded. Absent means not; `open` gives no such row. */
  readonly done?: boolean;
  /** Since the decision, in milliseconds, by the coordinator's clock. For people and back-off; nothing is decided by it. */
  readonly ageMs: number;
  /** In answers of `open`: where it stands among them, in the store's own words. */
  readonly place?: string;
}

/** The journal in numbers. */
export interface JournalStats {
  /** Not done, without the dead letters. */
  readonly open: number;
  readonly dead: number;
  /** Age of the oldest open row; undefined where there is none. */
  readonly oldestMs?: number;
  /** Open and dead ones that could not be applied at least once. */
  readonly retried: number;
  /** How often applying these failed, all together, since they were decided or last given back. */
  readonly attempts: number;
}

/** The store whose transaction decides. */
export interface CommitCoordinator {
  /** Makes the place of the journal where it is missing. Idempotent. */
  setUp(access: Access): Promise<void>;
  /** Inside the deciding transaction, before any fence is sent: takes the claim, which is held until that transaction is over. */
  claim(unitOfWork: string, access: Access): Promise<void>;
  /** Inside the deciding transaction: writes the journal row. */
  record(row: JournalRow, access: Access): Promise<void>;
  /**
   * Writes the journal row and commits the transaction, for stores that can do both in one request: `record` and
   * `Transaction.commit` in one, with what either of them throws. The transaction is over afterwards, as after a commit.
   */
  decide?(row: JournalRow, access: Access): Promise<void>;
  /**
   * Waits until the deciding transaction is over, in whatever way, and then tells, by a statement begun afterwards, what
   * the journal says. Undefined: it was not decided, and never will be. Throws `TimeoutError` past `access.timeoutMs`.
   */
  resolve(unitOfWork: string, access: Access): Promise<JournalRow | undefined>;
  /**
   * Decided units of work that are not done, those first that failed least often, and of these the oldest: what cannot be
   * applied at present must not stand in the way of the rest. `minAgeMs` leaves those out that their own worker is still at.
   */
  open(query: OpenQuery, access: Access): Promise<readonly OpenUnit[]>;
  /** One row, done or not; undefined where there is none. */
  find(unitOfWork: string, access: Access): Promise<OpenUnit | undefined>;
  /** Notes that applying failed; `dead` takes them out of the relay's hands. `attempts` of 0 gives them back. Not what is done. */
  note(unitsOfWork: readonly string[], failure: Failure, access: Access): Promise<void>;
  /** Applied everywhere, durably: no longer open. The row stays until `prune`. */
  done(unitsOfWork: readonly string[], access: Access): Promise<void>;
  /** Deletes rows of units of work that are applied everywhere, durably, and whose own process knows so: nobody will ask. */
  forget(unitsOfWork: readonly string[], access: Access): Promise<void>;
  /** Deletes rows that are done. */
  prune(unitsOfWork: readonly string[], access: Access): Promise<void>;
  /** Units of work that are done and not pruned. */
  doneUnits(limit: number, access: Access): Promise<readonly string[]>;
  stats(access: Access): Promise<JournalStats>;
  /**
   * Their own process gives these up, because of this error: those that nobody has noted anything about get one attempt,
   * and whoever watches is told. Not what is done, a dead letter, or noted already. Absent: relays find them by their age.
   */
  handOver?(unitsOfWork: readonly string[], error: string | undefined, access: Access): Promise<void>;
  /**
   * Calls `wake` when something is left to relays: by `handOver`, or by `note` with `attempts` of 0, in this process or any
   * other. May call it in vain, and may miss some: nobody relies on it. Resolves when it watches, or cannot at present and
   * keeps trying; never rejects. Absent: relays look from time to time, which they do anyway.
   */
  watch?(wake: () => void): Promise<JournalWatch>;
}

/** Somebody who waits for something to be left to relays. */
export interface JournalWatch {
  /** `wake` is not called any more. Never rejects. */
  stop(): Promise<void>;
}

/** How applying a unit of work failed. */
export interface Failure extends Noted {
  readonly error?: string;
  /** Noted only where the row still says this; what somebody else noted meanwhile stays. Default: over whatever it says. */
  readonly over?: Noted;
}

/** What the journal said of a unit of work when somebody looked. */
export interface Noted {
  readonly attempts: number;
  readonly dead: boolean;
}

export interface OpenQuery {
  /** At most. A store may give fewer where they are large, so that an answer fits into memory; at least one, if one is open. */
  readonly limit: number;
  /** Since the decision, by the coordinator's clock. Default: 0. */
  readonly minAgeMs?: number;
  /** True: the dead letters instead of the others. Default: false. */
  readonly dead?: boolean;
  /** Only those that failed at least and at most as often. */
  readonly attempts?: { readonly min: number; readonly max?: number };
  /**
   * Those behind this one, which an answer to the same query gave: a journal is walked in pages, however many are open
   * and whatever becomes of them meanwhile. Those whose attempts are changed are found at their new place.
   */
  readonly after?: OpenUnit;
}
