/**
 * The calls of a commit across several transaction domains (`docs/architecture.md`, "The commit"). A store declares
 * which it has in `capabilities.commit`; a store with none takes part only in units of work of its own domain.
 */
import type { Access, Transaction } from './access.js';
import type { WriteBatch } from './write.js';

/** Names a unit of work and the coordinator that decides it; kept in every fence. */
export interface FenceOwner {
  readonly unitOfWork: string;
  readonly coordinator: string;
}

/** One row of the coordinator's journal: enough to finish a decided unit of work at any later time. */
export interface JournalRow {
  readonly unitOfWork: string;
  /** Per store: the batches to apply, encoded by the core. */
  readonly redo: Uint8Array;
}

export interface CommitParticipant {
  /** Coordinator: opens the transaction that will decide and takes the claim lock, before any fence is sent. */
  claim?(unitOfWork: string, access: Access): Promise<Transaction>;
  /** Coordinator: writes the journal row inside the claimed transaction. */
  journal?(row: JournalRow, access: Access): Promise<void>;
  /** Participant: durable compare-and-set of a fence on every key of the batches; all or nothing. */
  fence?(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void>;
  /** Participant: installs what was fenced, guarded by the fence alone, and clears it. Idempotent. */
  apply?(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void>;
  /** Participant: clears the fences of a unit of work that was not decided. Idempotent. */
  unfence?(owner: FenceOwner, batches: readonly WriteBatch[], access: Access): Promise<void>;
  /** Coordinator: takes the claim lock, so that the deciding transaction is over, then tells what the journal says. */
  resolve?(unitOfWork: string, access: Access): Promise<JournalRow | undefined>;
}
