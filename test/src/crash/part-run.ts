/** What a unit of work does to the rows of one store, and what it has to say of that. */
import { OptimisticLockError, type Session, UnitOfWork } from '@storeweave/core';
import { COUNTERS, rowsOf, SHELVES } from './model.js';
import type { Change, Count, Guarded } from './story.js';
import type { PartPlan } from './unit-plan.js';

type Unit = UnitOfWork | Session;

/**
 * Changes that a slot has had before it may be deleted. A key that is used again is a limit that `docs/guarantees.md`
 * names: a new row with the version that was read is taken for the old one. So none comes to an old one's version soon.
 */
const OLD = 5;

export interface SlotsDone {
  readonly changes: readonly Change[];
  readonly guards: readonly Guarded[];
}

export async function changeSlots(uow: Unit, unit: string, part: PartPlan): Promise<SlotsDone> {
  const { store, slots } = part;
  const { slot: Slot } = rowsOf[store];
  const repository = uow.repository(Slot);
  const guards: Guarded[] = [];
  const changes: Change[] = [];
  // A read writes what is pending, and a row that is written twice has two versions: everything is read first.
  const all = [];
  for (const plan of slots) {
    const found = (await repository.findById(plan.id)) ?? undefined;
    const isYoung = found !== undefined && found.units.split(',').length < OLD;
    const ends = plan.does === 'delete' || plan.does === 'reinsert';
    all.push({ ...plan, found, does: ends && isYoung ? ('append' as const) : plan.does });
  }
  const appended: { slot: Named; change: number }[] = [];
  for (const { id, does, name, isByFilter, found } of all) {
    if (found === undefined) {
      uow.create(Slot, { id, units: unit, name });
      changes.push({ store, id, op: 'insert', before: null, name });
      continue;
    }
    const before = found.units.split(',');
    if (does === 'guard') {
      uow.guard(found);
      guards.push({ store, id, before });
    } else if ((does === 'append' || does === 'rename') && !isByFilter) {
      const rename = does === 'rename' ? { name } : {};
      Object.assign(found, { units: `${found.units},${unit}` }, rename);
      changes.push({ store, id, op: 'append', before, ...rename });
      if (does === 'append') appended.push({ slot: found, change: changes.length - 1 });
    }
  }
  if (part.isSwap) swap(appended, changes);
  for (const { id, does, name, isByFilter, found } of all) {
    if (found === undefined || does === 'guard') continue;
    const before = found.units.split(',');
    const seen = { id, units: found.units };
    if (does === 'delete' || does === 'reinsert') {
      if (isByFilter) one(await repository.delete(seen), unit);
      else uow.remove(found);
      changes.push({ store, id, op: 'delete', before });
      if (does === 'delete' || !(uow instanceof UnitOfWork)) continue;
      await uow.flush();
      uow.create(Slot, { id, units: unit, name });
      changes.push({ store, id, op: 'insert', before: null, name });
    } else if (isByFilter) {
      const rename = does === 'rename' ? { name } : {};
      one(await repository.update(seen, { units: `${found.units},${unit}`, ...rename }), unit);
      changes.push({ store, id, op: 'append', before, ...rename });
    }
  }
  return { changes, guards };
}

interface Named {
  name: string;
}

/** Two of them trade their names. */
function swap([first, second]: readonly { slot: Named; change: number }[], changes: Change[]): void {
  if (first === undefined || second === undefined) return;
  [first.slot.name, second.slot.name] = [second.slot.name, first.slot.name];
  for (const { change, slot } of [first, second]) {
    const own = changes[change];
    if (own !== undefined) changes[change] = { ...own, name: slot.name };
  }
}

/** The filter names what was read: where it matches nothing, somebody was quicker. */
function one(count: number, unit: string): void {
  if (count === 1) return;
  if (count > 1) throw new Error(`A change by ${unit} of one row was told to be of ${count}.`);
  throw new OptimisticLockError(`What ${unit} had read was changed before it could change it.`);
}

export async function countUp(
  uow: Unit,
  unit: string,
  { store, count }: PartPlan,
): Promise<{ counts: readonly Count[]; doubts: readonly string[] }> {
  if (count === undefined) return { counts: [], doubts: [] };
  const { by } = count;
  const repository = uow.repository(rowsOf[store].counter);
  const isShelf = 'shelf' in count;
  const ids = isShelf ? [...Array(COUNTERS).keys()].filter((id) => id % SHELVES === count.shelf) : [count.id];
  const changed = isShelf
    ? await repository.update({ shelf: count.shelf }, { last: unit })
    : await repository.increment({ id: count.id }, { total: by });
  return {
    counts: ids.map((id) => ({ store, id, by: isShelf ? 0 : by, isShelf })),
    doubts: changed === ids.length ? [] : [`changed ${changed} of ${ids.length} counters in ${store}`],
  };
}
