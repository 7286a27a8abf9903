/**
 * Finishes decided units of work whose own process did not: it died, or a store did not answer. Any number of relays may
 * run, in the application's processes and in ones of their own. Looks from time to time, and at once where the coordinator
 * tells that something is left to relays. What fails is tried again with a growing pause; what can never succeed becomes a
 * dead letter, for a person. Also takes off fences whose unit of work was never decided.
 */
import type { JournalWatch } from '../../store/commit.js';
import type { Finisher } from './finisher.js';
import type { DrainReport } from './report.js';
import type { CommitSteps } from './steps.js';
import { CALL_MS, MOST_ATTEMPTS, Sweep } from './sweep.js';
import type { Coordination } from './topology.js';

/** Options of a relay. */
export interface RelayOptions {
  /** Between two looks at the journal where there is nothing to do, in milliseconds. Default: 1,000. */
  readonly intervalMs?: number;
  /** Units of work younger than this are left to their own process, unless it hands them over, in milliseconds. Default: 2,000. */
  readonly minAgeMs?: number;
  /** Between two searches for fences without a decision, in milliseconds. Default: 60,000. */
  readonly scrubMs?: number;
}

/** Owners of fences that are looked at in one turn, in each store. */
const BATCH = 500;
const LONGEST_PAUSE_MS = 60_000;
/** Within this, in milliseconds, relays begin that are woken together: the first ones leave nothing to the others. */
const WAKE_SPREAD_MS = 150;
/** Done rows of others that are looked at in one turn of upkeep. */
const PRUNED_AT_ONCE = 10_000;
/** How long rows of others stay after they are done: their own process may still ask what became of them. */
const KEEP_DONE_MS = 600_000;

export class Relay {
  readonly #options: Required<RelayOptions>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  #isStopped = true;
  #watch: Promise<JournalWatch> | undefined;
  /** Told that something is left to relays, and has not looked since. */
  #isWoken = false;
  /** From when on being told makes it look at once. */
  #listensFrom = 0;
  #scrubbed = performance.now();
  /** When those are tried again that failed so often. By this process's own clock, which only runs forward. */
  readonly #notBefore: number[] = [];
  /** When a row of somebody else was first seen done. */
  readonly #seenDone = new Map<string, number>();

  constructor(
    private readonly coordination: Coordination,
    private readonly finisher: Finisher,
    private readonly steps: CommitSteps,
    private readonly isUnderWay: (unitOfWork: string) => boolean,
    options: RelayOptions = {},
  ) {
    const { intervalMs = 1_000, minAgeMs = 2_000, scrubMs = 60_000 } = options;
    this.#options = { intervalMs, minAgeMs, scrubMs };
  }

  start(): void {
    this.#isStopped = false;
    this.#plan(this.#options.intervalMs);
    this.#watch = this.coordination.coordinator.watch?.(() => this.wake());
  }

  /** Looks soon, and not only when the interval is over. Does nothing unless started. */
  wake(): void {
    if (this.#isStopped || this.#isWoken) return;
    this.#isWoken = true;
    if (this.#running === undefined) this.#plan(this.#options.intervalMs);
  }

  /** Lets a round that is under way end, and begins no other. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    await (await this.#watch)?.stop();
  }

  /** Finishes all that is open and takes off fences without a decision, until nothing is left that can be done now. */
  async drain(): Promise<DrainReport> {
    let finished = 0;
    let sweep: Sweep;
    do {
      sweep = await this.#sweep(0, () => true);
      finished += sweep.finished;
    } while (sweep.finished > 0);
    let scrub: DrainReport;
    do {
      scrub = await this.finisher.scrub(BATCH, this.isUnderWay, { timeoutMs: CALL_MS });
    } while (scrub.finished >= BATCH);
    const failed = sweep.failed + scrub.failed;
    return { finished, failed, ...(failed > 0 && { error: sweep.error ?? scrub.error }) };
  }

  #plan(ms: number): void {
    clearTimeout(this.#timer);
    const jittered = ms * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(
      () => {
        this.#running = this.#round();
      },
      this.#isWoken ? Math.min(jittered, this.#wakeMs()) : jittered,
    );
    // It must not keep a process alive that has nothing else to do.
    this.#timer.unref();
  }

  /** A store that is down wakes relays often. Nor before those are due that have failed once, as what is handed over has. */
  #wakeMs(): number {
    const due = Math.max(this.#notBefore[1] ?? 0, this.#listensFrom) - performance.now();
    return Math.max(0, Math.ceil(due)) + Math.random() * WAKE_SPREAD_MS;
  }

  async #round(): Promise<void> {
    const pause = await this.#once();
    this.#running = undefined;
    if (!this.#isStopped) this.#plan(pause);
  }

  /** Returns how long to wait before the next time. Never rejects. */
  async #once(): Promise<number> {
    if (this.#isWoken) this.#listensFrom = performance.now() + pauseAfter(1);
    this.#isWoken = false;
    let pause = this.#options.intervalMs;
    try {
      const { finished } = await this.#sweep(this.#options.minAgeMs, (attempts) => this.#isDue(attempts));
      if (finished > 0) pause = 0;
      else await this.#upkeep();
    } catch {
      // The coordinator does not answer: there is nothing to do but to ask again.
    }
    return pause;
  }

  /**
   * Those first that failed most often, and then those that never did: whatever fails now is one of those that had their
   * turn. Only the latter may still be at their own process's hands.
   */
  async #sweep(minAgeMs: number, isDue: (attempts: number) => boolean): Promise<Sweep> {
    const { coordinator } = this.coordination;
    const sweep = new Sweep(this.coordination, this.finisher, this.steps, this.isUnderWay);
    const [failed] = await coordinator.open({ limit: 1, attempts: { min: 1 } }, { timeoutMs: CALL_MS });
    for (let min = failed === undefined ? 0 : MOST_ATTEMPTS; min > 0; min--) {
      if (isDue(min)) await sweep.run({ attempts: min === MOST_ATTEMPTS ? { min } : { min, max: min } });
    }
    await sweep.run({ minAgeMs, attempts: { min: 0, max: 0 } });
    return sweep;
  }

  /** Once in the pause that is due after so many failures. */
  #isDue(attempts: number): boolean {
    const now = performance.now();
    if (now < (this.#notBefore[attempts] ?? 0)) return false;
    this.#notBefore[attempts] = now + pauseAfter(attempts);
    return true;
  }

  async #upkeep(): Promise<void> {
    const now = performance.now();
    if (now - this.#scrubbed < this.#options.scrubMs) return;
    this.#scrubbed = now;
    await this.finisher.scrub(BATCH, this.isUnderWay, { timeoutMs: CALL_MS });
    const done = await this.coordination.coordinator.doneUnits(PRUNED_AT_ONCE, { timeoutMs: CALL_MS });
    const isDone = new Set(done);
    for (const unitOfWork of [...this.#seenDone.keys()]) if (!isDone.has(unitOfWork)) this.#seenDone.delete(unitOfWork);
    for (const unitOfWork of done) if (!this.#seenDone.has(unitOfWork)) this.#seenDone.set(unitOfWork, now);
    const old = done.filter((unitOfWork) => now - (this.#seenDone.get(unitOfWork) ?? now) > KEEP_DONE_MS);
    if (old.length > 0) await this.coordination.coordinator.prune(old, { timeoutMs: CALL_MS });
  }
}

function pauseAfter(attempts: number): number {
  return Math.min(LONGEST_PAUSE_MS, 500 * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random() / 2);
}
