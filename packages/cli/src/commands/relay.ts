/**
 * `storeweave relay`: a process that finishes the units of work of processes that died, beside the relays inside the
 * application or instead of them. It says what it does, and ends when it is told to.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  COMMIT_CHANNEL,
  type Journal,
  type JournalStats,
  type RelayOptions,
  type StepEvent,
  StepMetrics,
  Storeweave,
} from '@storeweave/core';
import type { StoreweaveConfig } from '../config.js';
import { ExitCode } from '../exit-code.js';
import { columns, type Output } from '../output.js';
import { whole } from './move.js';

export interface RelayFlags {
  readonly once: boolean;
  /** Milliseconds. */
  readonly interval?: string;
}

/** Between two looks at the journal's numbers, which also tell whether the coordinator answers. */
const LOOK_MS = 5_000;
/** Between two summaries of the steps, where there were any. */
const SUMMARY_MS = 60_000;

/** With `once`, the exit code is `differs` where something could not be finished. */
export async function relay(
  config: StoreweaveConfig,
  output: Output,
  flags: RelayFlags,
  signal: AbortSignal | undefined,
): Promise<ExitCode> {
  const told = config.commit?.relay === false ? {} : config.commit?.relay;
  const interval = flags.interval === undefined ? {} : { intervalMs: whole('--interval', flags.interval) };
  const say = (message: unknown) => tell(message as StepEvent, output);
  subscribe(COMMIT_CHANNEL, say);
  using steps = new Steps(output);
  try {
    if (flags.once) return await drain(config, output, steps);
    return await serve(config, output, { ...told, ...interval }, signal, steps);
  } finally {
    unsubscribe(COMMIT_CHANNEL, say);
  }
}

async function drain(config: StoreweaveConfig, output: Output, steps: Steps): Promise<ExitCode> {
  await using weave = await open(config, false);
  const { finished, failed, error } = await weave.journal.drain();
  const { open: left, dead } = await weave.journal.stats();
  steps.tell();
  output.result(
    { event: 'drained', finished, failed, open: left, dead, ...(failed > 0 && { error: messageOf(error) }) },
    `Finished ${finished}, failed ${failed}; ${left} open, ${dead} dead letters.${failed > 0 ? ` ${messageOf(error)}` : ''}`,
  );
  return left + dead + failed === 0 ? ExitCode.ok : ExitCode.differs;
}

async function serve(
  config: StoreweaveConfig,
  output: Output,
  options: RelayOptions,
  signal: AbortSignal | undefined,
  steps: Steps,
): Promise<ExitCode> {
  const end = signal === undefined ? untilSignal() : { signal, release: () => {} };
  try {
    await using weave = await open(config, options);
    const watch = new Watch(weave.journal, output);
    output.result({ event: 'started' }, 'The relay runs. It ends with SIGTERM or SIGINT.');
    while (!end.signal.aborted) {
      watch.look();
      steps.tellNow();
      await until(end.signal, LOOK_MS);
    }
    output.result({ event: 'stopping' }, 'Ending what is under way …');
  } finally {
    end.release();
  }
  steps.tell();
  output.result({ event: 'stopped' }, 'The relay has ended.');
  return ExitCode.ok;
}

/** The steps in sum, told from time to time. */
class Steps implements Disposable {
  readonly #metrics = new StepMetrics();
  #told = 0;
  #next = performance.now() + SUMMARY_MS;

  constructor(private readonly output: Output) {}

  /** Where it is time. */
  tellNow(): void {
    if (performance.now() >= this.#next) this.tell();
  }

  /** Where there is something new. */
  tell(): void {
    this.#next = performance.now() + SUMMARY_MS;
    const steps = this.#metrics
      .summaries()
      .map((each) => ({ ...each, sumMs: tenths(each.sumMs), maxMs: tenths(each.maxMs) }));
    const count = steps.reduce((sum, each) => sum + each.count, 0);
    if (count === this.#told) return;
    this.#told = count;
    const head = ['step', 'store', 'by', 'count', 'failures', 'units of work', 'mean ms', 'max ms'];
    const rows = steps.map(({ step, store, by, count, failures, unitsOfWork, sumMs, maxMs }) =>
      [step, store, by, count, failures, unitsOfWork, tenths(sumMs / count), maxMs].map(String),
    );
    this.output.result({ event: 'metrics', steps }, columns([head, ...rows]));
  }

  [Symbol.dispose](): void {
    this.#metrics.close();
  }
}

/** The journal's numbers, told when they change; and once, when they cannot be had any more. */
class Watch {
  #last = '';
  #isLooking = false;

  constructor(
    private readonly journal: Journal,
    private readonly output: Output,
  ) {}

  /** Does not wait for the answer: a coordinator that gives none must not keep the relay from its end. */
  look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.journal
      .stats()
      .then(
        (stats) => this.#tellStats(stats),
        (error: Error) => {
          const text = `The coordinator does not answer: ${error.message}`;
          this.#tell('unreachable', { event: 'unreachable', error: error.message }, text);
        },
      )
      .finally(() => {
        this.#isLooking = false;
      });
  }

  #tellStats({ open, dead, retried, attempts, oldestMs }: JournalStats): void {
    const oldest = oldestMs === undefined ? '' : `, the oldest for ${Math.round(oldestMs / 1_000)} s`;
    const data = { event: 'stats', open, dead, retried, attempts, ...(oldestMs !== undefined && { oldestMs }) };
    const text = `${open} open${oldest}; ${dead} dead letters; ${retried} retried, ${attempts} failed attempts.`;
    this.#tell(`${open} ${dead} ${retried} ${attempts}`, data, text);
  }

  #tell(state: string, data: object, text: string): void {
    if (state === this.#last) return;
    this.#last = state;
    this.output.result(data, text);
  }
}

/** Steps that the relay has taken, or failed at. */
function tell({ step, moment, unitOfWork, unitsOfWork, store, by, ms = 0, error }: StepEvent, output: Output): void {
  if (by !== 'relay' || moment === 'before') return;
  const failed = error === undefined ? {} : { error: messageOf(error) };
  const others = (unitsOfWork?.length ?? 1) - 1;
  const took = tenths(ms);
  output.result(
    { event: step, moment, unitOfWork, ...(unitsOfWork && { unitsOfWork }), store, ms: took, ...failed },
    `${step.padEnd(7)} ${unitOfWork}${others > 0 ? ` and ${others} more` : ''}  ${store}  ${took} ms${error === undefined ? '' : `  failed: ${failed.error}`}`,
  );
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function open({ migrations: _, ...options }: StoreweaveConfig, relay: RelayOptions | false): Promise<Storeweave> {
  return Storeweave.open({ ...options, schema: 'ignore', commit: { ...options.commit, relay } });
}

/** The first signal asks for an orderly end; a second one does what it always does. */
function untilSignal(): { readonly signal: AbortSignal; release(): void } {
  const told = new AbortController();
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const stop = () => {
    release();
    told.abort();
  };
  const release = () => {
    for (const name of signals) process.off(name, stop);
  };
  for (const name of signals) process.on(name, stop);
  return { signal: told.signal, release };
}

async function until(signal: AbortSignal, ms: number): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
  });
}
