/**
 * Calls of many units of work on one store, put together. The first is sent at once; those that come while it is
 * under way wait for its answer and then go in one request. A unit of work that is alone never waits, and the more there
 * are, the fewer requests each of them costs.
 */
import { AsyncResource } from 'node:async_hooks';
import { abortError, throwIfAborted } from '../waiting.js';

/** A request that takes longer, in milliseconds, is not waited for: others must not wait for the lock that it waits for. */
const SLOW_MS = 50;
/** Calls in one request at most. */
const MOST = 100;

interface Waiting<T, R> {
  readonly item: T;
  settle(outcome: PromiseSettledResult<R>): void;
}

export class Gathered<T, R> {
  readonly #waiting = new Set<Waiting<T, R>>();
  /** Whoever's call comes first, it is made on nobody's behalf. */
  readonly #nobody = new AsyncResource('storeweave.gathered');
  #isUnderWay = false;

  /** `send` gives an outcome for each item, in their order. What it throws is the outcome of all. */
  constructor(private readonly send: (items: readonly T[]) => Promise<readonly PromiseSettledResult<R>[]>) {}

  /** The outcome of this item. With the signal it is taken back if it was not sent yet, and no longer waited for if it was. */
  async add(item: T, signal?: AbortSignal): Promise<R> {
    throwIfAborted(signal);
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiting.delete(waiting);
        if (signal !== undefined) reject(abortError(signal));
      };
      const waiting: Waiting<T, R> = {
        item,
        settle: (outcome) => {
          signal?.removeEventListener('abort', stop);
          if (outcome.status === 'fulfilled') resolve(outcome.value);
          else reject(outcome.reason);
        },
      };
      signal?.addEventListener('abort', stop, { once: true });
      this.#waiting.add(waiting);
      this.#next();
    });
  }

  #next(): void {
    if (this.#waiting.size === 0 || this.#isUnderWay) return;
    const taken = [...this.#waiting].slice(0, MOST);
    for (const each of taken) this.#waiting.delete(each);
    this.#isUnderWay = true;
    this.#nobody.runInAsyncScope(() => void this.#run(taken));
  }

  async #run(taken: readonly Waiting<T, R>[]): Promise<void> {
    let isWaitedFor = true;
    const leave = () => {
      if (!isWaitedFor) return;
      isWaitedFor = false;
      this.#isUnderWay = false;
      this.#next();
    };
    const slow = setTimeout(leave, SLOW_MS);
    const all = (outcome: PromiseSettledResult<R>) => taken.map(() => outcome);
    const outcomes = await this.send(taken.map(({ item }) => item)).catch((reason: unknown) =>
      all({ status: 'rejected', reason }),
    );
    clearTimeout(slow);
    for (const [at, each] of taken.entries()) {
      const outcome = outcomes[at];
      each.settle(outcome ?? { status: 'rejected', reason: new RangeError('A call was given no outcome.') });
    }
    leave();
  }
}
