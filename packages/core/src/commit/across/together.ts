/**
 * Several decided units of work applied in one store in as few requests as it takes: by the store's own call for many, or
 * by one write for the points of all where rows are only added. None fails for another: what was refused together is
 * tried again in halves, down to each by itself. Applying twice changes nothing, so any part may have been applied before.
 */
import { AbortedError, ConnectionError, StoreBusyError, TimeoutError } from '../../errors/errors.js';
import type { Access } from '../../store/access.js';
import type { UnitPart } from '../../store/commit.js';
import type { InsertBatch, WriteBatch } from '../../store/write.js';
import type { Participation } from './topology.js';

/** What became of a unit of work in one store. */
export type Applied = PromiseSettledResult<void>;

/** Units of work and rows in one call at most; a unit of work with more rows is a call of its own. */
const MOST = { units: 500, rows: 10_000 };
/** Calls at the same time: for many units of work, and for single ones. */
const CALLS = { many: 4, single: 16 };

const DONE: Applied = { status: 'fulfilled', value: undefined };

/** What became of each, in the order given. Never rejects. */
export async function applyTogether(
  participation: Participation,
  units: readonly UnitPart[],
  access: Access,
): Promise<readonly Applied[]> {
  const outcomes = new Map<UnitPart, Applied>();
  const call = callOf(participation, access);
  const isSingle = call.many === undefined;
  const groups = isSingle ? units.map((unit) => [unit]) : grouped(units);
  await sideBySide(groups, isSingle ? CALLS.single : CALLS.many, (group) => applyGroup(group, call, outcomes));
  return units.map((unit) => outcomes.get(unit) ?? DONE);
}

interface Call {
  one(unit: UnitPart): Promise<unknown>;
  many?(units: readonly UnitPart[]): Promise<unknown>;
}

/** How a store applies: one unit of work, and many at once where it can. */
export function callOf({ kind, participant, store }: Participation, access: Access): Call {
  if (kind === 'prepare') return { one: async ({ owner }) => participant.finish?.(owner, 'commit', access) };
  if (kind === 'append') {
    const write = async (batches: readonly WriteBatch[]) => {
      for (const batch of batches) await store.write(batch, access);
    };
    return { one: ({ batches }) => write(batches), many: (units) => write(merged(units)) };
  }
  const one = async ({ owner, batches }: UnitPart) => participant.apply?.(owner, batches, access);
  if (participant.applyMany === undefined) return { one };
  return { one, many: async (units) => participant.applyMany?.(units, access) };
}

async function applyGroup(group: readonly UnitPart[], call: Call, outcomes: Map<UnitPart, Applied>): Promise<void> {
  const [first] = group;
  if (first === undefined) return;
  try {
    await (group.length === 1 || call.many === undefined ? call.one(first) : call.many(group));
    for (const unit of group) outcomes.set(unit, DONE);
  } catch (reason) {
    if (group.length === 1 || (isOfStore(reason) && !(await succeeds(group, call)))) {
      for (const unit of group) outcomes.set(unit, { status: 'rejected', reason });
      return;
    }
    const half = Math.ceil(group.length / 2);
    await applyGroup(group.slice(0, half), call, outcomes);
    await applyGroup(group.slice(half), call, outcomes);
  }
}

/** One for all, and not always the same one: too many at once, or one of them, can look like a store that is down. */
async function succeeds(group: readonly UnitPart[], call: Call): Promise<boolean> {
  const some = group[Math.floor(Math.random() * group.length)];
  return (
    some !== undefined &&
    call.one(some).then(
      () => true,
      () => false,
    )
  );
}

/** About the store and not about what it was given: with less it would be the same. */
export function isOfStore(error: unknown): boolean {
  return [AbortedError, ConnectionError, StoreBusyError, TimeoutError].some((kind) => error instanceof kind);
}

function grouped(units: readonly UnitPart[]): UnitPart[][] {
  const groups: UnitPart[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const unit of units) {
    const own = unit.batches.reduce((sum, batch) => sum + (batch.op === 'insert' ? batch.rows : batch.keys).length, 0);
    const group = groups.at(-1);
    if (group === undefined || group.length === MOST.units || rows + own > MOST.rows) {
      groups.push([unit]);
      rows = own;
    } else {
      group.push(unit);
      rows += own;
    }
  }
  return groups;
}

/** Rows that are added to one entity with the same fields are one batch, whose unit of work they are. */
function merged(units: readonly UnitPart[]): WriteBatch[] {
  const batches: WriteBatch[] = [];
  const open: { batch: InsertBatch; rows: InsertBatch['rows'][number][] }[] = [];
  for (const batch of units.flatMap((unit) => unit.batches)) {
    if (batch.op !== 'insert') {
      batches.push(batch);
      continue;
    }
    const fits = open.find((each) => each.batch.entity === batch.entity && sameFields(each.batch, batch));
    if (fits !== undefined) {
      fits.rows.push(...batch.rows);
      continue;
    }
    const rows = [...batch.rows];
    const made: InsertBatch = { op: 'insert', entity: batch.entity, fields: batch.fields, rows };
    open.push({ batch: made, rows });
    batches.push(made);
  }
  return batches;
}

function sameFields(a: InsertBatch, b: InsertBatch): boolean {
  return a.fields.length === b.fields.length && a.fields.every((field, at) => field === b.fields[at]);
}

async function sideBySide<T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
}
