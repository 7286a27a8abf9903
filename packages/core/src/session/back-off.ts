/** When to do a unit of work again, and how long to wait before it. */
import type { CommitEngine } from '../commit/across/engine.js';
import { pause } from '../commit/waiting.js';
import { EntityMovingError, FencedError } from '../errors/errors.js';
import { StoreweaveError } from '../errors/storeweave-error.js';

/** Attempts after the first, unless the caller says otherwise. */
export const RETRIES = 3;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;

export function isRetryable(error: unknown): boolean {
  return error instanceof StoreweaveError && error.isRetryable;
}

/** How often one thing gives way to others whose fences it meets. */
export const FENCED_ATTEMPTS = 20;

/**
 * What one attempt after the other meets on its way, and waits for: a move of an entity, or another unit of work between
 * its fences and their end. Neither is a failure of the attempt, so neither counts as one.
 */
export class Obstacles {
  #fences = 0;

  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly engine?: CommitEngine,
  ) {}

  /** Resolves when it is out of the way; with false for any other error, and where fences were met too often. */
  async cleared(error: unknown): Promise<boolean> {
    const { signal } = this;
    if (error instanceof EntityMovingError) {
      await error.settled(signal);
      return true;
    }
    if (!(error instanceof FencedError) || this.#fences === FENCED_ATTEMPTS) return false;
    await this.engine?.settle(error.owners, { ...(signal && { signal }) });
    await pause(backOff(this.#fences++), signal);
    return true;
  }
}

/** Grows from attempt to attempt, and is never the same for two that collided. */
export function backOff(attempt: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  return longest * (0.5 + Math.random() / 2);
}
