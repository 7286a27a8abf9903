/**
 * Runs a callback as a unit of work: commits what it did, or rolls it back; does it again where a store asks for that
 * and nothing of the attempt is left anywhere; and stops at the caller's signal or time limit, whatever is under way.
 */
import type { Attribution } from '../audit/attribution.js';
import { RowsNeeded } from '../commit/across/rows-needed.js';
import { pause, untilAborted } from '../commit/waiting.js';
import type { IsolationLevel } from '../store/capabilities.js';
import { runInScope } from '../store/work-scope.js';
import { backOff, isRetryable, Obstacles, RETRIES } from './back-off.js';
import { Cancellation } from './cancellation.js';
import { type Environment, pinned } from './environment.js';
import { Work } from './work.js';

/** Options of a unit of work. */
export interface TransactionRunOptions extends Attribution {
  /** Default: that of the store. Throws `CapabilityError` where a store that is used does not have it. */
  readonly isolation?: IsolationLevel;
  /** Nothing may be written. Default: false. */
  readonly readOnly?: boolean;
  /** Limit on the whole unit of work, all attempts included, in milliseconds. Default: none. */
  readonly timeoutMs?: number;
  /** Ends the unit of work with a rollback. */
  readonly signal?: AbortSignal;
  /**
   * How often the callback is run again after an error that is worth it (`isRetryable`: serialization failures,
   * deadlocks, lost connections before COMMIT). Default: 3. What the callback does outside of stores is done again, too.
   */
  readonly retries?: number;
  /** `auto` (default): reads see pending changes, which are written before them. `commit`: they do not. */
  readonly flush?: 'auto' | 'commit';
  /**
   * Of a commit over several databases: `applied` (default) resolves when everything is written in every store, `decided`
   * when it is certain that it will be. `uow.receipt` tells which it was.
   */
  readonly await?: 'applied' | 'decided';
  /** How long `applied` is waited for, in milliseconds; after that the receipt says `pending`. Default: 10,000. */
  readonly awaitMs?: number;
  /** For messages about who holds what. */
  readonly label?: string;
}

export const AWAIT_MS = 10_000;

export async function runTransaction<R>(
  environment: Environment,
  options: TransactionRunOptions,
  callback: (work: Work) => Promise<R> | R,
): Promise<R> {
  const { retries = RETRIES, label = options.actor, timeoutMs, signal, isolation, readOnly, flush = 'auto' } = options;
  const attribution: Attribution = { actor: options.actor, reason: options.reason, from: options.from };
  const what = label === undefined ? 'The unit of work' : `The unit of work '${label}'`;
  const cancellation = new Cancellation({ signal, timeoutMs, what });
  try {
    const obstacles = new Obstacles(cancellation.signal, environment.engine);
    for (let attempt = 0, byRow = false; ; attempt++) {
      const work = new Work(pinned(environment), {
        mode: 'transaction',
        flush,
        isolation,
        readOnly,
        timeoutMs,
        label,
        signal: cancellation.signal,
        across: { await: options.await ?? 'applied', awaitMs: options.awaitMs ?? AWAIT_MS },
        byRow,
        ...attribution,
      });
      try {
        return await runOnce(environment, work, label, callback);
      } catch (error) {
        if (error instanceof RowsNeeded && work.canBeRepeated) {
          byRow = true;
          attempt -= 1;
          continue;
        }
        if (attempt >= retries || !isRetryable(error) || !work.canBeRepeated) throw error;
        if (await obstacles.cleared(error)) attempt -= 1;
        else await pause(backOff(attempt), cancellation.signal);
      }
    }
  } finally {
    cancellation.end();
  }
}

async function runOnce<R>(
  environment: Environment,
  work: Work,
  label: string | undefined,
  callback: (work: Work) => Promise<R> | R,
): Promise<R> {
  const { signal } = work.options;
  try {
    const running = environment.current.run(work.rootScope, () => runInScope(label, async () => callback(work)));
    const result = await untilAborted(running, signal);
    await environment.current.run(work.rootScope, () => runInScope(label, () => work.commit()));
    return result;
  } catch (error) {
    await work.rollback('rolled back', error);
    throw error;
  }
}
