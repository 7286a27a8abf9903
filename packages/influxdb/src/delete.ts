/**
 * Deletions. The server deletes by a range of time and tags that must all be equal; it knows no list of points. So what
 * is to go is read first, and each unbroken run of it in a series is one request: a whole day of a series is one, and
 * points picked one by one are one each.
 */
import { type Predicate, type Row, rowKey, type Value } from '@storeweave/core';
import { type Equality, isEmpty, type Range, type Selection, selectionOf } from './condition.js';
import type { Connection } from './connection.js';
import type { Call } from './errors.js';
import { keyOf } from './line-protocol.js';
import type { Layout } from './names.js';
import { earlier, MAX_TIME } from './nanos.js';
import { fetchPoints } from './points.js';
import { tagForm } from './values.js';

export interface DeleteContext {
  readonly layout: Layout;
  readonly connection: Connection;
  readonly call: Call;
}

/** Deletions under way at a time. */
const AT_ONCE = 4;

/** Deletes the points with these identities; gives the identities of those that were there, as texts. */
export async function deletePoints(keys: readonly Row[], context: DeleteContext): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set();
  const { ids } = context.layout.entity;
  const selection = selectionOf({ op: 'keys', fields: ids, rows: keys }, context.layout);
  const wanted = new Set(keys.map(rowKey));
  const gone = new Set<string>();
  await deleteRuns(selection, context, (row) => {
    const key = rowKey(keyOf(context.layout, row));
    if (!wanted.has(key)) return false;
    gone.add(key);
    return true;
  });
  return gone;
}

/** Deletes what is selected. The number of points is for the caller to know. */
export async function deleteSelected(selection: Selection, context: DeleteContext): Promise<void> {
  if (isEmpty(selection.range)) return;
  if (selection.equals !== undefined) return deleteRange(selection.range, selection.equals, context);
  await deleteRuns(selection, context, selection.residual ?? (() => true));
}

async function deleteRuns(selection: Selection, context: DeleteContext, matches: Predicate<Row>): Promise<void> {
  const { layout, connection, call } = context;
  const series = new Map<string, Series>();
  const fields = [...layout.entity.ids, ...selection.needs];
  await fetchPoints(connection, { layout, selection, fields }, call, (row) => {
    const tags = layout.tags.map((field) => row[field.index]);
    const name = rowKey(tags);
    const known = series.get(name) ?? { tags, points: [] };
    series.set(name, known);
    known.points.push({ at: BigInt(row[layout.time.index] as number | bigint), goes: matches(row) });
  });
  const work = [...series.values()].flatMap(({ tags, points }) => {
    const equals = layout.tags.map((field, at): Equality => [field.column, tagForm(field).to(tags[at])]);
    return runs(points).map(([first, last]) => ({
      range: { from: first * layout.unit, to: (last + 1n) * layout.unit },
      equals,
    }));
  });
  const worker = async () => {
    for (let next = work.pop(); next !== undefined; next = work.pop())
      await deleteRange(next.range, next.equals, context);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

interface Series {
  readonly tags: readonly Value[];
  readonly points: { readonly at: bigint; readonly goes: boolean }[];
}

/** First and last time of each stretch of points that go, with none between them that stays. */
function runs(points: Series['points']): [first: bigint, last: bigint][] {
  const found: [bigint, bigint][] = [];
  let isOpen = false;
  for (const { at, goes } of points.sort((a, b) => (a.at < b.at ? -1 : 1))) {
    const run = found.at(-1);
    if (goes && isOpen && run !== undefined) run[1] = at;
    else if (goes) found.push([at, at]);
    isOpen = goes;
  }
  return found;
}

async function deleteRange({ from, to }: Range, equals: readonly Equality[], context: DeleteContext): Promise<void> {
  const { layout, connection, call } = context;
  const predicate = [['_measurement', layout.measurement] as const, ...equals]
    .map(([column, text]) => `${quoted(column)}=${quoted(text)}`)
    .join(' AND ');
  // The server counts the end of the range in.
  const body = { start: rfc3339(from), stop: rfc3339(earlier(to - 1n, MAX_TIME)), predicate };
  await connection.request(
    { method: 'POST', path: '/api/v2/delete', query: { org: connection.org, bucket: layout.bucket }, body },
    call,
  );
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** With nine digits after the point; the year has four between the first and last time that the server keeps. */
function rfc3339(nanos: bigint): string {
  const rest = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nanos - rest) / 1_000_000_000n;
  return `${new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)}.${String(rest).padStart(9, '0')}Z`;
}
