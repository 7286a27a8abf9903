/**
 * Waits that end with a signal. Whatever the core awaits from a store, a turn or a timer goes through here, so that a
 * caller gets its error in time, whether the other side minds the signal or not.
 */
import { AbortedError, TimeoutError } from '../errors/errors.js';
import { StoreweaveError } from '../errors/storeweave-error.js';

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

/** How long a rollback is waited for; a store that does not answer must not keep the caller from its error. */
const ROLLBACK_MS = 2_000;

/** Waits for something to end, however it ends, but not for ever. */
export async function withinReason(work: Promise<unknown> | undefined, ms = ROLLBACK_MS): Promise<void> {
  if (work === undefined) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}
