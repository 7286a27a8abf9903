/** The unit of work inside `weave.transaction`. */
import { runNested } from '../session/nested.js';
import { Unit } from './unit.js';

/**
 * Everything between the beginning and the end of a transaction: what it reads is known once, what changes is written
 * together.
 *
 * ```ts
 * await weave.transaction(async (uow) => {
 *   const user = await uow.repository(User).findOneOrFail({ where: { email } });
 *   user.name = 'Ada';                       // found by itself, written at the commit
 *   uow.create(Post, { author: user, title: 'First' });
 * });
 * ```
 */
export class UnitOfWork extends Unit {
  /** Writes what is pending now; it is still undone if the transaction fails. Stores without transactions wait for the commit. */
  async flush(): Promise<void> {
    await this.work.flush();
  }

  /**
   * Runs a part that can fail by itself: if `callback` throws, what it did is undone, in the stores and on the entities,
   * and the transaction goes on. Needs savepoints; throws `CapabilityError` where a store that is used has none.
   */
  transaction<R>(callback: (uow: UnitOfWork) => Promise<R> | R): Promise<R> {
    return runNested(this.work, async () => callback(this));
  }
}
