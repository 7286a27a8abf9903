/** When to do a unit of work again, and how long to wait before it. */
import type { CommitEngine } from '../commit/across/engine.js';
import { EntityMovingError, FencedError } from '../errors/errors.js';
import { StoreweaveError } from '../errors/storeweave-error.js';

/** Attempts after the first, unless the caller says otherwise. */
export const RETRIES = 3;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;

export function isRetryable(error: unknown): boolean {
  return error instanceof StoreweaveError && error.isRetryable;
}

/**
 * Waits for what was met on the way to be over, where the error is about that: a move of an entity, or another unit of
 * work between its fences and their end. Only the first is no failure to be counted: it ends by itself.
 */
export async function isSettled(
  error: unknown,
  signal: AbortSignal | undefined,
  engine?: CommitEngine,
): Promise<boolean> {
  if (error instanceof FencedError) await engine?.settle(error.owners, { ...(signal && { signal }) });
  if (!(error instanceof EntityMovingError)) return false;
  await error.settled(signal);
  return true;
}

/** Grows from attempt to attempt, and is never the same for two that collided. */
export function backOff(attempt: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  return longest * (0.5 + Math.random() / 2);
}
