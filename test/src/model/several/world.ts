/**
 * What is walked here: any few records in stores of three kinds, and units of work that change some of them. Where
 * `protocol/` goes deep on one record of each kind of store, this goes wide: two fencing stores, prepared transactions,
 * relationships that hang on nodes, changes by filter, dead letters, two coordinators, requests that ride together.
 */
import type { SeveralMistake } from './mistakes.js';

/** `lock`: a database with transactions, which coordinates or prepares; `append`: points, which nothing else writes. */
export interface StoreSpec {
  readonly name: string;
  readonly kind: 'lock' | 'fence' | 'append';
}

export interface RecordSpec {
  readonly name: string;
  /** Position in `stores`. */
  readonly store: number;
  /** Whether it is there at the start. */
  readonly there: boolean;
  /** Positions of the nodes that it hangs on: then it is a relationship. */
  readonly ends?: readonly number[];
}

/**
 * `match` is what a change by filter makes of a record: nothing where it is not there. `fresh` inserts without a fence,
 * after the decision. An `increment` has no guard, and what it writes is computed from what its fence protects.
 */
export type Change = 'insert' | 'update' | 'delete' | 'increment' | 'match' | 'guard' | 'fresh';

export interface Slot {
  readonly record: number;
  readonly change: Change;
}

export interface UnitSpec {
  readonly name: string;
  /** Position of the store that decides; of a unit of one fencing store, nobody asks it. */
  readonly coordinator: number;
  readonly slots: readonly Slot[];
}

export interface World {
  readonly stores: readonly StoreSpec[];
  readonly records: readonly RecordSpec[];
  readonly units: readonly UnitSpec[];
  /** What a settled reader reads, in this order; nothing where there is none. */
  readonly reader: readonly number[];
  /** It reads only once, between its two questions at the coordinator. */
  readonly readsOnce: boolean;
  /** How often a database with transactions, any of them, restarts. */
  readonly restarts: number;
  /** A participant may refuse for good what was decided. */
  readonly deadLetters: boolean;
  /** BEGIN, claim, own writes and journal row ride together, each answered by itself. */
  readonly flights: boolean;
  readonly mistakes: ReadonlySet<SeveralMistake>;
}

/** More than one store takes part, so there is a journal row. */
export function isSeveral(world: World, { slots, coordinator }: UnitSpec): boolean {
  const stores = new Set(slots.map(({ record }) => world.records[record]?.store));
  return stores.size > 1 || (!stores.has(coordinator) && slots.some(({ record }) => kindAt(world, record) !== 'fence'));
}

export function kindAt(world: World, record: number): StoreSpec['kind'] {
  return (world.stores[(world.records[record] as RecordSpec).store] as StoreSpec).kind;
}

/** How one change of a unit takes part: by its coordinator's own transaction, or as a participant's. */
export type Way = 'own' | 'fence' | 'prepare' | 'late';

export function wayOf(world: World, unit: UnitSpec, { record, change }: Slot): Way {
  const kind = kindAt(world, record);
  if (kind === 'append' || change === 'fresh') return 'late';
  if (kind === 'fence') return 'fence';
  return world.records[record]?.store === unit.coordinator ? 'own' : 'prepare';
}
