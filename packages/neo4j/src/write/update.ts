/**
 * Changes and deletions by identity. What a row stands for is locked before its version is compared, so that the
 * version is that of the last committed writer and not of a moment before it; who was not there or had another version
 * is told by position.
 */
import type { DeleteBatch, EntityModel, Field, Row, UpdateBatch, Value, WriteResult } from '@storeweave/core';
import { holdersOf, refuseHeld } from '../fences/marks.js';
import { type GraphNames, quote, type Shape } from '../names.js';
import { lockCypher } from '../read.js';
import { Matched, Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { danglingEnds, endsCypher } from './relate.js';
import { chunks, keyOf, mapOf, parameterOf, refuseAbsent } from './rows.js';

export async function updateRows(batch: UpdateBatch, names: GraphNames, runner: Runner): Promise<WriteResult> {
  refuseAbsent(batch);
  const { entity, fields, rows } = batch;
  const shape = names.shape(entity);
  const ends = fields.flatMap((field, i) => (shape.places.get(field)?.on === 'self' ? [] : [i]));
  const [staying, moving]: [number[], number[]] = [[], []];
  for (const [at, row] of rows.entries()) (ends.some((i) => row[i] !== undefined) ? moving : staying).push(at);
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

/** Key and expected version of a row. */
export function lookUp({ entity, keys, versions }: UpdateBatch | DeleteBatch, at: number): [Value[], Value] {
  const { version } = entity;
  return [
    keyOf(entity, entity.ids, keys[at] ?? []),
    version === undefined || versions === undefined ? null : parameterOf(entity, version, versions[at]),
  ];
}

/** Finds `n` for each row and locks it. */
export function findCypher({ entity }: UpdateBatch | DeleteBatch, shape: Shape, list: string): string {
  const matched = new Matched(shape, 'n', 'a', 'b');
  return [
    `UNWIND ${list} AS row`,
    `MATCH ${matched.pattern} WHERE ${entity.ids.map((id, i) => `${matched.field(id)} = row[0][${i}]`).join(' AND ')}`,
    ...lockCypher('n'),
  ].join('\n');
}

/** The same, and goes on with those of the expected version. */
function lockedCypher(batch: UpdateBatch | DeleteBatch, shape: Shape, list: string): string {
  const matched = new Matched(shape, 'n', 'a', 'b');
  const version = batch.versions === undefined ? undefined : batch.entity.version;
  const isMeant = version === undefined ? '' : ` WHERE ${matched.field(version)} = row[1]`;
  return `${findCypher(batch, shape, list)}\nWITH row, ${matched.names.join(', ')}${isMeant}`;
}

/** A relationship cannot be bent to another node: it is made anew there, with all that it had. */
async function move(
  batch: UpdateBatch,
  positions: readonly number[],
  shape: Shape,
  names: GraphNames,
  runner: Runner,
): Promise<readonly number[]> {
  const { entity, fields, rows } = batch;
  const matched = new Matched(shape, 'n', 'a', 'b');
  const { ends } = shape;
  if (ends === undefined) return [];
  const old = new Scope(names);
  const list = old.parameter(positions.map((at) => [...lookUp(batch, at), at]));
  const endOf = (end: readonly Field[]) => `[${end.map((field) => matched.field(field)).join(', ')}]`;
  const [answer] = await runner.run(
    old.statement(
      `${lockedCypher(batch, shape, list)}\nRETURN collect([row[2], elementId(n), ${endOf(ends.from.fields)}, ${endOf(ends.to.fields)}])`,
    ),
    entity,
  );
  const found = answer as [number, string, Value[], Value[]][];
  const scope = new Scope(names);
  const moved = scope.parameter(
    found.map(([at, id, from, to]) => [
      newEnd(entity, ends.from.fields, from, fields, rows[at] ?? []),
      newEnd(entity, ends.to.fields, to, fields, rows[at] ?? []),
      at,
      mapOf(
        entity,
        fields.filter((field) => shape.places.get(field)?.on === 'self'),
        (field) => rows[at]?.[fields.indexOf(field)],
      ),
      id,
    ]),
  );
  const text = [
    `UNWIND ${moved} AS row`,
    'MATCH ()-[n]->() WHERE elementId(n) = row[4]',
    ...endsCypher(shape, 'row[0]', 'row[1]'),
    // The old one goes first: both have the same key.
    'WITH row, n, a, b, properties(n) AS old',
    'DELETE n',
    `CREATE (a)-[m:${quote(shape.source)}]->(b) SET m = old SET m += row[3]`,
    'RETURN collect(row[2])',
  ];
  const [made] = await runner.run(scope.statement(text.join('\n')), entity);
  const lost = found.length - (made as number[]).length;
  if (lost > 0) throw danglingEnds(batch, lost, (batch.keys[positions[0] ?? 0] ?? []).join('/'));
  return made as number[];
}

function newEnd(
  entity: EntityModel,
  end: readonly Field[],
  old: readonly Value[],
  fields: readonly Field[],
  row: Row,
): Value[] {
  return end.map((field, i) => {
    const given = row[fields.indexOf(field)];
    return given === undefined ? old[i] : parameterOf(entity, field, given);
  });
}

function result(size: number, found: ReadonlySet<number>): WriteResult {
  const missed: number[] = [];
  for (let at = 0; at < size; at++) if (!found.has(at)) missed.push(at);
  return { count: found.size, missed };
}
