/** The batches of one unit of work, in the order in which fences are put up and come off. */
import type { EntityModel, FenceOutcome, FenceOwner, UpdateBatch, WriteBatch } from '@storeweave/core';
import type { GraphNames, Shape } from '../names.js';
import type { Runner } from '../transaction.js';
import { CHUNK } from '../write/rows.js';
import { type Fenced, fenceNew, fenceThere } from './fence.js';
import { shapesOf } from './marks.js';
import { reserve } from './reserve.js';
import { fill, giveUp, installUpdates, settle } from './settle.js';
import { touches, tradedIn, uniquesOf } from './trade.js';

/** What became of the fences of one call, as far as it has come. */
export class FenceReport {
  /** Unique values that are held by what gives them up, and not by what takes them. */
  open = 0;
  readonly #missed: { readonly batch: number; readonly row: number }[] = [];
  readonly #held: FenceOwner[] = [];

  note(batch: number, { missed, held, open }: Fenced): void {
    this.#missed.push(...missed.map((row) => ({ batch, row })));
    this.#held.push(...held);
    this.open += open;
  }

  /** With the owners of more fences. */
  outcome(more: readonly FenceOwner[] = []): FenceOutcome {
    const owners = new Map([...this.#held, ...more].map((owner) => [owner.unitOfWork, owner]));
    return {
      missed: [...this.#missed].sort((x, y) => x.batch - y.batch || x.row - y.row),
      held: [...owners.values()],
    };
  }
}

/** What is there before what is new, which may take its values; nodes before the relationships between them. */
export async function fenceBatches(
  batches: readonly WriteBatch[],
  owner: FenceOwner,
  report: FenceReport,
  names: GraphNames,
  runner: Runner,
): Promise<void> {
  const traded = tradedIn(batches, names);
  const steps: (() => Promise<void>)[] = [];
  for (const isRelationship of [false, true]) {
    const own = [...batches.entries()].filter(([, { entity }]) => isRelationship === (entity.endpoints !== undefined));
    for (const [at, batch] of own)
      if (batch.op !== 'insert') steps.push(async () => report.note(at, await fenceThere(batch, owner, names, runner)));
    for (const [, batch] of own) {
      if (batch.op !== 'update') continue;
      for (const rule of uniquesOf(batch.entity, names).filter((each) => touches(batch.fields, each))) {
        const isTraded = traded.get(batch.entity)?.includes(rule) === true;
        steps.push(async () => {
          report.open += await reserve(rule, batch, owner, isTraded, names, runner);
        });
      }
    }
    for (const [at, batch] of own)
      if (batch.op === 'insert')
        steps.push(async () =>
          report.note(at, await fenceNew(batch, owner, traded.get(batch.entity) ?? [], names, runner)),
        );
  }
  await inOrder(steps, batches);
}

/** Relationships go before what they hang on; what gives a value up comes before what takes it. */
export async function applyBatches(
  batches: readonly WriteBatch[],
  owner: FenceOwner,
  names: GraphNames,
  runner: Runner,
): Promise<void> {
  const traded = tradedIn(batches, names);
  const updates = batches.filter((batch) => batch.op === 'update');
  const inserts = batches.filter((batch) => batch.op === 'insert');
  const losing = shapes(
    batches.filter((batch) => batch.op === 'delete' || (batch.op === 'update' && mayReserve(batch, names))),
    names,
  );
  await inOrder(
    [
      ...losing.map((shape) => async () => {
        await settle(shape, owner, { goes: ['delete', 'reserve'], stays: [] }, names, runner);
      }),
      ...updates.flatMap((batch) => {
        const fields = (traded.get(batch.entity) ?? []).flat().filter((field) => batch.fields.includes(field));
        return fields.length === 0 ? [] : [() => giveUp([...new Set(fields)], batch, owner, names, runner)];
      }),
      ...updates.map((batch) => () => installUpdates(batch, owner, names, runner)),
      ...inserts.flatMap((batch) => {
        const fields = new Set((traded.get(batch.entity) ?? []).flat());
        return fields.size === 0 ? [] : [() => fill([...fields], batch, owner, names, runner)];
      }),
      ...shapes(inserts, names).map((shape) => async () => {
        await settle(shape, owner, { goes: [], stays: ['insert'] }, names, runner);
      }),
    ],
    batches,
  );
}

/** Labels and relationship types of the batches, each once, relationships first. */
export function shapes(batches: readonly WriteBatch[], names: GraphNames): Shape[] {
  const entities: EntityModel[] = batches.map(({ entity }) => entity);
  return shapesOf(entities, names).sort((x, y) => Number(x.ends === undefined) - Number(y.ends === undefined));
}

function mayReserve({ entity, fields }: UpdateBatch, names: GraphNames): boolean {
  const { places } = names.shape(entity);
  return (
    fields.some((field) => places.get(field)?.on !== 'self') ||
    uniquesOf(entity, names).some((rule) => touches(fields, rule))
  );
}

/**
 * Statements that are sent without waiting arrive in their order and cost one trip; only where a batch needs several, the
 * next has to wait for it.
 */
async function inOrder(steps: readonly (() => Promise<void>)[], batches: readonly WriteBatch[]): Promise<void> {
  const isSmall = batches.every((batch) => (batch.op === 'insert' ? batch.rows : batch.keys).length <= CHUNK);
  if (isSmall) await Promise.all(steps.map((step) => step()));
  else for (const step of steps) await step();
}
