/** What only a time-series store can do: aggregation over windows of time. Times are neutral timestamps of the entity. */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Value } from '../model/field.js';
import type { Access } from './access.js';
import type { SeriesFunction } from './capabilities.js';
import type { Condition } from './condition.js';

/** Length of a window: a fixed number of milliseconds, or calendar units in a time zone. */
export type WindowSize =
  | { readonly ms: number }
  | { readonly calendar: 'day' | 'week' | 'month' | 'year'; readonly count: number; readonly timeZone: string };

export interface WindowSpec {
  readonly entity: EntityModel;
  /** From (included) to (excluded). */
  readonly from?: Value;
  readonly to?: Value;
  readonly where?: Condition;
  /** Absent: one window over everything. Windows are aligned to the epoch, weeks to Monday. */
  readonly every?: WindowSize;
  readonly groupBy: readonly Field[];
  readonly columns: readonly { readonly alias: string; readonly function: SeriesFunction; readonly field: Field }[];
  /** What to report for windows without points between `from` and `to` (both then required): nothing, a row of nulls, the last value, or a line between neighbours. */
  readonly fill: 'none' | 'null' | 'previous' | 'linear';
  readonly order: 'asc' | 'desc';
  readonly limit?: number;
}

/** One window of one group: its start (neutral), the group's values, and the columns' values (null for no points). */
export interface WindowRow {
  readonly start: Value;
  readonly group: readonly Value[];
  readonly values: readonly Value[];
}

/** Writes the windows of `spec` into a coarser measurement; every column of the target is a field or alias of the spec. */
export interface DownsampleSpec {
  readonly window: WindowSpec;
  readonly into: EntityModel;
  /** Field of the target for each column of the window, by alias; tags map by name. */
  readonly map: readonly { readonly alias: string; readonly field: Field }[];
}

export interface SeriesStore {
  window(spec: WindowSpec, access: Access): Promise<WindowRow[]>;
  /** Returns the number of points written. Where absent, the core reads the windows and inserts them. */
  downsample?(spec: DownsampleSpec, access: Access): Promise<number>;
}
