/**
 * What an application does before and after the stages of a commit: look at the plan, and refuse it while that is still
 * possible. Whoever runs a stage calls `hooks.run('beforeDecide', …)`; hooks of one stage run one after the other.
 */
import { channel } from 'node:diagnostics_channel';
import type { Attribution } from '../audit/attribution.js';
import type { CommitPlan } from '../commit/commit-plan.js';
import { throwIfAborted, untilAborted } from '../commit/waiting.js';
import { CommitRefusedError } from '../errors/errors.js';

/** Stages up to the decision: a hook that throws here refuses, and nothing is written. */
const REFUSABLE = [
  'beforeFlush',
  'afterFlush',
  'beforeCommit',
  'beforeClaim',
  'afterClaim',
  'beforeFence',
  'afterFence',
  'beforeDecide',
] as const;

type Refusable = (typeof REFUSABLE)[number];

/** Stages of a commit, in their order; of one that fails, `afterRollback` is the last. */
export type CommitStage = Refusable | 'afterDecide' | 'beforeApply' | 'afterApply' | 'afterCommit' | 'afterRollback';

/** Which unit of work is being committed, and on whose behalf. */
export interface CommitContext extends Attribution {
  readonly unitOfWork: string;
  readonly stage: CommitStage;
  readonly label?: string;
  /** Aborted where the unit of work is out of time. */
  readonly signal?: AbortSignal;
  /** After a rollback: why; undefined where the application asked for it. */
  readonly error?: unknown;
}

type Stages = {
  /** `plan`: at a flush, what it writes; later, what the whole unit of work writes. It can be looked at, not changed. */
  readonly [S in CommitStage]?: (plan: CommitPlan, context: CommitContext) => void | Promise<void>;
};

/**
 * Functions to call at stages of each commit.
 *
 * - `beforeFlush`, `afterFlush`: around the writes of each flush, which are still undone if the unit of work fails.
 * - `beforeCommit`: when everything is known, before anything that no rollback takes back. What was written by filter or
 *   statement is not among the operations of the plan; `notes` say of which entities.
 * - `beforeClaim`, `afterClaim`, `beforeFence`, `afterFence`: in a commit over several databases only.
 * - `beforeDecide`, `afterDecide`: around the COMMIT that decides.
 * - `beforeApply`, `afterApply`: in a commit over several databases only.
 * - `afterCommit`, `afterRollback`: when it is over.
 *
 * A hook that throws up to `beforeDecide` refuses the commit with a `CommitRefusedError`. What a later one throws changes
 * nothing any more: it is published on the diagnostics channel `storeweave:hook:failed`.
 */
export interface CommitHook extends Stages {
  /** For messages; default: its position in the list. */
  readonly name?: string;
}

/** What is published where a hook fails after the decision. */
export interface HookFailure {
  readonly hook: string;
  readonly stage: CommitStage;
  readonly unitOfWork: string;
  readonly error: unknown;
}

const failures = channel('storeweave:hook:failed');

export class CommitHooks {
  readonly #hooks: readonly { readonly name: string; readonly hook: CommitHook }[];

  constructor(hooks: readonly CommitHook[] = []) {
    this.#hooks = hooks.map((hook, at) => ({ name: hook.name ?? `hooks[${at}]`, hook }));
  }

  /** True where nothing needs to be prepared for hooks: there are none. */
  get none(): boolean {
    return this.#hooks.length === 0;
  }

  /** Throws `CommitRefusedError` where a hook refuses. */
  async run(stage: CommitStage, plan: () => CommitPlan, context: Omit<CommitContext, 'stage'>): Promise<void> {
    for (const { name, hook } of this.#hooks) {
      if (hook[stage] === undefined) continue;
      try {
        const done = Promise.resolve(hook[stage](plan(), { ...context, stage }));
        await (isRefusable(stage) ? untilAborted(done, context.signal) : done);
      } catch (error) {
        const { unitOfWork, signal } = context;
        if (isRefusable(stage)) throwIfAborted(signal);
        if (isRefusable(stage)) throw refused(name, stage, unitOfWork, error);
        const failure: HookFailure = { hook: name, stage, unitOfWork, error };
        failures.publish(failure);
      }
    }
  }
}

function isRefusable(stage: CommitStage): stage is Refusable {
  return (REFUSABLE as readonly string[]).includes(stage);
}

function refused(hook: string, stage: CommitStage, unitOfWork: string, cause: unknown): CommitRefusedError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CommitRefusedError(
    `The hook '${hook}' refused the unit of work ${unitOfWork} at ${stage}: ${why}. Nothing of it was kept.`,
    hook,
    stage,
    { cause },
  );
}
