/** What is in the stores, as somebody sees it who has never heard of Storeweave; the same form for all of them. */
import type { RowStore } from '../model.js';

export interface SlotRow {
  readonly id: number;
  readonly units: string;
  readonly name: string;
  readonly version: number;
}

export interface CounterRow {
  readonly id: number;
  readonly shelf: number;
  readonly total: number;
  readonly last: string | null;
  readonly version: number;
}

export interface RowsSeen {
  readonly slots: readonly SlotRow[];
  readonly counters: readonly CounterRow[];
  /** Units whose mark is there, of the rounds that were asked for. */
  readonly marks: readonly string[];
  /** What should have been cleared away: fences, placeholders, prepared transactions, open rows of the journal. */
  readonly leftovers: readonly string[];
}

export interface Observation {
  readonly rows: ReadonlyMap<RowStore, RowsSeen>;
  /** Units whose relationship is there. */
  readonly links: readonly string[];
  /** Number of points of each unit. */
  readonly points: ReadonlyMap<string, number>;
  /** What the audit log says of each unit: `Account 3 update 1a0,1a1`, with the list that it left or deleted. */
  readonly records: ReadonlyMap<string, readonly string[]>;
}
