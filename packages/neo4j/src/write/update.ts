/**
 * Changes and deletions by identity. What a row stands for is locked before its version is compared, so that the
 * version is that of the last committed writer and not of a moment before it; who was not there or had another version
 * is told by position.
 */
import type { DeleteBatch, UpdateBatch, WriteResult } from '@storeweave/core';
import { holdersOf, refuseHeld } from '../fences/marks.js';
import { type GraphNames, quote, type Shape } from '../names.js';
import { Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { findCypher, lockedCypher, lookUp } from './find.js';
import { move, movesOf } from './move.js';
import { chunks, mapOf, refuseAbsent } from './rows.js';

export async function updateRows(batch: UpdateBatch, names: GraphNames, runner: Runner): Promise<WriteResult> {
  refuseAbsent(batch);
  const { entity, fields, rows } = batch;
  const shape = names.shape(entity);
  const { staying, moving } = movesOf(batch, shape);
  const found = new Set<number>();
  for (const piece of chunks(staying)) {
    const scope = new Scope(names);
    const list = scope.parameter(
      piece.map((at) => [...lookUp(batch, at), at, mapOf(entity, fields, (_, i) => rows[at]?.[i])]),
    );
    for (const at of await change(batch, shape, list, 'SET n += row[3]', scope, runner)) found.add(at);
  }
  for (const piece of chunks(moving)) for (const at of await move(batch, piece, shape, names, runner)) found.add(at);
  return result(batch.keys.length, found);
}

export async function deleteRows(batch: DeleteBatch, names: GraphNames, runner: Runner): Promise<WriteResult> {
  const { entity, keys } = batch;
  const shape = names.shape(entity);
  const found = new Set<number>();
  for (const piece of chunks([...keys.keys()])) {
    const scope = new Scope(names);
    const list = scope.parameter(piece.map((at) => [...lookUp(batch, at), at]));
    // A relationship without one of its ends is none, so it goes with them.
    for (const at of await change(batch, shape, list, `${deleteCypher(shape)} n`, scope, runner)) found.add(at);
  }
  return result(keys.length, found);
}

export function deleteCypher({ ends }: Shape): 'DELETE' | 'DETACH DELETE' {
  return ends === undefined ? 'DETACH DELETE' : 'DELETE';
}

/** Changes `n` of each row that is found; answers their positions. With fences it is all of them or none. */
async function change(
  batch: UpdateBatch | DeleteBatch,
  shape: Shape,
  list: string,
  clause: string,
  scope: Scope,
  runner: Runner,
): Promise<readonly number[]> {
  const { entity } = batch;
  if (!scope.names.isFenced) {
    const text = `${lockedCypher(batch, shape, list)}\n${clause}\nRETURN collect(row[2])`;
    return (await runner.run(scope.statement(text), entity))[0] as number[];
  }
  const { version } = entity;
  const isMeant =
    version === undefined || batch.versions === undefined
      ? 'true'
      : `coalesce(n.${quote(version.column)} = row[1], false)`;
  const text = [
    findCypher(batch, shape, list),
    `WITH row, n, ${holdersOf('n', shape, batch.op === 'delete')} AS holders`,
    `WITH collect(CASE WHEN ${isMeant} THEN [row, n] END) AS found, collect(holders) AS held`,
    'FOREACH (each IN CASE WHEN size(held) = 0 THEN found ELSE [] END |',
    `  FOREACH (row IN [each[0]] | FOREACH (n IN [each[1]] | ${clause})))`,
    'RETURN [[each IN found | each[0][2]], held]',
  ];
  const [answer] = await runner.run(scope.statement(text.join('\n')), entity);
  const [found, held] = answer as [number[], unknown];
  refuseHeld(entity, held);
  return found;
}

function result(size: number, found: ReadonlySet<number>): WriteResult {
  const missed: number[] = [];
  for (let at = 0; at < size; at++) if (!found.has(at)) missed.push(at);
  return { count: found.size, missed };
}
