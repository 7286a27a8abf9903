/**
 * What a unit of work has flushed since its last commit: what each flush wrote, and how to undo it in memory. Savepoints
 * are positions in it.
 */
import { CommitPlan } from '../commit/commit-plan.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Undo } from '../unit-of-work/settlement.js';

export class FlushHistory {
  readonly #flushes: { readonly undo: Undo; readonly plan: CommitPlan }[] = [];

  /** Only forgotten with everything else: a savepoint may have taken it back. */
  readonly #passed = new Set<EntityModel>();

  add(undo: Undo, plan: CommitPlan): void {
    this.#flushes.push({ undo, plan });
  }

  /** Notes that rows of an entity were written past the flushes. */
  pass(entity: EntityModel): void {
    this.#passed.add(entity);
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
    const passed = [...this.#passed].map(({ name }) => `${name} was written to by filter, in bulk or by statement.`);
    return new CommitPlan([], [...passed, ...(pending?.notes ?? [])], [...sent, ...(pending?.operations ?? [])]);
  }

  /** Undoes flushes in memory, the last one first. */
  undoTo(count: number): void {
    for (const { undo } of this.#flushes.splice(count).reverse()) undo();
  }

  /** Everything is committed: nothing is to be undone any more. */
  clear(): void {
    this.#flushes.length = 0;
    this.#passed.clear();
  }
}
