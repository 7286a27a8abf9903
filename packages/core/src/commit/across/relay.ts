/**
 * Finishes decided units of work whose own process did not: it died, or a store did not answer. Any number of relays may
 * run, in the application's processes and in ones of their own. What fails is tried again with a growing pause; what can
 * never succeed becomes a dead letter, for a person. Also takes off fences whose unit of work was never decided.
 */
import {
  CheckViolationError,
  ForeignKeyViolationError,
  InvalidValueError,
  NotNullViolationError,
  UniqueViolationError,
} from '../../errors/errors.js';
import type { OpenUnit } from '../../store/commit.js';
import type { Finisher } from './finisher.js';
import type { CommitSteps } from './steps.js';
import type { Coordination } from './topology.js';

/** Options of a relay. */
export interface RelayOptions {
  /** Between two looks at the journal where there is nothing to do, in milliseconds. Default: 1,000. */
  readonly intervalMs?: number;
  /** Units of work younger than this are left to their own process, in milliseconds. Default: 2,000. */
  readonly minAgeMs?: number;
  /** Between two searches for fences without a decision, in milliseconds. Default: 60,000. */
  readonly scrubMs?: number;
  /** Units of work that are finished at the same time. Default: 16. */
  readonly concurrency?: number;
}

const BATCH = 500;
const LONGEST_PAUSE_MS = 60_000;
/** Failures that no repetition mends, before a row becomes a dead letter. */
const FINAL_ATTEMPTS = 5;
/** Done rows of others that are looked at in one turn of upkeep. */
const PRUNED_AT_ONCE = 10_000;
/** How long rows of others stay after they are done: their own process may still ask what became of them. */
const KEEP_DONE_MS = 600_000;
const CALL_MS = 15_000;

export class Relay {
  readonly #options: Required<RelayOptions>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  #isStopped = true;
  #scrubbed = performance.now();
  /** Not before these moments, by unit of work. By this process's own clock, which only runs forward. */
  readonly #notBefore = new Map<string, number>();
  /** When a row of somebody else was first seen done. */
  readonly #seenDone = new Map<string, number>();

  constructor(
    private readonly coordination: Coordination,
    private readonly finisher: Finisher,
    private readonly steps: CommitSteps,
    private readonly isUnderWay: (unitOfWork: string) => boolean,
    options: RelayOptions = {},
  ) {
    const { intervalMs = 1_000, minAgeMs = 2_000, scrubMs = 60_000, concurrency = 16 } = options;
    this.#options = { intervalMs, minAgeMs, scrubMs, concurrency };
  }

  start(): void {
    this.#isStopped = false;
    this.#plan(this.#options.intervalMs);
  }

  /** Lets a round that is under way end, and begins no other. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Finishes all that is open and takes off fences without a decision, until nothing is left that can be done now. */
  async drain(): Promise<{ finished: number; failed: number }> {
    const sum = { finished: 0, failed: 0 };
    this.#notBefore.clear();
    for (;;) {
      const round = await this.#round(0);
      sum.finished += round.finished;
      sum.failed += round.failed;
      if (round.finished === 0) break;
    }
    await this.finisher.scrub(BATCH, this.isUnderWay, { timeoutMs: CALL_MS });
    return sum;
  }

  #plan(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#running = this.#once().finally(() => {
          this.#running = undefined;
        });
      },
      ms * (0.75 + Math.random() / 2),
    );
    // It must not keep a process alive that has nothing else to do.
    this.#timer.unref();
  }

  async #once(): Promise<void> {
    let pause = this.#options.intervalMs;
    try {
      const { finished } = await this.#round(this.#options.minAgeMs);
      if (finished > 0) pause = 0;
      else await this.#upkeep();
    } catch {
      // The coordinator does not answer: there is nothing to do but to ask again.
    }
    if (!this.#isStopped) this.#plan(pause);
  }

  async #round(minAgeMs: number): Promise<{ finished: number; failed: number }> {
    const { coordinator } = this.coordination;
    const open = await coordinator.open({ limit: BATCH, minAgeMs }, { timeoutMs: CALL_MS });
    const due = open.filter(({ unitOfWork }) => {
      const moment = this.#notBefore.get(unitOfWork);
      return !this.isUnderWay(unitOfWork) && (moment === undefined || moment <= performance.now());
    });
    const finished: string[] = [];
    let failed = 0;
    const waiting = [...due];
    const worker = async () => {
      for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
        if (await this.#finish(unit)) finished.push(unit.unitOfWork);
        else failed++;
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#options.concurrency, due.length) }, worker));
    if (finished.length > 0) {
      const subject = { unitOfWork: finished[0] ?? '', store: this.coordination.name, by: 'relay' as const };
      await this.steps.run('done', subject, () => coordinator.done(finished, { timeoutMs: CALL_MS }));
      for (const unitOfWork of finished) this.#notBefore.delete(unitOfWork);
    }
    return { finished: finished.length, failed };
  }

  async #finish(unit: OpenUnit): Promise<boolean> {
    const owner = this.finisher.ownerOf(unit.unitOfWork);
    try {
      const parts = this.finisher.decode(unit.redo);
      const results = await Promise.allSettled(
        parts.map((part) => this.finisher.apply(owner, part, 'relay', { timeoutMs: CALL_MS })),
      );
      const failure = results.find((result) => result.status === 'rejected');
      if (failure !== undefined) throw failure.reason;
      return true;
    } catch (error) {
      const attempts = unit.attempts + 1;
      const dead = isFinal(error) && attempts >= FINAL_ATTEMPTS;
      this.#notBefore.set(unit.unitOfWork, performance.now() + pauseAfter(attempts));
      await this.coordination.coordinator
        .note(unit.unitOfWork, { error: describe(error), attempts, dead }, { timeoutMs: CALL_MS })
        .catch(() => {});
      return false;
    }
  }

  async #upkeep(): Promise<void> {
    const now = performance.now();
    if (now - this.#scrubbed < this.#options.scrubMs) return;
    this.#scrubbed = now;
    await this.finisher.scrub(BATCH, this.isUnderWay, { timeoutMs: CALL_MS });
    const done = await this.coordination.coordinator.doneUnits(PRUNED_AT_ONCE, { timeoutMs: CALL_MS });
    for (const unitOfWork of [...this.#seenDone.keys()])
      if (!done.includes(unitOfWork)) this.#seenDone.delete(unitOfWork);
    for (const unitOfWork of done) if (!this.#seenDone.has(unitOfWork)) this.#seenDone.set(unitOfWork, now);
    const old = done.filter((unitOfWork) => now - (this.#seenDone.get(unitOfWork) ?? now) > KEEP_DONE_MS);
    if (old.length > 0) await this.coordination.coordinator.prune(old, { timeoutMs: CALL_MS });
  }
}

function pauseAfter(attempts: number): number {
  return Math.min(LONGEST_PAUSE_MS, 500 * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random() / 2);
}

/** Errors of the data itself: the same data fails in the same way for ever. */
function isFinal(error: unknown): boolean {
  return [
    CheckViolationError,
    ForeignKeyViolationError,
    InvalidValueError,
    NotNullViolationError,
    UniqueViolationError,
  ].some((kind) => error instanceof kind);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.name}: ${error.message}${cause}`;
}
