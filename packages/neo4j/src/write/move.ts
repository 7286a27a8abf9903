/** Relationships that get another end. None can be bent to another node: it is made anew there, with all that it had. */
import type { Field, Row, UpdateBatch, Value } from '@storeweave/core';
import { guardEnds } from '../fences/ends.js';
import { holdersOf, refuseHeld, UNIT, unmarkCypher } from '../fences/marks.js';
import { type GraphNames, quote, type Shape } from '../names.js';
import { Matched, Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { lockedCypher, lookUp } from './find.js';
import { danglingEnds, endsCypher } from './relate.js';
import { mapOf, parameterOf } from './rows.js';

/** Positions of the rows that give a relationship another end, and of the others. */
export function movesOf(
  { fields, rows }: UpdateBatch,
  { places }: Shape,
): { readonly staying: readonly number[]; readonly moving: readonly number[] } {
  const ends = fields.flatMap((field, i) => (places.get(field)?.on === 'self' ? [] : [i]));
  const [staying, moving]: [number[], number[]] = [[], []];
  for (const [at, row] of rows.entries()) (ends.some((i) => row[i] !== undefined) ? moving : staying).push(at);
  return { staying, moving };
}

/** With a unit of work it installs what that has fenced, and nothing else. */
export async function move(
  batch: UpdateBatch,
  positions: readonly number[],
  shape: Shape,
  names: GraphNames,
  runner: Runner,
  unitOfWork?: string,
): Promise<readonly number[]> {
  const { entity, fields, rows } = batch;
  const isGuarded = names.isFenced && unitOfWork === undefined;
  const old = new Scope(names);
  const list = old.parameter(positions.map((at) => [...lookUp(batch, at), at]));
  const isOurs = unitOfWork === undefined ? [] : [`WITH row, n, a, b WHERE n.${UNIT} = ${old.parameter(unitOfWork)}`];
  const text = [
    lockedCypher(batch, shape, list),
    ...isOurs,
    `RETURN collect([row[2], elementId(n), ${oldEnds(shape)}, ${isGuarded ? `coalesce(${holdersOf('n', shape, false)}, [])` : '[]'}])`,
  ];
  const [answer] = await runner.run(old.statement(text.join('\n')), entity);
  const found = answer as [number, string, OldEnds, unknown[]][];
  refuseHeld(
    entity,
    found.map(([, , , holders]) => holders),
  );
  if (found.length === 0) return [];
  const scope = new Scope(names);
  const own = fields.filter((field) => shape.places.get(field)?.on === 'self');
  const moved = scope.parameter(
    found.map(([at, id, ends]) => [
      ...newEnds(batch, at, ends, shape),
      at,
      mapOf(entity, own, (field) => rows[at]?.[fields.indexOf(field)]),
      id,
    ]),
  );
  const making = [
    `UNWIND ${moved} AS row`,
    'MATCH ()-[n]->() WHERE elementId(n) = row[4]',
    ...endsCypher(shape, 'row[0]', 'row[1]'),
    ...(isGuarded ? guardEnds(shape, scope, undefined, { carry: ['n'] }) : []),
    // The old one goes first: both have the same key.
    `WITH row, n, a, b, properties(n) AS old${isGuarded ? ', holders' : ''}`,
    'DELETE n',
    `CREATE (a)-[m:${quote(shape.source)}]->(b) SET m = old SET m += row[3]`,
    ...(unitOfWork === undefined ? [] : [unmarkCypher('m')]),
    `RETURN collect([row[2], ${isGuarded ? 'holders' : '[]'}])`,
  ];
  const [made] = (await runner.run(scope.statement(making.join('\n')), entity)) as [[number, unknown[]][]];
  const lost = found.length - made.length;
  if (lost > 0) throw danglingEnds(batch, lost, (batch.keys[positions[0] ?? 0] ?? []).join('/'));
  refuseHeld(
    entity,
    made.map(([, holders]) => holders),
  );
  return made.map(([at]) => at);
}

/** Keys of the nodes at both ends. */
export type OldEnds = readonly [Value[], Value[]];

/** `OldEnds` of a relationship `n` from `a` to `b`. */
export function oldEnds(shape: Shape): string {
  const matched = new Matched(shape, 'n', 'a', 'b');
  const keyAt = (fields: readonly Field[] = []) => `[${fields.map((field) => matched.field(field)).join(', ')}]`;
  return `[${keyAt(shape.ends?.from.fields)}, ${keyAt(shape.ends?.to.fields)}]`;
}

/** Keys of the nodes that a row of the batch moves a relationship to. */
export function newEnds(batch: UpdateBatch, at: number, [from, to]: OldEnds, { ends }: Shape): OldEnds {
  const { entity, fields, rows } = batch;
  const row: Row = rows[at] ?? [];
  const newEnd = (end: readonly Field[] = [], old: readonly Value[]) =>
    end.map((field, i) => {
      const given = row[fields.indexOf(field)];
      return given === undefined ? old[i] : parameterOf(entity, field, given);
    });
  return [newEnd(ends?.from.fields, from), newEnd(ends?.to.fields, to)];
}
