/**
 * New nodes: one `UNWIND` per batch. With a conflict to be settled it is a `MERGE` on the key, whose unique constraint
 * makes it safe beside others; without one, a key that is taken is refused by that constraint.
 */
import {
  type FenceOwner,
  type Field,
  type InsertBatch,
  type Row,
  UniqueViolationError,
  type Value,
  type WriteResult,
} from '@storeweave/core';
import { holdersOf, marks, refuseHeld, UNIT } from '../fences/marks.js';
import { countGivers, giversCypher, type UniqueFields, untilGiven } from '../fences/trade.js';
import { type GraphNames, quote, type Shape } from '../names.js';
import { lockCypher } from '../read.js';
import { Matched, Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { decoder } from '../values.js';
import { chunks, columnsOf, keyOf, listOf, mapOf } from './rows.js';

/** Marks what a statement made itself, until its end. */
export const NEW = 'storeweave:new';

/** A batch, its rows completed. */
export interface Insertion {
  readonly batch: InsertBatch;
  readonly rows: readonly Row[];
}

export async function insertNodes({ batch, rows }: Insertion, names: GraphNames, runner: Runner): Promise<WriteResult> {
  const { entity, onConflict } = batch;
  if (onConflict === undefined) {
    await createNodes(batch, rows, names, runner);
    return { count: rows.length, ...returned(batch, rows) };
  }
  const keys = onConflict.keys ?? entity.ids;
  // An absent value collides with nothing.
  const [free, bound] = split(rows, (row) => keys.some((key) => row[key.index] === null));
  await createNodes(batch, free, names, runner);
  const written = new Set<string>();
  const outcomes = new Map<Row, Row>();
  for (const piece of chunks(bound)) {
    const answer = (await runner.run(mergeCypher(batch, keys, piece, names), entity)) as [
      number,
      boolean,
      Value[],
      unknown[] | null,
    ][];
    if (names.isFenced)
      refuseHeld(
        entity,
        answer.map(([, , , holders]) => holders ?? []),
      );
    for (const [at, isWritten, values] of answer) {
      const row = piece[at];
      if (row === undefined) continue;
      if (isWritten)
        written.add(
          JSON.stringify(
            keyOf(
              entity,
              keys,
              keys.map((key) => row[key.index]),
            ),
            plainly,
          ),
        );
      outcomes.set(row, values);
    }
  }
  const { returning } = batch;
  if (returning === undefined) return { count: free.length + written.size };
  const decoders = returning.map(decoder);
  return {
    count: free.length + written.size,
    returned: rows.map(
      (row) => outcomes.get(row)?.map((value, i) => decoders[i]?.(value)) ?? returning.map((field) => row[field.index]),
    ),
  };
}

/** A key that is taken, where no constraint of the server says so. */
export function taken(batch: InsertBatch, row: Row): UniqueViolationError {
  const { entity } = batch;
  const key = entity.ids.map((id) => row[id.index]);
  return new UniqueViolationError(
    `${entity.name} with the key ${key.map(String).join(', ')} exists. Choose another key or upsert().`,
    { entity: entity.name, store: entity.store, key },
  );
}

export function returned(batch: InsertBatch, rows: readonly Row[]): { returned?: Row[] } {
  const { returning } = batch;
  return returning === undefined ? {} : { returned: rows.map((row) => returning.map((field) => row[field.index])) };
}

/** How placeholders of a unit of work are written. */
export interface Placeholder {
  readonly owner: FenceOwner;
  /** Constraints whose values something of the same unit of work may be giving up. */
  readonly traded: readonly UniqueFields[];
}

/** Returns how many values are left out of placeholders, because they are yet to be given up. */
export async function createNodes(
  batch: InsertBatch,
  rows: readonly Row[],
  names: GraphNames,
  runner: Runner,
  placeholder?: Placeholder,
): Promise<number> {
  const { entity } = batch;
  const shape = names.shape(entity);
  let open = 0;
  for (const piece of chunks(rows)) {
    const scope = new Scope(names);
    const list = scope.parameter(piece.map((row) => listOf(entity, entity.fields, (field) => row[field.index])));
    const { properties, before, count } = placing(entity.fields, 'row', shape, scope, placeholder);
    const text = [`UNWIND ${list} AS row`, ...before, `CREATE (n:${quote(shape.source)} {${properties}})`];
    if (before.length > 0) text.push(`RETURN ${count}`);
    const [left] = await runner.run(scope.statement(text.join('\n')), entity);
    open += Number(left ?? 0);
  }
  return open;
}

/** Properties of something new, from a list of values; a placeholder also has its marks. */
export function placing(
  fields: readonly Field[],
  list: string,
  shape: Shape,
  scope: Scope,
  placeholder?: Placeholder,
): { readonly properties: string; readonly before: readonly string[]; readonly count: string } {
  const columns = columnsOf(fields);
  const given = (column: string) => `${list}[${columns.indexOf(column)}]`;
  if (placeholder === undefined) {
    const properties = columns.map((column) => `${quote(column)}: ${given(column)}`).join(', ');
    return { properties, before: [], count: '0' };
  }
  const { owner, traded } = placeholder;
  const marked = marks(owner, "'insert'", scope);
  const unit = marked[UNIT] ?? '';
  const values = new Map(columns.map((column) => [column, given(column)]));
  for (const field of traded.flat()) values.set(field.column, untilGiven(traded, field, given(field.column), unit));
  return {
    properties: [
      ...[...values].map(([column, value]) => `${quote(column)}: ${value}`),
      ...Object.entries(marked).map(([property, value]) => `${property}: ${value}`),
    ].join(', '),
    before: giversCypher(traded, shape, (field) => given(field.column)),
    count: countGivers(traded, unit),
  };
}

function mergeCypher(batch: InsertBatch, keys: readonly Field[], rows: readonly Row[], names: GraphNames) {
  const { entity, onConflict, returning = [] } = batch;
  const scope = new Scope(names);
  const shape = names.shape(entity);
  const isUpdate = onConflict?.do === 'update';
  const update = isUpdate ? (onConflict.update ?? []).filter((field) => field !== entity.version) : [];
  const list = scope.parameter(
    rows.map((row, at) => [
      keys.map((key) => listOf(entity, [key], () => row[key.index])[0]),
      mapOf(entity, entity.fields, (field) => row[field.index]),
      mapOf(entity, update, (field) => row[field.index]),
      at,
    ]),
  );
  const matched = new Matched(shape, 'n', '', '');
  const key = keys.map((field, i) => `${quote(field.column)}: row[0][${i}]`).join(', ');
  const sets = ['n += row[2]'];
  if (isUpdate && entity.version !== undefined && onConflict.update?.includes(entity.version)) {
    const version = matched.field(entity.version);
    sets.push(`${version} = coalesce(${version}, 0) + 1`);
  }
  return scope.statement(
    [
      `UNWIND ${list} AS row`,
      `MERGE (n:${quote(shape.source)} {${key}}) ON CREATE SET n.${quote(NEW)} = row[3]`,
      ...settleCypher('row[1]', isUpdate ? sets : []),
      `RETURN [row[3], isNew OR ${isUpdate}, [${returning.map((field) => matched.field(field)).join(', ')}]${names.isFenced ? `, ${holdersOf('n', shape, false)}` : ''}]`,
    ].join('\n'),
  );
}

/** After a MERGE of `n`: what was made is filled, what was there is changed under its lock. */
export function settleCypher(fill: string, change: readonly string[], carry: readonly string[] = []): string[] {
  const when = (condition: string, sets: readonly string[]) =>
    sets.length === 0 ? [] : [`FOREACH (_ IN CASE WHEN ${condition} THEN [1] ELSE [] END | SET ${sets.join(', ')})`];
  return [
    ...lockCypher('n'),
    `WITH ${['row', 'n', ...carry].join(', ')}, coalesce(n.${quote(NEW)} = row[3], false) AS isNew`,
    ...when('isNew', [`n += ${fill}`]),
    ...when('NOT isNew', change),
    `REMOVE n.${quote(NEW)}`,
  ];
}

function split<T>(list: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [list.filter(test), list.filter((item) => !test(item))];
}

function plainly(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
