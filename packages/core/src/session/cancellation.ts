/**
 * When to stop waiting: the caller's `AbortSignal` and a limit of time as one signal, whose reason is the error to throw.
 */
import { setMaxListeners } from 'node:events';
import { abortError } from '../commit/waiting.js';
import { TimeoutError } from '../errors/errors.js';

export interface CancellationOptions {
  readonly signal?: AbortSignal;
  /** In milliseconds. */
  readonly timeoutMs?: number;
  /** What is limited, for the message. */
  readonly what: string;
}

export class Cancellation {
  /** Absent where nothing can end the wait: a signal costs every call of the unit of work something. */
  readonly #controller: AbortController | undefined;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #forget: () => void = () => {};

  constructor(options: CancellationOptions) {
    const { signal, timeoutMs, what } = options;
    if (signal === undefined && timeoutMs === undefined) return;
    const controller = new AbortController();
    this.#controller = controller;
    // Every call of a unit of work listens, and any number of them may wait at the same time.
    setMaxListeners(0, controller.signal);
    if (signal?.aborted === true) controller.abort(abortError(signal));
    else if (signal !== undefined) {
      const abort = () => controller.abort(abortError(signal));
      signal.addEventListener('abort', abort, { once: true });
      this.#forget = () => signal.removeEventListener('abort', abort);
    }
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => {
        controller.abort(new TimeoutError(`${what} took longer than its limit of ${timeoutMs} ms.`));
      }, timeoutMs);
    }
  }

  /** Undefined where nothing was given that could end the wait. */
  get signal(): AbortSignal | undefined {
    return this.#controller?.signal;
  }

  /** To be called when nothing is waited for any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#forget();
  }
}

/** One signal for two; undefined for none. */
export function eitherSignal(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  if (a === undefined || b === undefined || a === b) return a ?? b;
  return AbortSignal.any([a, b]);
}
