/**
 * One commit over several transaction domains: claim, fences, journal row, decision, application. The order is the
 * protocol's (`docs/guarantees.md`): nothing is fenced before the claim is held, nothing is decided before every fence is
 * acknowledged, and nothing is applied before the decision.
 */
import { CommitUnknownError, ConnectionError, FencedError, StoreError } from '../../errors/errors.js';
import type { Access, Transaction } from '../../store/access.js';
import type { FenceOwner } from '../../store/commit.js';
import type { WriteBatch } from '../../store/write.js';
import { staleError } from '../stale-error.js';
import { pause, withinReason } from '../waiting.js';
import type { Finisher } from './finisher.js';
import { encodeRedo, type StoreRedo } from './redo.js';
import type { CommitSteps } from './steps.js';
import type { Coordination, Participation } from './topology.js';
import type { WorkerRequests } from './worker-requests.js';

/** What a unit of work brings to its commit. */
export interface AcrossUnit {
  readonly unitOfWork: string;
  /** The coordinator's, in which its own changes are written already, but for what `writeOwn` writes. */
  readonly transaction: Transaction;
  /** Writes the coordinator's own changes that were left for now: beside the fences, which do not wait for them. */
  writeOwn(): Promise<void>;
  readonly parts: readonly Part[];
  readonly signal?: AbortSignal;
  /** Told before and after each phase; what it throws up to `beforeDecide` refuses the commit. */
  stage(stage: CommitPhase): Promise<void>;
  /** Commits the coordinator's transaction, by `commit` where it is given. */
  decide(commit?: () => Promise<void>): Promise<void>;
  /** Ends every transaction of the unit of work without effect. */
  rollback(): Promise<void>;
}

/** Phases of a commit that the application can be told of. */
export type CommitPhase =
  | 'beforeClaim'
  | 'afterClaim'
  | 'beforeFence'
  | 'afterFence'
  | 'beforeDecide'
  | 'afterDecide'
  | 'beforeApply'
  | 'afterApply';

/** What is to be done in one logical store. */
export interface Part {
  readonly participation: Participation;
  readonly batches: readonly WriteBatch[];
  /** To be prepared, where that is how the store takes part. */
  readonly transaction?: Transaction;
}

/** Limit on each check of rows that are going to be added, in milliseconds. */
const CHECK_MS = 30_000;
/** Limit on each request that takes fences off again, in milliseconds. */
const UNFENCE_MS = 30_000;
/** Limit on taking fences off again after a failure; what is left then is found by the scrub. */
const UNDO_MS = 2_000;
/** How long the outcome of a decision that was not answered is asked for. */
const SETTLE_MS = 15_000;
/** As long as nobody prunes its row, an absent one means that the unit of work was refused. Well below the relay's delay. */
const LEASE_MS = 300_000;

/** Takes a unit of work to its decision. Returns its redo; throws with nothing kept anywhere, or `CommitUnknownError`. */
export async function decideAcross(
  unit: AcrossUnit,
  coordination: Coordination,
  finisher: Finisher,
  steps: CommitSteps,
  requests: WorkerRequests,
): Promise<StoreRedo[]> {
  const { unitOfWork, transaction, parts, signal } = unit;
  const { name, coordinator } = coordination;
  const owner = finisher.ownerOf(unitOfWork);
  const access: Access = { transaction, ...(signal && { signal }) };
  const redo = parts.map(({ participation, batches }): StoreRedo => ({ store: participation.name, batches }));
  const subject = { unitOfWork, store: name, by: 'worker' as const };
  const row = { unitOfWork, redo: encodeRedo(redo) };
  const began = performance.now();
  const writeOwn = async () => {
    await unit.writeOwn();
    if (coordinator.decide === undefined) await steps.run('record', subject, () => coordinator.record(row, access));
  };
  const refuse = async (error: unknown): Promise<never> => {
    await unit.rollback();
    await undo(owner, redo, finisher);
    throw error;
  };

  try {
    await unit.stage('beforeClaim');
    await steps.run('claim', subject, async () => {
      if (transaction.claimed !== unitOfWork) await coordinator.claim(unitOfWork, access);
    });
    await unit.stage('afterClaim');
    await unit.stage('beforeFence');
    const results = await Promise.allSettled([
      writeOwn(),
      ...parts.map((part) => fence(owner, part, steps, requests, signal)),
    ]);
    throwFirst(results);
    await unit.stage('afterFence');
    await unit.stage('beforeDecide');
  } catch (error) {
    return refuse(error);
  }

  const decision: { is: 'not sent' | 'sent' | 'refused' } = { is: 'not sent' };
  try {
    await steps.run('decide', subject, async () => {
      decision.is = 'sent';
      // Without the signal: a decision that is under way is not called back.
      const decided = coordinator.decide && (async () => coordinator.decide?.(row, { transaction }));
      await unit.decide(decided).catch((error: unknown) => {
        if (!(error instanceof CommitUnknownError)) decision.is = 'refused';
        throw error;
      });
    });
  } catch (error) {
    if (decision.is !== 'sent') return refuse(error);
    if (!(await isDecided(error, unitOfWork, coordination, began))) return refuse(lost(error, unitOfWork));
  }
  await unit.stage('afterDecide');
  return redo;
}

async function fence(
  owner: FenceOwner,
  { participation, batches, transaction }: Part,
  steps: CommitSteps,
  requests: WorkerRequests,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { participant, kind, name } = participation;
  const subject = { unitOfWork: owner.unitOfWork, store: name, by: 'worker' as const };
  if (kind === 'append') {
    await participant.check?.(batches, { timeoutMs: CHECK_MS, ...(signal && { signal }) });
    return;
  }
  if (kind === 'prepare') {
    if (transaction === undefined) return;
    await steps.run('prepare', subject, async () => participant.prepare?.(owner, transaction));
    return;
  }
  await steps.run('fence', subject, async () => {
    const outcome = await requests.fence(participation, { owner, batches }, signal);
    const [missed] = outcome.missed;
    if (outcome.held.length > 0) {
      const held = outcome.held.map((other) => other.unitOfWork).join(', ');
      throw new FencedError(
        `Rows of the store '${name}' are held by other units of work (${held}) that are being committed. Nothing of this one was kept; do it again.`,
        outcome.held,
        { store: name },
      );
    }
    if (missed !== undefined) throw lockError(batches[missed.batch], missed.row);
  });
}

function lockError(batch: WriteBatch | undefined, at: number): unknown {
  if (batch === undefined || batch.op === 'insert') {
    return new StoreError('A store reported a row as missed that was to be inserted.');
  }
  return staleError(batch.entity, batch.keys[at] ?? [], batch.versions?.[at]);
}

/** Settles a COMMIT that was not answered: never by looking alone, since it may still be on its way. */
async function isDecided(
  error: unknown,
  unitOfWork: string,
  coordination: Coordination,
  began: number,
): Promise<boolean> {
  const until = performance.now() + SETTLE_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      const row = await coordination.coordinator.resolve(unitOfWork, { timeoutMs: SETTLE_MS });
      if (row !== undefined) return true;
      if (performance.now() - began < LEASE_MS) return false;
    } catch (failure) {
      if (performance.now() < until) {
        await pause(Math.min(1_000, 50 * 2 ** attempt), undefined);
        continue;
      }
      throw unknown(unitOfWork, coordination, failure);
    }
    throw unknown(unitOfWork, coordination, error);
  }
}

function lost(error: unknown, unitOfWork: string): unknown {
  return new ConnectionError(
    `The connection was lost in the commit of the unit of work ${unitOfWork}. The journal says that it was not decided: nothing of it was kept.`,
    { cause: error },
  );
}

function unknown(unitOfWork: string, { name }: Coordination, cause: unknown): CommitUnknownError {
  return new CommitUnknownError(
    `The connection to the coordinator '${name}' was lost in the commit of the unit of work ${unitOfWork}, and it could not be asked what became of it. It is wholly there or wholly not: \`storeweave journal show ${unitOfWork}\` tells, or read what it should have changed.`,
    { store: name, cause },
  );
}

async function undo(owner: FenceOwner, redo: readonly StoreRedo[], finisher: Finisher): Promise<void> {
  const all = Promise.allSettled(redo.map((part) => finisher.undo(owner, part, 'worker', { timeoutMs: UNFENCE_MS })));
  await withinReason(all, UNDO_MS);
}

/** Errors about rows come before errors about connections: they are the ones that a caller can act upon. */
function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (reasons.length === 0) return;
  throw reasons.find((reason) => !(reason instanceof ConnectionError)) ?? reasons[0];
}
