/**
 * New relationships. The nodes at their ends are looked up by key; those of other stores are made here, with their key
 * and nothing else, and stay when the relationship goes. One without a key of its own is made by `MERGE`, which locks
 * both ends, so that two at once never leave two of them.
 */
import {
  ForeignKeyViolationError,
  type InsertBatch,
  type Row,
  SerializationError,
  UniqueViolationError,
  type WriteResult,
} from '@storeweave/core';
import { guardEnds } from '../fences/ends.js';
import { holdersOf, ownerOf, refuseHeld } from '../fences/marks.js';
import { type EndShape, type GraphNames, quote, type Shape } from '../names.js';
import { lockCypher } from '../read.js';
import { endPattern, Matched, Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { type Insertion, NEW, type Placeholder, placing, returned, settleCypher, taken } from './insert.js';
import { chunks, endKeys, keyOf, listOf, mapOf } from './rows.js';

export async function insertRelationships(
  { batch, rows }: Insertion,
  names: GraphNames,
  runner: Runner,
): Promise<WriteResult> {
  const shape = names.shape(batch.entity);
  if (shape.isPair) return mergePairs({ batch, rows }, shape, names, runner);
  if (batch.onConflict === undefined) {
    await createRelationships(batch, rows, names, runner);
    return { count: rows.length, ...returned(batch, rows) };
  }
  return upsert({ batch, rows }, shape, names, runner);
}

/** `MATCH` or `MERGE` of both ends; `from` and `to` are expressions of lists with their keys. */
export function endsCypher(shape: Shape, from: string, to: string): string[] {
  const { ends } = shape;
  if (ends === undefined) return [];
  const find = (alias: string, end: EndShape, keys: string) => {
    const parts = end.properties.map((property, i) => ({ property: quote(property), key: `${keys}[${i}]` }));
    return end.isReference
      ? `MERGE (${alias}:${quote(end.label)} {${parts.map(({ property, key }) => `${property}: ${key}`).join(', ')}})`
      : `MATCH ${endPattern(alias, end)} WHERE ${parts.map(({ property, key }) => `${alias}.${property} = ${key}`).join(' AND ')}`;
  };
  // What must be there is looked for first: a reference is not made for a relationship that cannot be.
  return [find('a', ends.from, from), find('b', ends.to, to)].sort((x, y) => Number(x > y) - Number(x < y));
}

/** The relationships at `missing` lead to a node that is not there. */
export function danglingEnds(
  batch: Pick<InsertBatch, 'entity'>,
  count: number,
  example: string,
): ForeignKeyViolationError {
  return new ForeignKeyViolationError(
    `${count} of the relationships ${batch.entity.name} start or end at a node that is not there (such as ${example}). Save the nodes first.`,
    { entity: batch.entity.name, store: batch.entity.store },
  );
}

/**
 * Placeholders are not refused by fences that are in their way: those are answered, as lists that `ownersIn` reads, beside
 * the number of values that are yet to be given up.
 */
export async function createRelationships(
  batch: InsertBatch,
  rows: readonly Row[],
  names: GraphNames,
  runner: Runner,
  placeholder?: Placeholder,
): Promise<{ readonly held: unknown[]; readonly open: number }> {
  const { entity } = batch;
  const shape = names.shape(entity);
  const owner = placeholder?.owner;
  const isGuarded = names.isFenced || owner !== undefined;
  let open = 0;
  const held: unknown[] = [];
  for (const piece of chunks(rows)) {
    const scope = new Scope(names);
    const list = scope.parameter(
      piece.map((row, at) => {
        const { from, to } = endKeys(shape, row);
        return [from, to, listOf(entity, shape.own, (field) => row[field.index]), at];
      }),
    );
    const { properties, before, count } = placing(shape.own, 'row[2]', shape, scope, placeholder);
    const isPair = shape.isPair && owner !== undefined;
    const text = [
      `UNWIND ${list} AS row`,
      ...endsCypher(shape, 'row[0]', 'row[1]'),
      ...(isGuarded ? guardEnds(shape, scope, owner) : []),
      ...(isPair ? [`WITH row, a, b, holders, [(a)-[x:${quote(shape.source)}]->(b) | ${ownerOf('x')}] AS others`] : []),
      ...before,
      `CREATE (a)-[n:${quote(shape.source)} {${properties}}]->(b)`,
      `RETURN [collect([row[3], ${isGuarded ? 'holders' : '[]'}, ${isPair ? 'others' : '[]'}]), ${count}]`,
    ];
    const [[answer, left]] = (await runner.run(scope.statement(text.join('\n')), entity)) as [
      [[number, unknown[], [string | null, string | null][]][], number],
    ];
    open += Number(left);
    refuseMissing(
      batch,
      piece,
      shape,
      answer.map(([at]) => at),
    );
    for (const [at, holders, others] of answer) {
      held.push(...holders);
      for (const other of others) {
        if (other[0] === null || other[0] === owner?.unitOfWork) throw taken(batch, piece[at] ?? []);
        held.push(other);
      }
    }
  }
  if (owner === undefined) refuseHeld(entity, [held]);
  return { held, open };
}

async function mergePairs(
  { batch, rows }: Insertion,
  shape: Shape,
  names: GraphNames,
  runner: Runner,
): Promise<WriteResult> {
  const { entity, onConflict } = batch;
  const update = onConflict?.do === 'update' ? (onConflict.update ?? []) : [];
  const own = shape.own;
  const matched = new Matched(shape, 'n', 'a', 'b');
  const sets = update.length === 0 ? [] : ['n += row[4]'];
  if (entity.version !== undefined && update.includes(entity.version)) {
    const version = matched.field(entity.version);
    sets.push(`${version} = coalesce(${version}, 0) + 1`);
  }
  const changed = own.filter((field) => update.includes(field) && field !== entity.version);
  let count = 0;
  for (const piece of chunks(rows)) {
    const scope = new Scope(names);
    const list = scope.parameter(
      piece.map((row, at) => {
        const { from, to } = endKeys(shape, row);
        return [
          from,
          to,
          mapOf(entity, own, (field) => row[field.index]),
          at,
          mapOf(entity, changed, (field) => row[field.index]),
        ];
      }),
    );
    const text = [
      `UNWIND ${list} AS row`,
      ...endsCypher(shape, 'row[0]', 'row[1]'),
      ...(names.isFenced ? guardEnds(shape, scope) : []),
      `MERGE (a)-[n:${quote(shape.source)}]->(b) ON CREATE SET n.${quote(NEW)} = row[3]`,
      ...settleCypher('row[2]', sets, names.isFenced ? ['holders'] : []),
      `RETURN collect([row[3], isNew${names.isFenced ? `, holders + coalesce(${holdersOf('n', shape, false)}, [])` : ''}])`,
    ];
    const [answer] = (await runner.run(scope.statement(text.join('\n')), entity)) as [[number, boolean, unknown[]?][]];
    if (names.isFenced)
      refuseHeld(
        entity,
        answer.map(([, , holders]) => holders ?? []),
      );
    refuseMissing(
      batch,
      piece,
      shape,
      answer.map(([at]) => at),
    );
    for (const [at, isNew] of answer) {
      if (isNew || onConflict?.do === 'update') count++;
      else if (onConflict === undefined) throw taken(batch, piece[at] ?? []);
    }
  }
  return { count, ...returned(batch, rows) };
}

/** Those whose key is there are changed or left, the rest is made. */
async function upsert(
  { batch, rows }: Insertion,
  shape: Shape,
  names: GraphNames,
  runner: Runner,
): Promise<WriteResult> {
  const { entity, onConflict } = batch;
  const keys = onConflict?.keys ?? entity.ids;
  const update = onConflict?.do === 'update' ? (onConflict.update ?? []) : [];
  const changed = shape.own.filter((field) => update.includes(field) && field !== entity.version);
  const byKey = new Map<string, Row>();
  for (const row of rows) {
    const text = keys.map((key) => String(row[key.index])).join('|');
    if (onConflict?.do === 'update' || !byKey.has(text)) byKey.set(text, row);
  }
  const distinct = [...byKey.values()];
  const matched = new Matched(shape, 'n', 'a', 'b');
  const sets = changed.length === 0 ? [] : ['n += row[1]'];
  if (entity.version !== undefined && update.includes(entity.version)) {
    const version = matched.field(entity.version);
    sets.push(`${version} = coalesce(${version}, 0) + 1`);
  }
  const there = new Set<Row>();
  for (const piece of chunks(distinct)) {
    const scope = new Scope(names);
    const list = scope.parameter(
      piece.map((row, at) => [
        keyOf(
          entity,
          keys,
          keys.map((key) => row[key.index]),
        ),
        mapOf(entity, changed, (field) => row[field.index]),
        at,
      ]),
    );
    const text = [
      `UNWIND ${list} AS row`,
      `MATCH ${matched.pattern} WHERE ${keys.map((key, i) => `${matched.field(key)} = row[0][${i}]`).join(' AND ')}`,
      ...lockCypher('n'),
      ...(sets.length === 0 ? [] : [`SET ${sets.join(', ')}`]),
      `RETURN collect([row[2]${names.isFenced ? `, coalesce(${holdersOf('n', shape, false)}, [])` : ''}])`,
    ];
    const [found] = (await runner.run(scope.statement(text.join('\n')), entity)) as [[number, unknown[]?][]];
    if (names.isFenced)
      refuseHeld(
        entity,
        found.map(([, holders]) => holders ?? []),
      );
    for (const [at] of found) there.add(piece[at] ?? []);
  }
  const fresh = distinct.filter((row) => !there.has(row));
  try {
    await createRelationships(batch, fresh, names, runner);
  } catch (error) {
    if (!(error instanceof UniqueViolationError)) throw error;
    throw new SerializationError(
      `Another transaction made a ${entity.name} with the same key at the same time. Run the unit of work again.`,
      { entity: entity.name, store: entity.store, cause: error },
    );
  }
  return { count: fresh.length + (onConflict?.do === 'update' ? there.size : 0), ...returned(batch, rows) };
}

function refuseMissing(batch: InsertBatch, rows: readonly Row[], shape: Shape, made: readonly number[]): void {
  const written = new Set(made);
  if (written.size >= rows.length) return;
  const lost = rows.find((_, at) => !written.has(at)) ?? [];
  const { from, to } = endKeys(shape, lost);
  throw danglingEnds(batch, rows.length - written.size, `${from.join('/')} → ${to.join('/')}`);
}
