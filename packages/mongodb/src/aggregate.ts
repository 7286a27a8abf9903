/**
 * Grouping as a pipeline: filter, the to-one relations that columns reach over (`$lookup`), one `$group`, conditions on
 * groups, order. Absent values count for nothing, and a sum over none of them is absent.
 */
import {
  type AggregateColumn,
  type AggregateSpec,
  type EntityModel,
  type Field,
  InvalidQueryError,
  type RelationModel,
  type Row,
  type Rows,
  type Value,
} from '@storeweave/core';
import { Decimal128, type Document, Long } from 'mongodb';
import { filterOf } from './condition.js';
import { mayBeLong } from './decimal.js';
import type { Call } from './domain.js';
import { type Expression, isJson, operandExpression } from './json-condition.js';
import { decodeJson } from './json-values.js';
import { shapeOf } from './names.js';
import { valuesOf } from './values.js';

interface Column {
  readonly spec: AggregateColumn;
  readonly name: string;
  /** Entity and field of what is read; absent for a count of everything. */
  readonly entity: EntityModel;
  readonly field: Field | undefined;
  readonly value: Expression;
}

export async function aggregateRows(spec: AggregateSpec, call: Call): Promise<Rows> {
  const shape = shapeOf(spec.entity);
  const stages: Document[] = [{ $match: { ...filterOf(spec.where, shape), ...call.shown(spec.entity) } }];
  const joins: Joins = { stages, joined: new Map(), shown: call.shown };
  const columns = spec.columns.map((column, at) => describe(spec.entity, column, `c${at}`, joins));
  const grouped = columns.filter(({ spec }) => spec.function === undefined);
  const group: Document = {
    _id:
      grouped.length === 0 ? null : Object.fromEntries(grouped.map(({ name, value }) => [name, absentAsNull(value)])),
  };
  const project: Document = { _id: 0 };
  for (const column of columns) {
    const { accumulators, result } = accumulate(column);
    Object.assign(group, accumulators);
    project[column.name] = result;
  }
  stages.push({ $group: group });
  // A grouping without keys has one row also where nothing was found.
  if (grouped.length === 0) stages.push({ $project: project });
  else stages.push({ $project: project }, ...selection(spec, columns));
  const found = await call
    .collection(spec.entity)
    .aggregate(stages, { ...call.options, allowDiskUse: true })
    .toArray();
  const rows = found.map((document) => columns.map((column) => decode(column, document[column.name])));
  if (grouped.length > 0) return rows;
  return selectOne(spec, rows[0] ?? columns.map(({ spec }) => (isCount(spec) ? 0 : null)));
}

interface Joins {
  readonly stages: Document[];
  /** Where each joined document is, by the way to it. */
  readonly joined: Map<string, string>;
  readonly shown: Call['shown'];
}

/** A column, with the joins that it needs added to the stages. */
function describe(entity: EntityModel, spec: AggregateColumn, name: string, joins: Joins): Column {
  const { stages, joined, shown } = joins;
  let owner = entity;
  let prefix = '';
  const way: string[] = [];
  for (const step of spec.through ?? []) {
    const relation = owner.relationsByName.get(step);
    if (relation === undefined || relation.join.via === 'link') {
      throw new InvalidQueryError(`${owner.name}.${step} is not a to-one relation that a grouping can follow.`, {
        entity: owner.name,
      });
    }
    way.push(step);
    let as = joined.get(way.join('.'));
    if (as === undefined) {
      as = `__joined${joined.size}`;
      joined.set(way.join('.'), as);
      stages.push(...joinStages(relation, prefix, as, shown(relation.target)));
    }
    prefix = `${as}.`;
    owner = relation.target;
  }
  const { on } = spec;
  if (on === undefined) return { spec, name, entity: owner, field: undefined, value: 1 };
  const shape = shapeOf(owner);
  const placed = { ...shape, path: (field: Field) => `${prefix}${shape.path(field)}` };
  return { spec, name, entity: owner, field: isJson(on) ? undefined : on.field, value: operandExpression(on, placed) };
}

/** The one document that the relation leads to, or none. */
function joinStages({ owner, target, join }: RelationModel, prefix: string, as: string, shown: Document): Document[] {
  if (join.via === 'link') return [];
  const own = shapeOf(owner);
  const other = shapeOf(target);
  const keys = join.fields.map((field, i) => ({ name: `k${i}`, field, target: join.targetFields[i] ?? field }));
  const same = keys.flatMap((key) => [
    { $gt: [`$$${key.name}`, null] },
    { $eq: [`$${other.path(key.target)}`, `$$${key.name}`] },
  ]);
  return [
    {
      $lookup: {
        from: other.collection,
        let: Object.fromEntries(keys.map(({ name, field }) => [name, `$${prefix}${own.path(field)}`])),
        pipeline: [{ $match: { $expr: { $and: same }, ...shown } }, { $limit: 1 }],
        as,
      },
    },
    { $unwind: { path: `$${as}`, preserveNullAndEmptyArrays: true } },
  ];
}

function absentAsNull(value: Expression): Expression {
  return { $ifNull: [value, null] };
}

function isCount({ function: name }: AggregateColumn): boolean {
  return name === 'count' || name === 'countDistinct';
}

function accumulate({ spec, name, field, value }: Column): { accumulators: Document; result: Expression } {
  const some = { $cond: [{ $gt: [value, null] }, 1, 0] };
  // The rounded value stands for a decimal that is too long to be added.
  const addend = field !== undefined && mayBeLong(field) ? { $ifNull: [nearOf(value), value] } : value;
  const ofSome = (accumulator: Document): { accumulators: Document; result: Expression } => ({
    accumulators: { [name]: accumulator, [`${name}n`]: { $sum: some } },
    result: { $cond: [{ $gt: [`$${name}n`, 0] }, `$${name}`, null] },
  });
  switch (spec.function) {
    case undefined:
      return { accumulators: {}, result: `$_id.${name}` };
    case 'count':
      return { accumulators: { [name]: { $sum: spec.on === undefined ? 1 : some } }, result: `$${name}` };
    case 'countDistinct':
      return {
        accumulators: { [name]: { $addToSet: absentAsNull(value) } },
        result: { $size: { $setDifference: [`$${name}`, [null]] } },
      };
    case 'sum':
      return ofSome({ $sum: addend });
    case 'avg':
      return ofSome({ $avg: addend });
    case 'min':
    case 'max': {
      const pick = `$${spec.function}`;
      if (field === undefined || !mayBeLong(field)) return ofSome({ [pick]: value });
      const sortable = { near: { $ifNull: [nearOf(value), value] }, exact: { $ifNull: [exactOf(value), null] }, value };
      const found = ofSome({ [pick]: { $cond: [{ $gt: [value, null] }, sortable, null] } });
      return { ...found, result: { $ifNull: [`$${name}.value`, null] } };
    }
  }
}

function nearOf(value: Expression): Expression {
  return `${String(value)}.near`;
}

function exactOf(value: Expression): Expression {
  return `${String(value)}.exact`;
}

function selection(spec: AggregateSpec, columns: readonly Column[]): Document[] {
  const stages: Document[] = [];
  const named = (alias: string) => columns.find(({ spec }) => spec.alias === alias);
  const conditions = (spec.having ?? []).flatMap(({ alias, op, value }) => {
    const column = named(alias);
    return column === undefined ? [] : [{ [column.name]: { [`$${op}`]: comparand(column, value) } }];
  });
  if (conditions.length > 0) stages.push({ $match: { $and: conditions } });
  const computed: Record<string, Expression> = {};
  const sort: Record<string, 1 | -1> = {};
  for (const [at, { alias, direction }] of (spec.order ?? []).entries()) {
    const column = named(alias);
    if (column === undefined) continue;
    // Absent values come last in both directions.
    if (direction === 'asc') {
      computed[`__sort${at}`] = { $cond: [{ $gt: [`$${column.name}`, null] }, 0, 1] };
      sort[`__sort${at}`] = 1;
    }
    sort[column.name] = direction === 'asc' ? 1 : -1;
  }
  if (Object.keys(computed).length > 0) stages.push({ $addFields: computed });
  if (Object.keys(sort).length > 0) stages.push({ $sort: sort });
  if (spec.offset !== undefined && spec.offset > 0) stages.push({ $skip: spec.offset });
  if (spec.limit !== undefined)
    stages.push(spec.limit === 0 ? { $match: { _id: { $in: [] } } } : { $limit: spec.limit });
  return stages;
}

/** Sums and counts compare as numbers, whatever form the value came in. */
function comparand({ spec, field, entity }: Column, value: Value): unknown {
  if (typeof value === 'bigint') return Long.fromBigInt(value);
  if (field === undefined || isCount(spec)) return value;
  const isNumber = spec.function === 'sum' || spec.function === 'avg' || field.type === 'decimal';
  if (isNumber) return typeof value === 'string' ? Decimal128.fromString(value) : value;
  return valuesOf(entity, field).encode(value);
}

/** The one row of a grouping without keys. */
function selectOne({ having, columns, limit, offset }: AggregateSpec, row: Row): Rows {
  const fits = (having ?? []).every(({ alias, op, value }) => {
    const own = row[columns.findIndex((column) => column.alias === alias)];
    if (own === null || own === undefined) return op === 'ne';
    const order = compare(own, value);
    return { eq: order === 0, ne: order !== 0, gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[op];
  });
  return fits && limit !== 0 && (offset ?? 0) === 0 ? [row] : [];
}

function compare(own: Value, value: Value): number {
  if (typeof own === 'string' && typeof value === 'string' && Number.isNaN(Number(own))) {
    return own < value ? -1 : own > value ? 1 : 0;
  }
  return Number(own) - Number(value);
}

function decode({ spec, field, entity }: Column, found: unknown): Value {
  if (isCount(spec)) return Number(found ?? 0);
  if (found === null || found === undefined) return null;
  if (spec.function === 'avg') return Number(found instanceof Decimal128 ? found.toString() : found);
  if (field === undefined) return decodeJson(found);
  return valuesOf(entity, field).decode(found);
}
