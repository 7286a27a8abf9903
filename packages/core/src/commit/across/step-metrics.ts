/**
 * Where the time of commits goes, in numbers that a monitoring system understands: for each step, store and whoever takes
 * it how often, how often in vain, and how long. Taken from the diagnostics channel, and only while somebody wants them.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { COMMIT_CHANNEL, type StepEvent } from './steps.js';

/** One step of commits in one store, by one kind of process. */
export interface StepSummary {
  readonly step: StepEvent['step'];
  /** Logical name. */
  readonly store: string;
  readonly by: StepEvent['by'];
  /** How often it ended, with and without success. */
  readonly count: number;
  /** How often of these it failed. */
  readonly failures: number;
  /** Units of work that it was about, all times together: a step may be about many at once. */
  readonly unitsOfWork: number;
  /** How long it took, all times together, in milliseconds. */
  readonly sumMs: number;
  /** How long it took the longest time, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Sums up the steps of every Storeweave of this process, from when it is made until it is closed. As counters they only
 * grow.
 *
 * ```ts
 * using metrics = new StepMetrics();
 * ```
 */
export class StepMetrics implements Disposable {
  readonly #summaries = new Map<string, { -readonly [K in keyof StepSummary]: StepSummary[K] }>();
  readonly #onStep = (event: unknown) => this.#add(event as StepEvent);

  constructor() {
    subscribe(COMMIT_CHANNEL, this.#onStep);
  }

  /** What has ended until now, by step, store and `by`, in the order in which each came first. */
  summaries(): StepSummary[] {
    return [...this.#summaries.values()].map((summary) => ({ ...summary }));
  }

  /** Nothing is added any more; what is there stays. Idempotent. */
  close(): void {
    unsubscribe(COMMIT_CHANNEL, this.#onStep);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #add({ step, moment, store, by, unitsOfWork, ms = 0 }: StepEvent): void {
    if (moment === 'before') return;
    const key = `${step} ${by} ${store}`;
    let summary = this.#summaries.get(key);
    if (summary === undefined) {
      summary = { step, store, by, count: 0, failures: 0, unitsOfWork: 0, sumMs: 0, maxMs: 0 };
      this.#summaries.set(key, summary);
    }
    summary.count++;
    if (moment === 'failed') summary.failures++;
    summary.unitsOfWork += unitsOfWork?.length ?? 1;
    summary.sumMs += ms;
    summary.maxMs = Math.max(summary.maxMs, ms);
  }
}
