/** Does one unit of work by Storeweave, and says what it is about to do and what it was told. */
import {
  CommitUnknownError,
  PartialCommitError,
  type Storeweave,
  StoreweaveError,
  type UnitOfWork,
} from '@storeweave/core';
import { Hub, Link, type RowStore, rowsOf, Visit } from './model.js';
import type { Change, StoryWriter } from './story.js';
import type { PartPlan, UnitPlan } from './unit-plan.js';

class Refused extends Error {}

export interface UnitName {
  readonly unit: string;
  readonly round: number;
}

/** Resolves when it is over, however it ended. */
export async function runUnit(weave: Storeweave, name: UnitName, plan: UnitPlan, story: StoryWriter): Promise<void> {
  const { unit, round } = name;
  const stores = [...plan.parts.map(({ store }) => store), ...(plan.points > 0 ? (['timeseries'] as const) : [])];
  story.say({ say: 'begin', unit, stores });
  // Records of changes have these, and are counted by them.
  const attribution = { actor: unit, reason: String(round) };
  const options = {
    ...attribution,
    await: plan.await,
    awaitMs: plan.awaitMs,
    timeoutMs: 20_000,
    retries: 20,
    label: unit,
  };
  try {
    const uow = await weave.transaction(options, async (running) => {
      await write(running, name, plan, story);
      return running;
    });
    story.say({ say: 'acknowledged', unit, status: uow.receipt?.status ?? 'none' });
  } catch (error) {
    const isUnknown = error instanceof CommitUnknownError || error instanceof PartialCommitError;
    story.say({ say: isUnknown ? 'unknown' : 'refused', unit, error: describe(error) });
  }
}

async function write(uow: UnitOfWork, name: UnitName, plan: UnitPlan, story: StoryWriter): Promise<void> {
  const { unit, round } = name;
  const changes: Change[] = [];
  for (const part of plan.parts) changes.push(...(await change(uow, unit, part)));
  const marks = plan.parts.filter((part) => part.mark).map(({ store }) => store);
  for (const store of marks) uow.create(rowsOf[store].mark, { id: unit, round });
  for (let n = 0; n < plan.points; n++) uow.create(Visit, { at: new Date(), unit, n, round });
  if (plan.link !== undefined) {
    const [from, to] = await uow.repository(Hub).findByIds([...plan.link]);
    if (from === undefined || to === undefined) throw new Error('The hubs are not there.');
    uow.create(Link, { id: unit, from, to, round });
  }
  const attempt = { changes, marks, points: plan.points, hasLink: plan.link !== undefined };
  story.say({ say: 'try', unit, attempt });
  if (!plan.refuses) return;
  await uow.flush();
  throw new Refused('on purpose');
}

async function change(uow: UnitOfWork, unit: string, { store, slots }: PartPlan): Promise<Change[]> {
  const changes: Change[] = [];
  const { slot: Slot } = rowsOf[store as RowStore];
  for (const { id, does, name } of slots) {
    const found = await uow.repository(Slot).findById(id);
    const before = found === null || found === undefined ? null : found.units.split(',');
    if (found === null || found === undefined) {
      uow.create(Slot, { id, units: unit, name });
      changes.push({ store, id, op: 'insert', before, name });
    } else if (does === 'delete') {
      uow.remove(found);
      changes.push({ store, id, op: 'delete', before });
    } else {
      found.units += `,${unit}`;
      if (does === 'rename') found.name = name;
      changes.push({ store, id, op: 'append', before, ...(does === 'rename' && { name }) });
    }
  }
  return changes;
}

function describe(error: unknown): string {
  if (error instanceof StoreweaveError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
