/**
 * What of a condition the server is asked to filter: a range of time and equality of tags, which its index serves. The
 * rest is decided here, on the rows that come back, because Flux has other rules for what is absent.
 * What is pushed is never narrower than the condition; `exact` says that it is not wider either.
 */
import {
  type Condition,
  type Field,
  type Predicate,
  predicateOf,
  type Row,
  type RowReader,
  type Value,
} from '@storeweave/core';
import { fluxAny, fluxEquals } from './flux.js';
import type { Layout } from './names.js';
import { earlier, later, MAX_TIME, MIN_TIME } from './nanos.js';
import { tagForm, Unkeepable } from './values.js';

/** From (included) to (excluded), in nanoseconds; empty where `to` is not after `from`. */
export interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

export interface Selection {
  readonly range: Range;
  /** A Flux expression over `r`; absent: all series. */
  readonly tags: string | undefined;
  /** The same as equalities that must all hold, where it can be said so: what a deletion can be told. */
  readonly equals: readonly Equality[] | undefined;
  /** Decides the rest, over rows aligned with the entity's fields; absent where the server decides all. */
  readonly residual: Predicate<Row> | undefined;
  /** What `residual` looks at. */
  readonly needs: ReadonlySet<Field>;
}

/** A tag's key and its text. */
export type Equality = readonly [column: string, text: string];

interface Pushed {
  readonly range: Range;
  readonly tags?: string;
  readonly equals?: readonly Equality[];
  readonly exact: boolean;
}

/** More values than this are looked for by time only, and told apart here. */
const MOST_VALUES = 2_000;

const ALL: Range = { from: MIN_TIME, to: MAX_TIME + 1n };
const NONE: Range = { from: 0n, to: 0n };

/** Aligned with the fields of the entity. */
const ROWS: RowReader<Row> = { value: (row, field) => row[field.index] ?? null };

export function isEmpty({ from, to }: Range): boolean {
  return to <= from;
}

/** Divides a condition between the server and this store. */
export function selectionOf(condition: Condition | undefined, layout: Layout): Selection {
  const needs = new Set<Field>();
  if (condition === undefined) return { range: ALL, tags: undefined, equals: [], residual: undefined, needs };
  const { range, tags, equals, exact } = push(condition, layout);
  if (!exact) fieldsIn(condition, needs);
  return {
    range,
    tags,
    equals: exact ? equals : undefined,
    residual: exact ? undefined : predicateOf(condition, ROWS),
    needs,
  };
}

/** The fields that a condition looks at. */
function fieldsIn(condition: Condition, into: Set<Field>): void {
  switch (condition.op) {
    case 'and':
    case 'or':
      for (const part of condition.conditions) fieldsIn(part, into);
      return;
    case 'not':
      fieldsIn(condition.condition, into);
      return;
    case 'keys':
      for (const field of condition.fields) into.add(field);
      return;
    case 'related':
      return;
    default:
      into.add(condition.on.field);
  }
}

/** Both ends of a range of neutral times, in nanoseconds. */
export function rangeOf(layout: Layout, from: Value | undefined, to: Value | undefined): Range {
  const nanos = (value: Value) => BigInt(value as bigint | number) * layout.unit;
  return both(ALL, { from: from === undefined ? MIN_TIME : nanos(from), to: to === undefined ? ALL.to : nanos(to) });
}

/** What lies in both. */
export function both(a: Range, b: Range): Range {
  const range = { from: later(a.from, b.from), to: earlier(a.to, b.to) };
  return isEmpty(range) ? NONE : range;
}

function push(condition: Condition, layout: Layout): Pushed {
  switch (condition.op) {
    case 'and':
      return all(condition.conditions.map((part) => push(part, layout)));
    case 'or':
      return any(condition.conditions.map((part) => push(part, layout)));
    case 'eq':
      return among(condition.on.field, [condition.value], layout);
    case 'in':
      return among(condition.on.field, condition.values, layout);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      if (condition.on.field !== layout.time) return wide();
      return within(layout, condition.op, condition.value);
    case 'between':
      if (condition.on.field !== layout.time) return wide();
      return all([within(layout, 'gte', condition.low), within(layout, 'lte', condition.high)]);
    case 'keys': {
      const columns = condition.fields.map((field, at) =>
        among(
          field,
          condition.rows.map((row) => row[at]),
          layout,
        ),
      );
      const pushed = all(columns);
      return condition.rows.length === 1 ? pushed : { ...pushed, exact: false };
    }
    default:
      return wide();
  }
}

function wide(): Pushed {
  return { range: ALL, exact: false };
}

function all(parts: readonly Pushed[]): Pushed {
  const tags = parts.flatMap((part) => part.tags ?? []);
  const equals = parts.map((part) => part.equals);
  return {
    range: parts.reduce((range, part) => both(range, part.range), ALL),
    ...(tags.length > 0 && { tags: tags.length === 1 ? tags[0] : `(${tags.join(' and ')})` }),
    ...(equals.every((each) => each !== undefined) && { equals: equals.flat() }),
    exact: parts.every((part) => part.exact),
  };
}

function any(parts: readonly Pushed[]): Pushed {
  const some = parts.filter((part) => !isEmpty(part.range));
  const [first, ...more] = some;
  if (first === undefined) return { range: NONE, equals: [], exact: true };
  if (more.length === 0) return first;
  const tags = some.map((part) => part.tags);
  const everySeries = tags.some((each) => each === undefined);
  return {
    range: some.reduce(
      (hull, { range }) => ({ from: earlier(hull.from, range.from), to: later(hull.to, range.to) }),
      first.range,
    ),
    ...(!everySeries && { tags: fluxAny(tags as string[]) }),
    exact: !everySeries && some.every((part) => part.exact && part.range === ALL),
  };
}

function within({ unit }: Layout, op: 'gt' | 'gte' | 'lt' | 'lte', value: Value): Pushed {
  const at = BigInt(value as bigint | number) * unit;
  // A point that someone else wrote between two units counts as one of the unit before.
  const bound = op === 'gt' || op === 'lte' ? at + unit : at;
  const range = op === 'gt' || op === 'gte' ? { from: bound, to: ALL.to } : { from: MIN_TIME, to: bound };
  return { range: both(ALL, range), equals: [], exact: true };
}

function among(field: Field, values: readonly Value[], layout: Layout): Pushed {
  if (values.length === 0) return { range: NONE, equals: [], exact: true };
  if (field === layout.time) {
    const units = values.map((value) => BigInt(value as bigint | number));
    const least = units.reduce(earlier);
    const greatest = units.reduce(later);
    const range = both(ALL, { from: least * layout.unit, to: (greatest + 1n) * layout.unit });
    return { range, equals: [], exact: least === greatest };
  }
  if (field.role !== 'tag') return wide();
  const { to } = tagForm(field);
  const texts = new Set(values.flatMap((value) => keepable(() => to(value))));
  if (texts.size === 0) return { range: NONE, equals: [], exact: true };
  if (texts.size > MOST_VALUES) return wide();
  const [only] = texts;
  return {
    range: ALL,
    tags: fluxAny([...texts].map((text) => fluxEquals(field.column, text))),
    ...(texts.size === 1 && only !== undefined && { equals: [[field.column, only]] }),
    exact: true,
  };
}

/** A value that cannot be kept is in no point. */
function keepable(text: () => string): string[] {
  try {
    return [text()];
  } catch (error) {
    if (error instanceof Unkeepable) return [];
    throw error;
  }
}
