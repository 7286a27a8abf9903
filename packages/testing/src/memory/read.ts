/** Reads of the memory store: filter, order, limit (in all or per group) and projection; counts; grouping. */
import {
  type AggregateColumn,
  type AggregateSpec,
  addValues,
  compareOperands,
  compareValues,
  type EntityModel,
  type Field,
  InvalidQueryError,
  type Order,
  type ReadSpec,
  type Row,
  rowKey,
  type Value,
  valueKey,
} from '@storeweave/core';
import { operandValue, predicate, type View } from './condition.js';
import { cell, copy, type Stored } from './values.js';

/** The stored rows that a read selects, in order. */
export function select(spec: ReadSpec, view: View): Stored[] {
  const matches = spec.where === undefined ? undefined : predicate(spec.where, view);
  const found: Stored[] = [];
  for (const row of view.rows(spec.entity)) if (matches === undefined || matches(row)) found.push(row);
  const { order } = spec;
  if (order !== undefined && order.length > 0) found.sort((a, b) => compareRows(order, a, b));
  const offset = spec.offset ?? 0;
  const end = spec.limit === undefined ? Number.POSITIVE_INFINITY : offset + spec.limit;
  const { perGroup } = spec;
  if (perGroup === undefined) return offset === 0 && end >= found.length ? found : found.slice(offset, end);
  const seen = new Map<string, number>();
  return found.filter((row) => {
    const group = rowKey(perGroup.map((field) => cell(row, field)));
    const position = seen.get(group) ?? 0;
    seen.set(group, position + 1);
    return position >= offset && position < end;
  });
}

export function project(fields: readonly Field[], row: Stored): Row {
  return fields.map((field) => copy(cell(row, field)));
}

function compareRows(order: readonly Order[], a: Stored, b: Stored): number {
  for (const { on, direction, nulls } of order) {
    const left = operandValue(a, on);
    const right = operandValue(b, on);
    if (left === null || right === null) {
      if (left === right) continue;
      return (left === null) === (nulls === 'first') ? -1 : 1;
    }
    const result = compareOperands(on, left, right);
    if (result !== 0 && !Number.isNaN(result)) return direction === 'asc' ? result : -result;
  }
  return 0;
}

/** Groups by the columns without a function; rows aligned with `columns`. */
export function aggregate(spec: AggregateSpec, view: View): Row[] {
  const matches = spec.where === undefined ? undefined : predicate(spec.where, view);
  const readers = spec.columns.map((column) => columnReader(spec.entity, column, view));
  const grouped = spec.columns.flatMap((column, i) => (column.function === undefined ? [i] : []));
  const groups = new Map<string, Value[][]>();
  if (grouped.length === 0) groups.set('', []);
  for (const row of view.rows(spec.entity)) {
    if (matches !== undefined && !matches(row)) continue;
    const values = readers.map((read) => read(row));
    const key = rowKey(grouped.map((i) => values[i]));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [values]);
    else group.push(values);
  }
  let rows = [...groups.values()].map((members) =>
    spec.columns.map((column, i) =>
      column.function === undefined
        ? copy(members[0]?.[i] ?? null)
        : fold(
            column,
            members.map((values) => values[i]),
          ),
    ),
  );
  const position = (alias: string) => spec.columns.findIndex((column) => column.alias === alias);
  for (const { alias, op, value } of spec.having ?? []) {
    rows = rows.filter((row) => {
      const own = row[position(alias)];
      if (own === null || own === undefined) return op === 'ne';
      const order = compareLoose(own, value);
      return { eq: order === 0, ne: order !== 0, gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[op];
    });
  }
  const order = (spec.order ?? []).map((by) => ({ at: position(by.alias), direction: by.direction }));
  rows.sort((a, b) => {
    for (const { at, direction } of order) {
      const left = a[at] ?? null;
      const right = b[at] ?? null;
      if (left === null || right === null) {
        if (left !== right) return left === null ? 1 : -1;
        continue;
      }
      const result = compareLoose(left, right);
      if (result !== 0) return direction === 'asc' ? result : -result;
    }
    return 0;
  });
  const offset = spec.offset ?? 0;
  return rows.slice(offset, spec.limit === undefined ? undefined : offset + spec.limit);
}

function columnReader(entity: EntityModel, column: AggregateColumn, view: View): (row: Stored) => Value {
  const { on } = column;
  if (on === undefined) return () => true;
  let owner = entity;
  let follow: (row: Stored) => Stored | undefined = (row) => row;
  for (const name of column.through ?? []) {
    const relation = owner.relationsByName.get(name);
    if (relation === undefined || relation.join.via === 'link')
      throw new InvalidQueryError(`${owner.name}.${name} is not a to-one relation that an aggregation can follow.`, {
        entity: owner.name,
      });
    const { fields, targetFields } = relation.join;
    const targets = new Map<string, Stored>();
    for (const row of view.rows(relation.target))
      targets.set(rowKey(targetFields.map((field) => cell(row, field))), row);
    const before = follow;
    follow = (row) => {
      const at = before(row);
      return at && targets.get(rowKey(fields.map((field) => cell(at, field))));
    };
    owner = relation.target;
  }
  return (row) => {
    const at = follow(row);
    return at === undefined ? null : operandValue(at, on);
  };
}

function fold(column: AggregateColumn, all: readonly Value[]): Value {
  const values = all.filter((value) => value !== null && value !== undefined);
  const field = column.on?.field;
  switch (column.function) {
    case 'count':
      return values.length;
    case 'countDistinct':
      return new Set(values.map(valueKey)).size;
    case 'sum':
      if (values.length === 0 || field === undefined) return null;
      return values.reduce<Value>((sum, value) => addValues(field, sum, value), null);
    case 'avg':
      return values.length === 0 ? null : values.reduce((sum: number, value) => sum + Number(value), 0) / values.length;
    case 'min':
    case 'max': {
      const sign = column.function === 'min' ? 1 : -1;
      const { on } = column;
      if (on === undefined || values.length === 0) return null;
      return copy(
        values.reduce<Value>((best, value) => (sign * compareOperands(on, value, best) < 0 ? value : best), values[0]),
      );
    }
    default:
      return null;
  }
}

// A decimal sum is text, a condition on it may be a number: compared as numbers.
function compareLoose(a: Value, b: Value): number {
  const numeric = (value: Value) => typeof value === 'number' || typeof value === 'bigint';
  if (numeric(a) !== numeric(b)) return Number(a) - Number(b);
  if (typeof a === 'string' && typeof b === 'string' && /^-?\d+(\.\d+)?$/.test(a) && /^-?\d+(\.\d+)?$/.test(b))
    return compareValues({ type: 'decimal', array: false } as Field, a, b);
  return a === b ? 0 : (a as number) < (b as number) ? -1 : 1;
}
