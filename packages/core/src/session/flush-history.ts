/**
 * What a unit of work has flushed since its last commit: what each flush wrote, and how to undo it in memory. Savepoints
 * are positions in it.
 */
import { CommitPlan } from '../commit/commit-plan.js';
import type { Undo } from '../unit-of-work/settlement.js';

export class FlushHistory {
  readonly #flushes: { readonly undo: Undo; readonly plan: CommitPlan }[] = [];

  add(undo: Undo, plan: CommitPlan): void {
    this.#flushes.push({ undo, plan });
  }

  get count(): number {
    return this.#flushes.length;
  }

  /** Number of rows written. */
  get rows(): number {
    return this.#flushes.reduce((sum, { plan }) => sum + plan.rows, 0);
  }

  /** Names of the transaction domains written to. */
  get domains(): readonly string[] {
    return [...new Set(this.#flushes.flatMap(({ plan }) => plan.domains))];
  }

  /** Everything that was written, and what is to come. */
  plan(pending?: CommitPlan): CommitPlan {
    const sent = this.#flushes.flatMap(({ plan }) => plan.operations);
    return new CommitPlan([], pending?.notes, [...sent, ...(pending?.operations ?? [])]);
  }

  /** Undoes flushes in memory, the last one first. */
  undoTo(count: number): void {
    for (const { undo } of this.#flushes.splice(count).reverse()) undo();
  }

  /** Everything is committed: nothing is to be undone any more. */
  clear(): void {
    this.#flushes.length = 0;
  }
}
