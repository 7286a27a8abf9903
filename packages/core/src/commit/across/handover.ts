/**
 * Units of work that were decided here and that this process is not going to finish: a store refused its part, or did not
 * answer. They are handed over to the relays at once, which would otherwise leave them to this process until they have an
 * age at which it might have died. Many together, since a store that is down fails all of them. No commit waits for it,
 * and where it fails the age still holds.
 */
import type { CommitCoordinator } from '../../store/commit.js';
import { pause } from '../waiting.js';
import { failureText } from './failure-text.js';

/** Those that fail one after the other go together. */
const GATHER_MS = 50;
const BATCH = 500;
/** Limit on each request, in milliseconds. */
const CALL_MS = 5_000;

export class Handover {
  /** Why each unit of work failed that is still being applied in other stores, or waits to be handed over. */
  readonly #reasons = new Map<string, string>();
  /** Units of work by the reason. */
  #waiting = new Map<string | undefined, string[]>();
  #sending: Promise<void> | undefined;

  constructor(
    private readonly coordinator: CommitCoordinator,
    private readonly wake: () => void,
  ) {}

  /** A part of a unit of work could not be applied; others may be under way. */
  failed(unitOfWork: string, error: unknown): void {
    if (!this.#reasons.has(unitOfWork)) this.#reasons.set(unitOfWork, failureText(error));
  }

  /** This process is through with a unit of work that is not applied everywhere. */
  giveUp(unitOfWork: string): void {
    const reason = this.#reasons.get(unitOfWork);
    this.#reasons.delete(unitOfWork);
    if (this.coordinator.handOver === undefined) return;
    const alike = this.#waiting.get(reason);
    if (alike === undefined) this.#waiting.set(reason, [unitOfWork]);
    else alike.push(unitOfWork);
    this.#sending ??= this.#send();
  }

  /** Resolves when nothing waits to be handed over. Never rejects. */
  async end(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    try {
      do {
        await pause(GATHER_MS, undefined);
        const waiting = this.#waiting;
        this.#waiting = new Map();
        for (const [reason, units] of waiting) {
          for (let at = 0; at < units.length; at += BATCH) {
            await this.coordinator.handOver?.(units.slice(at, at + BATCH), reason, { timeoutMs: CALL_MS });
          }
        }
        this.wake();
      } while (this.#waiting.size > 0);
    } catch {
      // The coordinator does not answer either. Relays find by their age what was to be handed over.
      this.#waiting.clear();
    } finally {
      this.#sending = undefined;
    }
  }
}
