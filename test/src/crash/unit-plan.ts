/** Which units of work are done: chosen by a seed, and independent of what the stores answer. */
import { HUBS, type RowStore, SLOTS, type StoreName } from './model.js';

/** What a unit of work means to do in one store with rows. */
export interface PartPlan {
  readonly store: RowStore;
  readonly slots: readonly {
    readonly id: number;
    readonly does: 'append' | 'rename' | 'delete';
    readonly name: string;
  }[];
  readonly mark: boolean;
}

export interface UnitPlan {
  readonly parts: readonly PartPlan[];
  readonly points: number;
  /** Hubs that it relates to each other. */
  readonly link?: readonly [number, number];
  readonly await: 'applied' | 'decided';
  readonly awaitMs: number;
  /** Throws at the end of its callback, after it has written. */
  readonly refuses: boolean;
}

type Random = (below: number) => number;

/** Names are few enough to be taken now and then. */
const NAMES = 60;

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
    const slots = ids.map((id) => ({ id, does: 'append', name: freeName(random) }) as const);
    return { store, mark: true, slots };
  });
  return {
    parts,
    points: stores.includes('timeseries') ? 2 : 0,
    ...(stores.includes('graph') && { link: [0, 1] as const }),
    await: 'applied',
    awaitMs: 5_000,
    refuses: false,
  };
}

function plan(stores: readonly StoreName[], random: Random, refuses: boolean): UnitPlan {
  const parts = stores.filter(hasRows).map((store): PartPlan => {
    const ids = shuffled([...Array(SLOTS).keys()], random).slice(0, random(3));
    const slots = ids.map((id) => {
      const does = random(6) === 0 ? 'delete' : random(3) === 0 ? 'rename' : 'append';
      return { id, does, name: `n${random(NAMES)}` } as const;
    });
    // What a deletion leaves behind is nothing, so that its unit leaves a mark.
    const mark = slots.every(({ does }) => does === 'delete') || slots.some(({ does }) => does === 'delete');
    return { store, slots, mark: mark || random(2) === 0 };
  });
  const from = random(HUBS);
  return {
    parts,
    points: stores.includes('timeseries') ? 1 + random(3) : 0,
    ...(stores.includes('graph') && random(2) === 0 && { link: [from, (from + 1) % HUBS] as const }),
    await: random(4) === 0 ? 'decided' : 'applied',
    awaitMs: random(3) === 0 ? 100 : 3_000,
    refuses,
  };
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
