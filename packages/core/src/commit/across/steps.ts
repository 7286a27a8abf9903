/**
 * The steps of a commit across stores, by name. Each is announced before it is taken and after it has had its effect:
 * to listeners, which may refuse it by throwing, and to whoever subscribed to the diagnostics channel.
 */
import { channel } from 'node:diagnostics_channel';

/**
 * `claim`, `fence`, `decide`, `apply` and `done` are the way of every commit: with `prepare` in place of `fence` for a
 * transaction that is prepared, and with `record` where the coordinator writes the journal row with a request of its own.
 * `unfence` and `settle` belong to one that failed or was met by somebody else.
 */
export type CommitStep = 'claim' | 'fence' | 'prepare' | 'record' | 'decide' | 'apply' | 'done' | 'unfence' | 'settle';

/** One announcement. */
export interface StepEvent {
  readonly step: CommitStep;
  readonly moment: 'before' | 'after' | 'failed';
  /** The first, where the step is about several. */
  readonly unitOfWork: string;
  /** All units of work that the step is about, where they are several. */
  readonly unitsOfWork?: readonly string[];
  /** Logical name of the store that the step is about. */
  readonly store: string;
  /** Who takes it: the unit of work's own process, or one that finishes it. */
  readonly by: 'worker' | 'relay';
  /** Duration in milliseconds; absent before. */
  readonly ms?: number;
  readonly error?: unknown;
}

/** Told of every step, before and after. What it throws before a step refuses the commit; a promise is waited for. */
export type StepListener = (event: StepEvent) => void | Promise<void>;

/** Name of the diagnostics channel that every `StepEvent` is published on. */
export const COMMIT_CHANNEL = 'storeweave:commit';

export type StepSubject = Pick<StepEvent, 'unitOfWork' | 'unitsOfWork' | 'store' | 'by'>;

export class CommitSteps {
  readonly #channel = channel(COMMIT_CHANNEL);

  constructor(private readonly listeners: readonly StepListener[] = []) {}

  async run<R>(step: CommitStep, subject: StepSubject, work: () => Promise<R>): Promise<R> {
    if (this.listeners.length === 0 && !this.#channel.hasSubscribers) return work();
    await this.#tell({ step, moment: 'before', ...subject });
    const began = performance.now();
    let result: R;
    try {
      result = await work();
    } catch (error) {
      this.#channel.publish({ step, moment: 'failed', ...subject, ms: performance.now() - began, error });
      throw error;
    }
    await this.#tell({ step, moment: 'after', ...subject, ms: performance.now() - began });
    return result;
  }

  async #tell(event: StepEvent): Promise<void> {
    this.#channel.publish(event);
    for (const listener of this.listeners) await listener(event);
  }
}
