/** What only measurements have: ranges of time, the newest points, windows, and coarser copies of themselves. */
import { ConfigurationError, InvalidQueryError } from '../errors/errors.js';
import type { EntityClass, EntityModel } from '../model/entity-model.js';
import type { Field, Row } from '../model/field.js';
import { keyText } from '../query/key.js';
import { and } from '../query/logic.js';
import { compileOrder, totalOrder } from '../query/order.js';
import { compileWhere } from '../query/where.js';
import type { CallOptions, ContextSource, WorkContext } from '../session/ports.js';
import type { DownsampleSpec } from '../store/series.js';
import type { OrderBy } from '../types/find.js';
import type { CreateInput } from '../types/input.js';
import type { ValueName } from '../types/properties.js';
import type { Where } from '../types/where.js';
import type { Aggregated, Aggregation } from './aggregation.js';
import { namedFields } from './changes.js';
import type { Every } from './every.js';
import { findAll, materialize, prepare } from './find.js';
import { newRows } from './new-rows.js';
import { cut, whole } from './numbers.js';
import { callOptions, checkNames } from './query-plan.js';
import { policyOf, upsertAll, writeAll } from './recorded-writes.js';
import { within } from './relation-reader.js';
import { plainWindow, planWindow, runWindow, seriesOf } from './windows.js';

/** A moment: a Date, or a bigint since the epoch where the timestamp has 'us' or 'ns'. */
export type Moment = Date | bigint;

/** From (included) to (excluded); open where absent. */
export interface TimeRange {
  readonly from?: Moment;
  readonly to?: Moment;
}

export interface RangeOptions<T> extends TimeRange, CallOptions {
  readonly where?: Where<T>;
  /** By time, oldest first, if absent. */
  readonly orderBy?: OrderBy<T> | readonly OrderBy<T>[];
  readonly limit?: number;
}

export interface LastOptions<T, G extends string> extends CallOptions {
  /** The newest points of each group of these tags; of all points together if absent. */
  readonly per?: readonly G[];
  readonly where?: Where<T>;
}

/** Aggregations by the name that their value gets. */
export type WindowSelect<T> = { readonly [alias: string]: Aggregation<Aggregation['name'], ValueName<T>> };

export interface WindowOptions<T, S extends WindowSelect<T>, G extends string> extends TimeRange, CallOptions {
  readonly where?: Where<T>;
  /** Length of a window; one window over everything if absent. */
  readonly every?: Every;
  /** Tags; a row per window and group. */
  readonly groupBy?: readonly G[];
  readonly select: S;
  /**
   * What to give for windows without points: nothing (`none`, default), nulls, the value before, or a line between the
   * neighbours. Needs `from` and `to`.
   */
  readonly fill?: 'none' | 'null' | 'previous' | 'linear';
  /** By the start of the window; `asc` if absent. */
  readonly order?: 'asc' | 'desc';
  /** Greatest number of rows. */
  readonly limit?: number;
}

/** One window of one group. */
export type WindowOf<T, S, G extends string> = { start: Date } & { [K in G & keyof T]: T[K] } & {
  -readonly [A in keyof S]: Aggregated<T, S[A]>;
};

export interface DownsampleOptions<T, U> extends TimeRange, CallOptions {
  readonly where?: Where<T>;
  readonly every: Every;
  /** By the target's properties: how each is computed. Its tags are taken from the tags of the same name. */
  readonly select: { readonly [K in ValueName<U>]?: Aggregation<Aggregation['name'], ValueName<T>> };
}

/** Measurements of one class. */
export class SeriesRepository<T extends object> {
  readonly #entity: EntityModel;
  readonly #source: ContextSource;
  readonly #time: Field;

  /** Throws `ConfigurationError` for a class that is no measurement. */
  constructor(entity: EntityModel, source: ContextSource) {
    if (entity.timestamp === undefined) {
      throw new ConfigurationError(
        `${entity.name} is ${entity.kind} and no measurement, so it has no series. Use weave.repository(${entity.name}), or declare it with @Measurement.`,
        { entity: entity.name },
      );
    }
    this.#entity = entity;
    this.#source = source;
    this.#time = entity.timestamp;
  }

  /** Points in a range of time. */
  async range(options: RangeOptions<T> = {}): Promise<T[]> {
    const entity = this.#entity;
    checkNames(entity, options, ['from', 'to', 'where', 'orderBy', 'limit', 'signal', 'timeoutMs', 'label']);
    const found = await findAll(this.#source.current(), {
      entity,
      where: and(within(this.#time, options.from, options.to), compileWhere(entity, options.where)),
      order: options.orderBy === undefined ? this.#newest('asc') : compileOrder(entity, options.orderBy),
      ...cut(entity, options.limit, undefined, 'range'),
      populate: [],
      call: callOptions(options),
    });
    return found as T[];
  }

  /** The newest `n` points, newest first; with `per`, of each group of these tags. */
  async last<const G extends ValueName<T> = never>(n = 1, options: LastOptions<T, G> = {}): Promise<T[]> {
    const entity = this.#entity;
    checkNames(entity, options, ['per', 'where', 'signal', 'timeoutMs', 'label']);
    const limit = whole(entity, 'the number of points', n, 1) ?? 1;
    const plan = {
      entity,
      where: compileWhere(entity, options.where),
      order: this.#newest('desc'),
      limit,
      populate: [],
      call: callOptions(options),
    };
    const work = this.#source.current();
    if (options.per === undefined) return (await findAll(work, plan)) as T[];
    return (await this.#lastOfEach(work, plan, namedFields(entity, options.per, 'per'))) as T[];
  }

  async #lastOfEach(
    work: WorkContext,
    plan: Parameters<typeof findAll>[1] & { readonly limit: number },
    per: readonly Field[],
  ) {
    const { entity, limit } = plan;
    const { where, access } = await prepare(work, plan);
    if (access === undefined) return [];
    const store = work.store(entity);
    const order = totalOrder(entity, plan.order);
    const spec = { entity, fields: entity.fields, where, order };
    if (store.capabilities.limitPerGroup) {
      return materialize(work, entity, await store.read({ ...spec, perGroup: per, limit }, access));
    }
    const rows = await store.read(spec, access);
    const seen = new Map<string, number>();
    const kept = rows.filter((row) => {
      const group = per.map((field) => keyText([row[field.index]]) ?? null);
      const name = JSON.stringify(group);
      const position = seen.get(name) ?? 0;
      seen.set(name, position + 1);
      return position < limit;
    });
    return materialize(work, entity, kept);
  }

  /**
   * Aggregates over windows of time.
   *
   * ```ts
   * await weave.series(Delay).window({
   *   from, to, every: '1d', groupBy: ['airport'], fill: 'null',
   *   select: { meanDelay: mean('minutes'), p95: percentile('minutes', 95), flights: count() },
   * });
   * ```
   *
   * Throws `CapabilityError` where the store computes no windows.
   */
  async window<const S extends WindowSelect<T>, const G extends ValueName<T> = never>(
    options: WindowOptions<T, S, G>,
  ): Promise<WindowOf<T, S, G>[]> {
    const work = this.#source.current();
    const call = callOptions(options);
    const plan = await planWindow(work, this.#entity, this.#time, options, call);
    const rows = await runWindow(work, plan, call);
    return rows.map((row) => plainWindow(plan, this.#time, row)) as WindowOf<T, S, G>[];
  }

  /**
   * Writes windows of these points into a coarser measurement, whose timestamp is the start of the window. Windows that
   * are there already are overwritten where the store can, so it may be run again. Returns the number of points written.
   */
  async downsample<U extends object>(into: EntityClass<U>, options: DownsampleOptions<T, U>): Promise<number> {
    const work = this.#source.current();
    const call = callOptions(options);
    const target = work.domain.of(into);
    const { time, tags } = coarser(target);
    const plan = await planWindow(
      work,
      this.#entity,
      this.#time,
      { ...options, groupBy: tags.map((field) => field.name), fill: 'none' },
      call,
    );
    const map = plan.spec.columns.map(({ alias }) => {
      const [field] = namedFields(target, [alias], 'select');
      if (field !== undefined && field.role === 'measure') return { alias, field };
      throw new InvalidQueryError(`${target.name}.${alias} is no @Field, so nothing can be computed into it.`, {
        entity: target.name,
        property: alias,
      });
    });
    const series = seriesOf(work, this.#entity);
    const isOnRecord = policyOf(work, target) !== undefined;
    if (series.downsample !== undefined && target.store === this.#entity.store && !isOnRecord) {
      const spec: DownsampleSpec = { window: plan.spec, into: target, map };
      return series.downsample(spec, await work.access(target, [this.#entity, target], { ...call, writes: true }));
    }
    const windows = await runWindow(work, plan, call);
    const rows = windows.map(({ start, group, values }) => {
      const row: Row = target.fields.map(() => null);
      row[time.index] = start;
      tags.forEach((field, at) => {
        row[field.index] = group[at];
      });
      map.forEach(({ field }, at) => {
        row[field.index] = values[at];
      });
      return row;
    });
    if (!work.store(target).capabilities.upsert) return writeAll(work, target, rows, call);
    return upsertAll(work, target, rows, { do: 'update', update: map.map(({ field }) => field) }, call);
  }

  /**
   * Writes points, all in one batch, and returns the number written. A point with the same time and tags as a stored one
   * overwrites it (`existing: 'update'`, default), so that a source may be read again, or is passed over (`'ignore'`).
   */
  async insert(
    points: CreateInput<T> | readonly CreateInput<T>[],
    options: CallOptions & { readonly existing?: 'ignore' | 'update' } = {},
  ): Promise<number> {
    const entity = this.#entity;
    checkNames(entity, options, ['existing', 'signal', 'timeoutMs', 'label']);
    const { existing = 'update' } = options;
    if (existing !== 'update' && existing !== 'ignore') {
      throw new InvalidQueryError(`${entity.name}: existing is 'update' or 'ignore'.`, { entity: entity.name });
    }
    const rows = newRows(entity, Array.isArray(points) ? points : [points]);
    const update = entity.fields.filter((field) => !field.id);
    const ignored = existing === 'ignore' || update.length === 0;
    const conflict = ignored ? ({ do: 'ignore' } as const) : ({ do: 'update', update } as const);
    return upsertAll(this.#source.current(), entity, rows, conflict, callOptions(options));
  }

  #newest(direction: 'asc' | 'desc') {
    return [{ on: { field: this.#time }, direction, nulls: 'last' }] as const;
  }
}

function coarser(target: EntityModel): { readonly time: Field; readonly tags: readonly Field[] } {
  const time = target.timestamp;
  if (time !== undefined) return { time, tags: target.fields.filter((field) => field.role === 'tag') };
  throw new ConfigurationError(`${target.name} is no measurement, so nothing can be downsampled into it.`, {
    entity: target.name,
  });
}
