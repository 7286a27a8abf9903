/** Which units of work are done: chosen by a seed, and independent of what the stores answer. */
import { COUNTERS, HUBS, type RowStore, SHELVES, SLOTS, type StoreName } from './model.js';

type Does = 'append' | 'rename' | 'delete' | 'reinsert' | 'guard';

/** What a unit of work means to do in one store with rows. */
export interface PartPlan {
  readonly store: RowStore;
  readonly slots: readonly {
    readonly id: number;
    readonly does: Does;
    readonly name: string;
    /** Changed or deleted by a filter, and not as an entity. */
    readonly isByFilter: boolean;
  }[];
  /** Where there are two slots, their names change places. */
  readonly isSwap: boolean;
  readonly mark: boolean;
  /** Adds to a counter, or changes those of a shelf, without reading them. */
  readonly count?: { readonly id: number; readonly by: number } | { readonly shelf: number; readonly by: number };
}

export interface UnitPlan {
  readonly parts: readonly PartPlan[];
  readonly points: number;
  /** Hubs that it relates to each other. */
  readonly link?: readonly [number, number];
  readonly await: 'applied' | 'decided';
  readonly awaitMs: number;
  /** Done by a session, which then looks for what it has written. */
  readonly isSession: boolean;
  /** Throws at the end of its callback, after it has written. */
  readonly refuses: boolean;
}

type Random = (below: number) => number;

/** Names are few enough to be taken now and then. */
const NAMES = 60;
/** How often what is done. */
const DOES: readonly Does[] = [
  'append',
  'append',
  'append',
  'append',
  'append',
  'rename',
  'rename',
  'delete',
  'reinsert',
  'guard',
];

/** A unit of work over one to all of the stores. */
export function randomUnit(stores: readonly StoreName[], random: Random): UnitPlan {
  const count = 1 + random(stores.length);
  const chosen = shuffled(stores, random).slice(0, count);
  return plan(chosen, random, random(12) === 0);
}

/**
 * One over all stores, on the same slots each time: one that gets into the way of every other such. `meets`: it is to come
 * upon fences. A prepared transaction has none, and would have it wait for a lock instead.
 */
export function fullUnit(stores: readonly StoreName[], random: Random, meets = false): UnitPlan {
  const parts = stores.filter(hasRows).map((store): PartPlan => {
    const ids = meets && store === 'archive' ? [] : [0, 1];
    const slots = ids.map((id) => ({ id, does: 'append', name: freeName(random), isByFilter: false }) as const);
    return { store, mark: true, slots, isSwap: false };
  });
  return {
    parts,
    points: stores.includes('timeseries') ? 2 : 0,
    ...(stores.includes('graph') && { link: [0, 1] as const }),
    await: 'applied',
    awaitMs: 5_000,
    isSession: false,
    refuses: false,
  };
}

function plan(stores: readonly StoreName[], random: Random, refuses: boolean): UnitPlan {
  const isSession = !refuses && random(5) === 0;
  const parts = stores.filter(hasRows).map((store): PartPlan => {
    const ids = shuffled([...Array(SLOTS).keys()], random).slice(0, random(3));
    const slots = ids.map((id) => {
      const does = DOES[random(DOES.length)] ?? 'append';
      // A session writes at its commit and not before.
      return { id, does, name: `n${random(NAMES)}`, isByFilter: random(4) === 0 && !isSession };
    });
    const [count, mark, isSwap] = [randomCount(random), random(2) === 0, random(4) === 0];
    // What a deletion leaves behind is nothing, and nobody sees a guard, so that their units leave a mark.
    const isTraced = slots.length > 0 && slots.every(({ does }) => does === 'append' || does === 'rename');
    const counts = random(4) === 0 && !isSession;
    return { store, slots, mark: mark || isSession || !isTraced, isSwap, ...(counts && { count }) };
  });
  const from = random(HUBS);
  return {
    parts,
    points: stores.includes('timeseries') ? 1 + random(3) : 0,
    ...(stores.includes('graph') && random(2) === 0 && { link: [from, (from + 1) % HUBS] as const }),
    await: isSession || random(4) === 0 ? 'decided' : 'applied',
    awaitMs: random(3) === 0 ? 100 : 3_000,
    isSession,
    refuses,
  };
}

function randomCount(random: Random): NonNullable<PartPlan['count']> {
  const by = 1 + random(1_000);
  return random(2) === 0 ? { id: random(COUNTERS), by } : { shelf: random(SHELVES), by };
}

/** Beyond the names of random units: a full unit is never refused for its name. */
function freeName(random: Random): string {
  return `f${random(2 ** 31)}`;
}

function hasRows(store: StoreName): store is RowStore {
  return store !== 'timeseries';
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  const result: T[] = [];
  while (left.length > 0) result.push(...left.splice(random(left.length), 1));
  return result;
}
