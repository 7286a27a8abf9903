/**
 * The end of a fence: what was decided is installed, what was not is taken back. Everything here looks for the marks of one
 * unit of work and for nothing else, so it may come again at any later time without effect.
 */
import type { FenceOwner, Field, InsertBatch, UpdateBatch } from '@storeweave/core';
import { type GraphNames, quote, type Shape } from '../names.js';
import { lockCypher } from '../read.js';
import { Matched, Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { lookUp } from '../write/find.js';
import { move, movesOf } from '../write/move.js';
import { chunks, completeRows, keyOf, mapOf } from '../write/rows.js';
import { deleteCypher } from '../write/update.js';
import { type FenceOp, isFencedFor, UNIT, unmarkCypher } from './marks.js';

/** What becomes of rows by the operation that they are fenced for; of others, nothing. */
export interface Fates {
  readonly goes: readonly FenceOp[];
  readonly stays: readonly FenceOp[];
}

/**
 * Deletes what goes, and takes the marks off what stays. Answers the internal ids of nodes that something hung on which has
 * gone, and which stand for entities of other stores.
 */
export async function settle(
  shape: Shape,
  owner: FenceOwner,
  { goes, stays }: Fates,
  names: GraphNames,
  runner: Runner,
): Promise<readonly string[]> {
  const scope = new Scope(names);
  const { entity, ends, source } = shape;
  const unit = scope.parameter(owner.unitOfWork);
  // By a name that is a parameter: a plan may keep what the match has read before the lock.
  const isStill = `n[${scope.parameter(UNIT)}] = ${unit}`;
  const isRelationship = ends !== undefined;
  const fates = `${isFencedFor('n', goes)} AS goes, ${isFencedFor('n', stays)} AS stays`;
  const isPlace = `a:${quote(names.reservationLabel)}`;
  const references =
    ends === undefined ? [] : [ends.from.isReference ? ['a'] : [], ends.to.isReference ? ['b'] : []].flat();
  const text = [
    `MATCH ${isRelationship ? `(a)-[n:${quote(source)}]->(b)` : `(n:${quote(source)})`} WHERE n.${UNIT} = ${unit}`,
    ...lockCypher('n'),
    `WITH n, ${isRelationship ? `a, b, ${isPlace} AS isPlace, ` : ''}${fates} WHERE ${isStill}`,
    `FOREACH (_ IN CASE WHEN goes THEN [1] ELSE [] END | ${deleteCypher(shape)} n)`,
    ...(isRelationship ? ['FOREACH (_ IN CASE WHEN goes AND isPlace THEN [1] ELSE [] END | DELETE a)'] : []),
    `FOREACH (_ IN CASE WHEN stays THEN [1] ELSE [] END | ${unmarkCypher('n')})`,
    ...(references.length === 0
      ? ['RETURN []']
      : [
          `WITH DISTINCT CASE WHEN goes AND NOT isPlace THEN [${references.map((alias) => `elementId(${alias})`).join(', ')}] ELSE [] END AS ids`,
          'UNWIND ids AS id RETURN collect(DISTINCT id)',
        ]),
  ];
  const [ids = []] = (await runner.run(scope.statement(text.join('\n')), entity)) as string[][];
  return ids;
}

/** Deletes nodes that stand for entities of other stores, and that nothing hangs on. */
export async function removeReferences(
  ids: readonly string[],
  shape: Shape,
  names: GraphNames,
  runner: Runner,
): Promise<void> {
  const labels = [shape.ends?.from, shape.ends?.to].flatMap((end) => (end?.isReference ? [quote(end.label)] : []));
  const scope = new Scope(names);
  const text = [
    `UNWIND ${scope.parameter(ids)} AS id`,
    `MATCH (x:${labels.join('|')}) WHERE elementId(x) = id AND NOT EXISTS { (x)--() }`,
    ...lockCypher('x'),
    'WITH x WHERE NOT EXISTS { (x)--() }',
    'DELETE x',
  ];
  await runner.run(scope.statement(text.join('\n')), shape.entity);
}

/** Installs the values of a batch, row by row where its fence is this owner's. */
export async function installUpdates(
  batch: UpdateBatch,
  owner: FenceOwner,
  names: GraphNames,
  runner: Runner,
): Promise<void> {
  const { entity, fields, keys, rows } = batch;
  const shape = names.shape(entity);
  const { moving } = movesOf(batch, shape);
  const isMoving = new Set(moving);
  const values = [...keys.keys()]
    .filter((at) => !isMoving.has(at))
    .map((at) => [lookUp(batch, at)[0], mapOf(entity, fields, (_, i) => rows[at]?.[i])] as const);
  await setOurs(shape, owner, values, [unmarkCypher('n')], names, runner);
  for (const piece of chunks(moving)) await move(batch, piece, shape, names, runner, owner.unitOfWork);
}

/** Takes the values of these fields away that another row of the unit of work may get; where a row keeps its own, it does. */
export async function giveUp(
  fields: readonly Field[],
  batch: UpdateBatch,
  owner: FenceOwner,
  names: GraphNames,
  runner: Runner,
): Promise<void> {
  const { entity, keys, rows } = batch;
  const values = [...keys.keys()].flatMap((at) => {
    const given = fields.filter((field) => rows[at]?.[batch.fields.indexOf(field)] !== undefined);
    const none = Object.fromEntries(given.map((field) => [field.column, null]));
    return given.length === 0 ? [] : [[lookUp(batch, at)[0], none] as const];
  });
  await setOurs(names.shape(entity), owner, values, [], names, runner);
}

/** Gives placeholders the values that another row of the unit of work has given up. */
export async function fill(
  fields: readonly Field[],
  batch: InsertBatch,
  owner: FenceOwner,
  names: GraphNames,
  runner: Runner,
): Promise<void> {
  const { entity } = batch;
  const values = completeRows(batch, new Map()).map((row) => {
    const key = entity.ids.map((id) => row[id.index]);
    return [keyOf(entity, entity.ids, key), mapOf(entity, fields, (field) => row[field.index])] as const;
  });
  await setOurs(names.shape(entity), owner, values, [], names, runner);
}

/** Sets properties of what has these keys and is fenced by this owner. */
async function setOurs(
  shape: Shape,
  owner: FenceOwner,
  values: readonly (readonly [readonly unknown[], Readonly<Record<string, unknown>>])[],
  clauses: readonly string[],
  names: GraphNames,
  runner: Runner,
): Promise<void> {
  const { entity } = shape;
  const matched = new Matched(shape, 'n', 'a', 'b');
  for (const piece of chunks(values)) {
    const scope = new Scope(names);
    const text = [
      `UNWIND ${scope.parameter(piece)} AS row`,
      `MATCH ${matched.pattern} WHERE ${entity.ids.map((id, i) => `${matched.field(id)} = row[0][${i}]`).join(' AND ')}`,
      ...lockCypher('n'),
      // Only here: a plan may keep what it has read before the lock.
      `WITH row, n WHERE n.${UNIT} = ${scope.parameter(owner.unitOfWork)}`,
      'SET n += row[1]',
      ...clauses,
    ];
    await runner.run(scope.statement(text.join('\n')), entity);
  }
}
