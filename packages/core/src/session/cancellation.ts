/**
 * When to stop waiting: the caller's `AbortSignal` and a limit of time as one signal, whose reason is the error to throw.
 * Whoever awaits a store, a turn or a back-off does it through here.
 */
import { setMaxListeners } from 'node:events';
import { AbortedError, TimeoutError } from '../errors/errors.js';
import { StoreweaveError } from '../errors/storeweave-error.js';

export interface CancellationOptions {
  readonly signal?: AbortSignal;
  /** In milliseconds. */
  readonly timeoutMs?: number;
  /** What is limited, for the message. */
  readonly what: string;
}

export class Cancellation {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #forget: () => void = () => {};

  constructor(options: CancellationOptions) {
    const { signal, timeoutMs, what } = options;
    // Every call of a unit of work listens, and any number of them may wait at the same time.
    setMaxListeners(0, this.#controller.signal);
    if (signal?.aborted === true) this.#controller.abort(abortError(signal));
    else if (signal !== undefined) {
      const abort = () => this.#controller.abort(abortError(signal));
      signal.addEventListener('abort', abort, { once: true });
      this.#forget = () => signal.removeEventListener('abort', abort);
    }
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => {
        this.#controller.abort(new TimeoutError(`${what} took longer than its limit of ${timeoutMs} ms.`));
      }, timeoutMs);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** To be called when nothing is waited for any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#forget();
  }
}

/** What to throw for a signal that was aborted: its reason where that is an error of ours. */
export function abortError(signal: AbortSignal): StoreweaveError {
  const reason: unknown = signal.reason;
  if (reason instanceof StoreweaveError) return reason;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return new TimeoutError(`The caller's time limit passed: ${reason.message}`, { cause: reason });
  }
  return new AbortedError(`The caller's AbortSignal ended the operation.`, { cause: reason });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

/** The result of `work`, or the signal's error as soon as it is aborted. The work itself is left to its own end. */
export async function untilAborted<R>(work: Promise<R>, signal: AbortSignal | undefined): Promise<R> {
  if (signal === undefined) return work;
  // Its error is not lost where the signal came first: nobody else is left to see it.
  work.catch(() => {});
  throwIfAborted(signal);
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(abortError(signal));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}

/** One signal for two; undefined for none. */
export function eitherSignal(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  if (a === undefined || b === undefined || a === b) return a ?? b;
  return AbortSignal.any([a, b]);
}

/** Waits, unless the signal comes first. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await untilAborted(
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      }),
      signal,
    );
  } finally {
    clearTimeout(timer);
  }
}
