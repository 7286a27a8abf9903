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

/** One signal for two; undefined for none. */
export function eitherSignal(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  if (a === undefined || b === undefined || a === b) return a ?? b;
  return AbortSignal.any([a, b]);
}
