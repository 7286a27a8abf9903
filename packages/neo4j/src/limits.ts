/** Waits for the server that end with the caller's signal or time limit, whether the server answers or not. */
import { AbortedError, StoreweaveError, TimeoutError } from '@storeweave/core';

export interface Limits {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** The result of `work`, or the error of the limit that came first; `onLimit` then ends what is still under way. */
export async function limited<R>(
  { signal, timeoutMs }: Limits,
  work: Promise<R>,
  onLimit: (error: StoreweaveError) => void,
): Promise<R> {
  if (signal === undefined && timeoutMs === undefined) return work;
  // Its own end is nobody's concern where a limit came first.
  work.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const limit = new Promise<never>((_, reject) => {
    const end = (error: StoreweaveError) => {
      onLimit(error);
      reject(error);
    };
    if (timeoutMs !== undefined) timer = setTimeout(() => end(timedOut(timeoutMs)), timeoutMs);
    if (signal !== undefined) {
      onAbort = () => end(abortedBy(signal));
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    }
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}

export function timedOut(timeoutMs: number): TimeoutError {
  return new TimeoutError(`The time limit of ${timeoutMs} ms passed, and what was under way in Neo4j was ended.`);
}

export function abortedBy(signal: AbortSignal): StoreweaveError {
  if (signal.reason instanceof StoreweaveError) return signal.reason;
  return new AbortedError('The signal ended what was under way in Neo4j.', { cause: signal.reason });
}
