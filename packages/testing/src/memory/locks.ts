/**
 * Locks of the memory domain: one per row and per unique value, held to the end of a transaction, as a database does.
 * A wait ends with the holder, with the waiter's signal or limit, or with a deadlock found by walking who waits for whom.
 */
import { AbortedError, DeadlockError, TimeoutError } from '@storeweave/core';

export interface LockOwner {
  readonly label: string;
}

interface Held {
  readonly owner: LockOwner;
  readonly released: Promise<void>;
  readonly release: () => void;
}

export class LockTable {
  readonly #held = new Map<string, Held>();
  readonly #names = new Map<LockOwner, Set<string>>();
  readonly #waiting = new Map<LockOwner, LockOwner>();

  /** Takes the lock, waiting for its holder; a lock that the owner has is taken at once. */
  async take(name: string, owner: LockOwner, wait: { signal?: AbortSignal; timeoutMs?: number }): Promise<void> {
    for (let held = this.#held.get(name); held !== undefined; held = this.#held.get(name)) {
      if (held.owner === owner) return;
      this.#refuseCycle(owner, held.owner);
      this.#waiting.set(owner, held.owner);
      try {
        await bounded(held.released, wait, held.owner.label);
      } finally {
        this.#waiting.delete(owner);
      }
    }
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#held.set(name, { owner, released, release });
    const names = this.#names.get(owner);
    if (names === undefined) this.#names.set(owner, new Set([name]));
    else names.add(name);
  }

  /** Everybody who has a lock. */
  owners(): readonly LockOwner[] {
    return [...this.#names.keys()];
  }

  /** Names of the locks that an owner has. */
  namesOf(owner: LockOwner): readonly string[] {
    return [...(this.#names.get(owner) ?? [])];
  }

  releaseAll(owner: LockOwner): void {
    for (const name of this.#names.get(owner) ?? []) {
      const held = this.#held.get(name);
      this.#held.delete(name);
      held?.release();
    }
    this.#names.delete(owner);
  }

  #refuseCycle(owner: LockOwner, holder: LockOwner): void {
    for (let at: LockOwner | undefined = holder; at !== undefined; at = this.#waiting.get(at)) {
      if (at === owner)
        throw new DeadlockError(
          `Deadlock: ${owner.label} and ${holder.label} wait for each other's rows; ${owner.label} was ended. Do the unit of work again.`,
        );
    }
  }
}

async function bounded(
  released: Promise<void>,
  wait: { signal?: AbortSignal; timeoutMs?: number },
  holder: string,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort: (() => void) | undefined;
  const ends: Promise<void>[] = [released];
  if (wait.timeoutMs !== undefined) {
    const limit = wait.timeoutMs;
    ends.push(
      new Promise((_, reject) => {
        timer = setTimeout(
          () =>
            reject(
              new TimeoutError(`Waited ${limit} ms for a row that ${holder} holds. Raise timeoutMs or end ${holder}.`),
            ),
          limit,
        );
      }),
    );
  }
  const { signal } = wait;
  if (signal !== undefined) {
    ends.push(
      new Promise((_, reject) => {
        onAbort = () => reject(new AbortedError('The signal ended a wait for a row.', { cause: signal.reason }));
        if (signal.aborted) onAbort();
        else signal.addEventListener('abort', onAbort, { once: true });
      }),
    );
  }
  try {
    await Promise.race(ends);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}
