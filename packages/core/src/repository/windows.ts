/** Window aggregation of a series: options become the spec that a store computes, and its rows become plain objects. */
import { CapabilityError, InvalidQueryError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Field, FieldType, Value } from '../model/field.js';
import { describe, invalid, isPlainObject } from '../query/comparand.js';
import { fromNeutral } from '../query/identity.js';
import { and, orAbsent } from '../query/logic.js';
import { entitiesIn, settle } from '../query/semi-join.js';
import { compileWhere } from '../query/where.js';
import type { CallOptions, WorkContext } from '../session/ports.js';
import type { SeriesFunction } from '../store/capabilities.js';
import type { SeriesStore, WindowRow, WindowSpec } from '../store/series.js';
import { Aggregation } from './aggregation.js';
import { namedFields } from './changes.js';
import { windowSize } from './every.js';
import { whole } from './numbers.js';
import { checkNames } from './query-plan.js';

const OPTIONS = [
  'from',
  'to',
  'where',
  'every',
  'groupBy',
  'select',
  'fill',
  'order',
  'limit',
  'signal',
  'timeoutMs',
  'label',
];
const FILLS: ReadonlySet<unknown> = new Set(['none', 'null', 'previous', 'linear']);
const NUMBERS: ReadonlySet<FieldType> = new Set<FieldType>(['integer', 'bigint', 'float', 'decimal']);

export interface WindowPlan {
  readonly spec: WindowSpec;
  readonly aggregations: readonly Aggregation[];
}

/** Compiles the options of a window. Throws `InvalidQueryError`. */
export async function planWindow(
  work: WorkContext,
  entity: EntityModel,
  time: Field,
  options: object,
  call: CallOptions,
): Promise<WindowPlan> {
  checkNames(entity, options, OPTIONS);
  const {
    from,
    to,
    where,
    every,
    groupBy,
    select,
    fill = 'none',
    order = 'asc',
    limit,
  } = options as Record<string, unknown>;
  if (!FILLS.has(fill))
    throw refuse(entity, `fill is 'none', 'null', 'previous' or 'linear', and this is ${describe(fill)}`);
  if (order !== 'asc' && order !== 'desc')
    throw refuse(entity, `order is 'asc' or 'desc', and this is ${describe(order)}`);
  if (fill !== 'none' && (from === undefined || to === undefined || every === undefined)) {
    throw refuse(
      entity,
      `filling gaps needs to know where they are: give from, to and every with fill: '${String(fill)}'`,
    );
  }
  const condition = await settle(work, entity, compileWhere(entity, where), call);
  const aggregations = selected(entity, select);
  const groups = groupBy === undefined ? [] : tags(entity, groupBy);
  const checkedLimit = whole(entity, 'limit of window', limit, 1);
  for (const alias of Object.keys(aggregations)) {
    if (alias === 'start' || groups.some((field) => field.name === alias)) {
      throw refuse(entity, `"${alias}" is the name of another column of the window; select it under another name`);
    }
  }
  return {
    spec: {
      entity,
      ...(from === undefined ? {} : { from: moment(entity, time, from, 'from') }),
      ...(to === undefined ? {} : { to: moment(entity, time, to, 'to') }),
      where: orAbsent(and(condition)),
      ...(every === undefined ? {} : { every: windowSize(entity, every) }),
      groupBy: groups,
      columns: Object.entries(aggregations).map(([alias, aggregation]) => ({
        alias,
        function: seriesFunction(entity, aggregation),
        field: measured(entity, time, aggregation),
      })),
      fill: fill as WindowSpec['fill'],
      order,
      ...(checkedLimit === undefined ? {} : { limit: checkedLimit }),
    },
    aggregations: Object.values(aggregations),
  };
}

/** Runs a window on the entity's store. Throws `CapabilityError` where it has none. */
export async function runWindow(work: WorkContext, { spec }: WindowPlan, call: CallOptions): Promise<WindowRow[]> {
  const { entity } = spec;
  const series = seriesOf(work, entity);
  const reads = [entity, ...(spec.where === undefined ? [] : entitiesIn(spec.where))];
  return series.window(spec, await work.access(entity, reads, call));
}

export function seriesOf(work: WorkContext, entity: EntityModel): SeriesStore {
  const store = work.store(entity);
  if (store.series !== undefined) return store.series;
  throw new CapabilityError(
    `Windows of ${entity.name} need a time-series store, and store "${entity.store}" (${store.domain.name}) computes none. Bind "${entity.store}" to one that does, or read a range and aggregate it.`,
    { entity: entity.name, store: entity.store },
  );
}

/** A window as a plain object: its start, the group's values, the aggregated values. */
export function plainWindow({ spec, aggregations }: WindowPlan, time: Field, row: WindowRow): object {
  const out: Record<string, unknown> = { start: fromNeutral(time, row.start) };
  spec.groupBy.forEach((field, at) => {
    out[field.name] = fromNeutral(field, row.group[at]);
  });
  spec.columns.forEach(({ alias, field }, at) => {
    out[alias] = aggregated(aggregations[at], field, row.values[at]);
  });
  return out;
}

/** The result of an aggregation in the class's own form: numbers as numbers, the rest as the property has it. */
export function aggregated(aggregation: Aggregation | undefined, field: Field | undefined, value: Value): unknown {
  switch (aggregation?.name) {
    case 'count':
    case 'countDistinct':
      return value === null || value === undefined ? 0 : Number(value);
    case 'mean':
    case 'percentile':
      return value === null || value === undefined ? null : Number(value);
    default:
      return field === undefined ? (value ?? null) : fromNeutral(field, value);
  }
}

function selected(entity: EntityModel, select: unknown): Record<string, Aggregation> {
  if (!isPlainObject(select) || Object.keys(select).length === 0) {
    throw refuse(
      entity,
      `select takes aggregations by name, { meanDelay: mean('delay') }, and was given ${describe(select)}`,
    );
  }
  for (const [alias, aggregation] of Object.entries(select)) {
    if (!(aggregation instanceof Aggregation)) {
      throw refuse(
        entity,
        `select.${alias} is ${describe(aggregation)}; a window selects aggregations such as mean('delay')`,
      );
    }
  }
  return select as Record<string, Aggregation>;
}

function tags(entity: EntityModel, groupBy: unknown): Field[] {
  const fields = namedFields(entity, groupBy, 'groupBy');
  const other = fields.find((field) => field.role !== 'tag');
  if (other === undefined) return fields;
  throw invalid(
    { entity, path: [...other.path] },
    'a window is grouped by tags, and this is none. Declare it with @Tag.',
  );
}

function measured(entity: EntityModel, time: Field, aggregation: Aggregation): Field {
  if (aggregation.property === undefined) return time;
  const [field] = namedFields(entity, [aggregation.property], 'select');
  if (field === undefined) return time;
  const counting = aggregation.name === 'count' || aggregation.name === 'first' || aggregation.name === 'last';
  const ordering = aggregation.name === 'min' || aggregation.name === 'max';
  if (counting || NUMBERS.has(field.type) || (ordering && field.type === 'timestamp')) return field;
  throw invalid(
    { entity, path: [...field.path] },
    `"${aggregation.name}" needs numbers, and this is of type ${field.type}.`,
  );
}

function seriesFunction(entity: EntityModel, { name, rank }: Aggregation): SeriesFunction {
  if (name === 'countDistinct') {
    throw refuse(entity, 'windows do not count different values; group by the tag, or count the rows of its groups');
  }
  if (name !== 'percentile') return name;
  if (rank !== undefined && rank >= 0 && rank <= 100) return { percentile: rank };
  throw refuse(entity, `a percentile is a number from 0 to 100, and this is ${describe(rank)}`);
}

function moment(entity: EntityModel, time: Field, value: unknown, name: string): Value {
  if (value === null) throw refuse(entity, `${name} is null; leave it out for a range without that end`);
  return time.codec.toRow(value);
}

function refuse(entity: EntityModel, problem: string): InvalidQueryError {
  return new InvalidQueryError(`${entity.name}: ${problem}.`, { entity: entity.name });
}
