/**
 * Holds the measurements of an owner. Series are long, so it is a door more than a container: points are added without
 * reading any, and read by range of time; only `load` and `populate` keep what they read.
 */
import { RelationContainer } from './container.js';
import { keyOfInstance } from './entity-key.js';
import type { SeriesRange } from './relation-loader.js';

/** A point to add: the measurement, or its properties. The key of the owner is filled in by the flush. */
export type SeriesPoint<T extends object> = Partial<T>;

/** What `populate` makes of a `TimeSeries`: its points can be read. */
export interface LoadedSeries<T extends object> extends TimeSeries<T>, Iterable<T> {
  /** By time, oldest first unless populate asked for another order. */
  readonly items: readonly T[];
  readonly length: number;
}

interface State<T extends object> {
  items: T[] | undefined;
  readonly added: Set<SeriesPoint<T>>;
}

/** What the framework may do with a `TimeSeries` and the application may not. */
export interface SeriesState {
  /** Points that no flush has written; undefined if there are none. */
  pending(series: TimeSeries<object>): ReadonlySet<object> | undefined;
  /** Loaded: these are the points. */
  resolve(series: TimeSeries<object>, items: readonly object[]): void;
  /** A flush has taken these over. */
  settle(series: TimeSeries<object>, written: Iterable<object>): void;
  /** The flush was undone: they are pending again. */
  restore(series: TimeSeries<object>, points: Iterable<object>): void;
}

export let seriesState: SeriesState;

/**
 * Measurements over time.
 *
 * ```ts
 * user.logins.add({ at: new Date(), device: 'phone', duration: 12.5 });
 * const today = await user.logins.range({ from: midnight });
 * ```
 */
export class TimeSeries<T extends object> extends RelationContainer {
  #state: State<T> | undefined;

  get isLoaded(): boolean {
    return this.#state?.items !== undefined;
  }

  /** Adds points; the next flush writes them. */
  add(...points: readonly SeriesPoint<T>[]): void {
    const state = this.#open();
    this.touch();
    for (const point of points) state.added.add(point);
  }

  /** The loaded points. Throws `RelationNotLoadedError` before they are. Points added since are not among them. */
  get(): readonly T[] {
    if (this.#state?.items === undefined) throw this.notLoaded();
    return this.#state.items;
  }

  /** Loads every point, oldest first, and keeps them. For a long series ask for a `range`. */
  async load(): Promise<readonly T[]> {
    if (this.#state?.items !== undefined) return this.#state.items;
    const { owner, relation, loader } = this.requireBinding('load');
    await loader.load([owner], relation);
    return this.get();
  }

  /** Points in a range of time (`from` included, `to` excluded), oldest first by default; they are not kept. */
  async range(range: SeriesRange = {}): Promise<T[]> {
    const { owner, relation, loader } = this.requireBinding('read a range');
    return (await loader.range(owner, relation, range)) as T[];
  }

  /** The newest point, or `null` if there is none. */
  async last(): Promise<T | null> {
    const [point] = await this.range({ order: 'desc', limit: 1 });
    return point ?? null;
  }

  /** Number of stored points. */
  async count(): Promise<number> {
    const { owner, relation, loader } = this.requireBinding('count');
    return loader.count(owner, relation);
  }

  protected serialize(ancestors: readonly object[]): unknown {
    const target = RelationContainer.relationOf(this)?.target;
    return this.#state?.items?.map((item) =>
      RelationContainer.entityToJson(item, ancestors, (entity) =>
        target === undefined ? undefined : keyOfInstance(target, entity),
      ),
    );
  }

  #open(): State<T> {
    this.#state ??= { items: undefined, added: new Set() };
    return this.#state;
  }

  static {
    Object.defineProperties(TimeSeries.prototype, {
      items: {
        configurable: true,
        get(this: TimeSeries<object>) {
          return this.get();
        },
      },
      length: {
        configurable: true,
        get(this: TimeSeries<object>) {
          return this.get().length;
        },
      },
      [Symbol.iterator]: {
        configurable: true,
        writable: true,
        value(this: TimeSeries<object>) {
          return this.get()[Symbol.iterator]();
        },
      },
    });
    seriesState = {
      pending(series) {
        const added = series.#state?.added;
        return added === undefined || added.size === 0 ? undefined : added;
      },
      resolve(series, items) {
        series.#open().items = [...items];
      },
      settle(series, written) {
        const state = series.#state;
        if (state === undefined) return;
        for (const point of written) state.added.delete(point);
      },
      restore(series, points) {
        const state = series.#open();
        for (const point of points) state.added.add(point);
      },
    };
  }
}
