/**
 * Grouping and joins inside one store: `{ country: 'customer.country', orders: count(), total: sum('amount') }`. Every
 * selected path is a group key; relations on a path become joins, as long as they stay in the store.
 */
import { CapabilityError, InvalidQueryError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row, Value } from '../model/field.js';
import { at, comparand, describe, invalid, isPlainObject, type Place, present } from '../query/comparand.js';
import { fromNeutral } from '../query/identity.js';
import { and, orAbsent } from '../query/logic.js';
import { type Members, membersOf, nearest, unknownProperty } from '../query/members.js';
import { entitiesIn, settle } from '../query/semi-join.js';
import { compileWhere, visible } from '../query/where.js';
import type { WorkContext } from '../session/ports.js';
import type { Operand } from '../store/condition.js';
import type { AggregateColumn, AggregateFunction, AggregateSpec } from '../store/read.js';
import { Aggregation, type AggregationName } from './aggregation.js';
import { cut } from './numbers.js';
import { callOptions, checkNames, deletedOption } from './query-plan.js';
import { aggregated } from './windows.js';

const OPTIONS = [
  'select',
  'where',
  'having',
  'orderBy',
  'limit',
  'offset',
  'withDeleted',
  'signal',
  'timeoutMs',
  'label',
];
const COMPARISONS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const;
type Comparison = (typeof COMPARISONS)[number];

const FUNCTIONS: Partial<Record<AggregationName, AggregateFunction>> = {
  mean: 'avg',
  min: 'min',
  max: 'max',
  sum: 'sum',
  count: 'count',
  countDistinct: 'countDistinct',
};

interface Column {
  readonly spec: AggregateColumn;
  readonly aggregation?: Aggregation;
  /** Entities that the path joins. */
  readonly joined: readonly EntityModel[];
}

interface Target {
  readonly on: Operand;
  readonly through: readonly string[];
  readonly joined: readonly EntityModel[];
}

/** Runs a grouping. Throws `CapabilityError` where the entity's store groups nothing, `InvalidQueryError` for mistakes. */
export async function runGrouping(work: WorkContext, entity: EntityModel, options: object): Promise<object[]> {
  checkNames(entity, options, OPTIONS);
  const given = options as Record<string, unknown>;
  const store = work.store(entity);
  if (store.aggregate === undefined) {
    throw new CapabilityError(
      `Grouping ${entity.name} needs a store that aggregates, and store "${entity.store}" (${store.domain.name}) does not. Bind "${entity.store}" to one that does, or find and group the rows.`,
      { entity: entity.name, store: entity.store },
    );
  }
  const columns = columnsOf(entity, given.select);
  const away = columns.flatMap(({ joined }) => joined).find((target) => !work.areTogether(entity, target));
  if (away !== undefined) {
    throw new CapabilityError(
      `Grouping ${entity.name} over ${away.name} cannot be done while one of them is being moved to another store. Group by the key and look the rest up with findByIds.`,
      { entity: away.name, store: away.store },
    );
  }
  const call = callOptions(options);
  const withDeleted = deletedOption(entity, given.withDeleted);
  const where = await settle(work, entity, and(compileWhere(entity, given.where), visible(entity, withDeleted)), call);
  const spec: AggregateSpec = {
    entity,
    columns: columns.map((column) => column.spec),
    where: orAbsent(where),
    having: havingOf(entity, columns, given.having),
    order: orderOf(entity, columns, given.orderBy),
    ...cut(entity, given.limit, given.offset, 'query'),
  };
  const reads = [entity, ...columns.flatMap(({ joined }) => joined), ...entitiesIn(where)];
  const rows = await store.aggregate(spec, await work.access(entity, reads, call));
  return rows.map((row) => plain(columns, row));
}

function plain(columns: readonly Column[], row: Row): object {
  return Object.fromEntries(
    columns.map(({ spec, aggregation }, position) => {
      const value = row[position];
      if (aggregation !== undefined) return [spec.alias, aggregated(aggregation, spec.on?.field, value)];
      const inJson = spec.on?.path !== undefined;
      return [spec.alias, inJson || spec.on === undefined ? (value ?? null) : fromNeutral(spec.on.field, value)];
    }),
  );
}

function columnsOf(entity: EntityModel, select: unknown): Column[] {
  const place: Place = { entity, path: [] };
  if (!isPlainObject(select) || Object.keys(select).length === 0) {
    throw invalid(
      place,
      `select takes paths and aggregations by name, { total: sum('amount') }, and was given ${describe(select)}.`,
    );
  }
  return Object.entries(select).map(([alias, wanted]): Column => {
    if (typeof wanted === 'string') {
      const { on, through, joined } = resolve(entity, wanted);
      return { spec: { alias, on, ...(through.length === 0 ? {} : { through }) }, joined };
    }
    if (!(wanted instanceof Aggregation)) {
      throw invalid(
        place,
        `select.${alias} is ${describe(wanted)}, and neither a path nor an aggregation such as count().`,
      );
    }
    const aggregation: Aggregation = wanted;
    const name = FUNCTIONS[aggregation.name];
    if (name === undefined) {
      throw new CapabilityError(
        `${entity.name}: "${aggregation.name}" is computed over measurements only, and ${entity.name} is ${entity.kind} in store "${entity.store}".`,
        { entity: entity.name, store: entity.store },
      );
    }
    if (aggregation.property === undefined) return { spec: { alias, function: name }, aggregation, joined: [] };
    const { on, through, joined } = resolve(entity, aggregation.property);
    checkNumbers(entity, aggregation, on.field);
    return { spec: { alias, function: name, on, ...(through.length === 0 ? {} : { through }) }, aggregation, joined };
  });
}

function checkNumbers(entity: EntityModel, { name, property = '' }: Aggregation, field: Field): void {
  if (name !== 'sum' && name !== 'mean') return;
  if (!field.array && ['integer', 'bigint', 'float', 'decimal', 'json'].includes(field.type)) return;
  throw invalid({ entity, path: property.split('.') }, `"${name}" needs numbers, and this is of type ${field.type}.`);
}

function resolve(entity: EntityModel, path: string): Target {
  const steps = path.split('.');
  const through: string[] = [];
  const joined: EntityModel[] = [];
  let owner = entity;
  let members: Members = membersOf(entity);
  for (const [position, step] of steps.entries()) {
    const member = members.get(step);
    const here = steps.slice(0, position + 1);
    const rest = steps.slice(position + 1);
    if (member === undefined) throw unknownProperty(owner, [step], members, `in the path "${path}"`);
    if (member.kind === 'embedded') {
      members = member.members;
      continue;
    }
    if (member.kind === 'field') {
      if (rest.length === 0) return { on: { field: member.field }, through, joined };
      if (member.field.type === 'json') return { on: { field: member.field, path: rest }, through, joined };
      throw invalid(
        at({ entity, path: [] }, ...here),
        `it is of type ${member.field.type}, and "${path}" goes further.`,
      );
    }
    const { relation, fields } = member;
    const [key] = fields;
    if (rest.length === 0 && key !== undefined && fields.length === 1) return { on: { field: key }, through, joined };
    if (relation.container !== 'ref' || relation.join.via === 'link') {
      throw invalid(
        at({ entity, path: [] }, ...here),
        'a path goes over to-one relations only; start from the other side to group its entities.',
      );
    }
    if (relation.target.store !== owner.store) {
      throw invalid(
        at({ entity, path: [] }, ...here),
        `${relation.target.name} lives in store "${relation.target.store}" and ${owner.name} in "${owner.store}", and a join stays inside one store. Group by the key and look the rest up with findByIds.`,
      );
    }
    through.push(relation.name);
    joined.push(relation.target);
    owner = relation.target;
    members = membersOf(owner);
  }
  throw invalid({ entity, path: steps }, 'it is an object; name one of its properties.');
}

function havingOf(entity: EntityModel, columns: readonly Column[], having: unknown): AggregateSpec['having'] {
  if (having === undefined) return undefined;
  const place: Place = { entity, path: ['having'] };
  if (!isPlainObject(having))
    throw invalid(place, `having takes conditions by name, and was given ${describe(having)}.`);
  return Object.entries(having).flatMap(([alias, condition]) => {
    const column = byAlias(place, columns, alias);
    if (column.aggregation === undefined) throw invalid(at(place, alias), 'it is a group key; filter it in where.');
    const operators = isPlainObject(condition) ? condition : { eq: condition };
    return Object.entries(operators).map(([op, value]) => {
      if (!isComparison(op)) throw invalid(at(place, alias), `"${op}" is none of ${COMPARISONS.join(', ')}.`);
      return { alias, op, value: bound(at(place, alias), column, value) };
    });
  });
}

function bound(place: Place, { aggregation, spec }: Column, value: unknown): Value {
  const given = present(place, value, 'the comparand');
  const own = aggregation?.name === 'min' || aggregation?.name === 'max' || aggregation?.name === 'sum';
  if (own && spec.on !== undefined && spec.on.path === undefined) return comparand(place, spec.on.field, given);
  if (typeof given === 'number' || typeof given === 'bigint') return given;
  throw invalid(
    place,
    `the comparand of ${aggregation?.name ?? 'a column'} is a number, and this is ${describe(given)}.`,
  );
}

function orderOf(entity: EntityModel, columns: readonly Column[], orderBy: unknown): AggregateSpec['order'] {
  if (orderBy === undefined) return undefined;
  const place: Place = { entity, path: ['orderBy'] };
  const list: readonly unknown[] = Array.isArray(orderBy) ? orderBy : [orderBy];
  return list.flatMap((part) => {
    if (!isPlainObject(part))
      throw invalid(place, `orderBy takes directions by name, and was given ${describe(part)}.`);
    return Object.entries(part).map(([alias, direction]) => {
      byAlias(place, columns, alias);
      if (direction === 'asc' || direction === 'desc') return { alias, direction } as const;
      throw invalid(at(place, alias), `the direction is 'asc' or 'desc', and this is ${describe(direction)}.`);
    });
  });
}

function byAlias(place: Place, columns: readonly Column[], alias: string): Column {
  const column = columns.find(({ spec }) => spec.alias === alias);
  if (column !== undefined) return column;
  const names = columns.map(({ spec }) => spec.alias);
  const near = nearest(alias, names);
  throw new InvalidQueryError(
    `${place.entity.name}: "${alias}" in ${place.path.join('.')} is not selected. ${near === undefined ? `Selected are ${names.join(', ')}.` : `Did you mean "${near}"?`}`,
    { entity: place.entity.name },
  );
}

function isComparison(op: string): op is Comparison {
  return (COMPARISONS as readonly string[]).includes(op);
}
