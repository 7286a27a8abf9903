/** Does one unit of work by Storeweave, and says what it is about to do and what it was told. */
import {
  CommitUnknownError,
  PartialCommitError,
  type Session,
  type Storeweave,
  StoreweaveError,
  UnitOfWork,
} from '@storeweave/core';
import { Hub, Link, rowsOf, Visit } from './model.js';
import { changeSlots, countUp } from './part-run.js';
import type { Attempt, StoryWriter } from './story.js';
import type { UnitPlan } from './unit-plan.js';

class Refused extends Error {}

export interface UnitName {
  readonly unit: string;
  readonly round: number;
}

/** What a worker runs its units of work with. */
export interface Bench {
  readonly weave: Storeweave;
  readonly story: StoryWriter;
  /** Whether a step of this attempt has failed or was struck: then a relay is to finish it, and nobody waits for that. */
  isLeft(unitOfWork: string): boolean;
}

/** Resolves when it is over, however it ended. */
export async function runUnit(bench: Bench, name: UnitName, plan: UnitPlan): Promise<void> {
  const { story } = bench;
  const { unit } = name;
  const stores = [...plan.parts.map(({ store }) => store), ...(plan.points > 0 ? (['timeseries'] as const) : [])];
  story.say({ say: 'begin', unit, stores });
  try {
    const status = plan.isSession ? await inSession(bench, name, plan) : await inTransaction(bench, name, plan);
    story.say({ say: 'acknowledged', unit, status });
  } catch (error) {
    const isUnknown = error instanceof CommitUnknownError || error instanceof PartialCommitError;
    story.say({ say: isUnknown ? 'unknown' : 'refused', unit, error: describe(error) });
  }
}

function optionsFor({ unit, round }: UnitName, plan: UnitPlan) {
  // Records of changes have actor and reason, and are counted by them.
  return {
    actor: unit,
    reason: String(round),
    await: plan.await,
    awaitMs: plan.awaitMs,
    timeoutMs: 20_000,
    label: unit,
  };
}

async function inTransaction({ weave, story }: Bench, name: UnitName, plan: UnitPlan): Promise<string> {
  const uow = await weave.transaction({ ...optionsFor(name, plan), retries: 20 }, async (running) => {
    await write(running, name, plan, story);
    return running;
  });
  return uow.receipt?.status ?? 'none';
}

/** Commits by a session, and has it look for its own writes: what is decided must be there for it. */
async function inSession({ weave, story, isLeft }: Bench, name: UnitName, plan: UnitPlan): Promise<string> {
  const { unit } = name;
  await using session = weave.session(optionsFor(name, plan));
  await write(session, name, plan, story);
  const { id, status } = await session.commit();
  for (const { store } of plan.parts) {
    const count = await session
      .repository(rowsOf[store].mark)
      .count({ id: unit })
      .catch(() => undefined);
    if (count === 0 && !isLeft(id))
      story.say({ say: 'wrong', unit, what: `its session did not see its mark in ${store} after ${id} was ${status}` });
  }
  if (plan.points > 0) {
    const count = await session
      .repository(Visit)
      .count({ unit })
      .catch(() => undefined);
    if (count !== undefined && count !== plan.points && !isLeft(id))
      story.say({ say: 'wrong', unit, what: `its session saw ${count} of its ${plan.points} points after ${id}` });
  }
  return status;
}

async function write(uow: UnitOfWork | Session, name: UnitName, plan: UnitPlan, story: StoryWriter): Promise<void> {
  const { unit, round } = name;
  const changes: Attempt['changes'][number][] = [];
  const guards: Attempt['guards'][number][] = [];
  const counts: Attempt['counts'][number][] = [];
  const doubts: string[] = [];
  for (const part of plan.parts) {
    const done = await changeSlots(uow, unit, part);
    changes.push(...done.changes);
    guards.push(...done.guards);
    const counted = await countUp(uow, unit, part);
    counts.push(...counted.counts);
    doubts.push(...counted.doubts);
  }
  const marks = plan.parts.filter((part) => part.mark).map(({ store }) => store);
  for (const store of marks) uow.create(rowsOf[store].mark, { id: unit, round });
  for (let n = 0; n < plan.points; n++) uow.create(Visit, { at: new Date(), unit, n, round });
  if (plan.link !== undefined) {
    const [from, to] = await uow.repository(Hub).findByIds([...plan.link]);
    if (from === undefined || to === undefined) throw new Error('The hubs are not there.');
    uow.create(Link, { id: unit, from, to, round });
  }
  const attempt = { changes, guards, counts, doubts, marks, points: plan.points, hasLink: plan.link !== undefined };
  story.say({ say: 'try', unit, unitOfWork: uow.id, attempt });
  if (!plan.refuses || !(uow instanceof UnitOfWork)) return;
  await uow.flush();
  throw new Refused('on purpose');
}

function describe(error: unknown): string {
  if (error instanceof StoreweaveError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
