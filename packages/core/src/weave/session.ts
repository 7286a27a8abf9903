/** A unit of work by hand: for a conversation longer than one callback, such as a script or an editor. */
import type { Receipt } from '../session/receipt.js';
import type { Work } from '../session/work.js';
import { runInScope } from '../store/work-scope.js';
import type { Running } from './running.js';
import { Unit } from './unit.js';

/**
 * Reads stand alone, each committed by itself; changes are kept until `commit()` writes all of them in one transaction.
 *
 * ```ts
 * await using session = weave.session();
 * const user = await session.repository(User).findById(id);
 * user.name = 'Ada';
 * await session.commit();
 * ```
 */
export class Session extends Unit implements AsyncDisposable {
  readonly #running: Running;

  constructor(work: Work, running: Running) {
    super(work);
    this.#running = running;
  }

  /**
   * Writes everything that changed since the last commit, all or nothing. The session can go on afterwards. If it fails,
   * nothing was written and the entities keep their changes, so that it can be tried again.
   */
  commit(): Promise<Receipt> {
    const { work } = this;
    return this.#running.track('a commit', () =>
      work.environment.current.run(work.rootScope, () =>
        runInScope(work.options.label, () => work.commitWithRetries()),
      ),
    );
  }

  /** Forgets everything that was not committed, and every entity; the session starts over. */
  async rollback(): Promise<void> {
    await this.work.abandon();
  }

  /** Ends the session. What was not committed is lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.work.rollback('abandoned');
  }
}
