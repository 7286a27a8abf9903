/**
 * Fences before the decision. What is there gets its marks by a compare-and-set under its lock; what is new is written
 * whole, as a placeholder, so that constraints speak before anything is decided.
 */
import type { DeleteBatch, FenceOwner, InsertBatch, UpdateBatch } from '@storeweave/core';
import { type GraphNames, quote, type Shape } from '../names.js';
import { lockCypher } from '../read.js';
import { Matched, Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { lookUp } from '../write/find.js';
import { createNodes } from '../write/insert.js';
import { movesOf, newEnds, type OldEnds, oldEnds } from '../write/move.js';
import { createRelationships, danglingEnds, endsCypher } from '../write/relate.js';
import { chunks, completeRows, refuseAbsent } from '../write/rows.js';
import { guardEnds } from './ends.js';
import { type FenceOp, holdersOf, markCypher, marks, ownersIn } from './marks.js';
import type { UniqueFields } from './trade.js';

/** What became of one batch. */
export interface Fenced {
  /** Positions of rows that are not there or have another version. */
  readonly missed: readonly number[];
  readonly held: readonly FenceOwner[];
  /** Unique values that are still with what gives them up. */
  readonly open: number;
}

/** Placeholders for what is new. */
export async function fenceNew(
  batch: InsertBatch,
  owner: FenceOwner,
  traded: readonly UniqueFields[],
  names: GraphNames,
  runner: Runner,
): Promise<Fenced> {
  const rows = completeRows(batch, new Map());
  const placeholder = { owner, traded };
  if (names.shape(batch.entity).ends === undefined) {
    return { missed: [], held: [], open: await createNodes(batch, rows, names, runner, placeholder) };
  }
  const { held, open } = await createRelationships(batch, rows, names, runner, placeholder);
  return { missed: [], held: ownersIn(held), open };
}

/** Marks on what is there. */
export async function fenceThere(
  batch: UpdateBatch | DeleteBatch,
  owner: FenceOwner,
  names: GraphNames,
  runner: Runner,
): Promise<Fenced> {
  if (batch.op === 'update') refuseAbsent(batch);
  const { entity, keys, versions } = batch;
  const { version } = entity;
  const shape = names.shape(entity);
  const isMeant =
    version === undefined || versions === undefined ? 'true' : `coalesce(n.${quote(version.column)} = row[1], false)`;
  const moving = new Set(batch.op === 'update' ? movesOf(batch, shape).moving : []);
  const settled = new Set<number>();
  const held: FenceOwner[] = [];
  for (const piece of chunks([...keys.keys()])) {
    const scope = new Scope(names);
    const list = scope.parameter(piece.map((at) => [...lookUp(batch, at), at, opOf(batch, at)]));
    const text = [
      lockCypherOf(batch, shape, list, owner, scope),
      `WITH ${shape.ends === undefined ? 'row, n' : 'row, n, a, b'}, ${isMeant} AS isMeant, ${othersOn(batch, shape, owner, scope)} AS others`,
      `FOREACH (_ IN CASE WHEN size(others) = 0 AND isMeant THEN [1] ELSE [] END | SET ${markCypher('n', owner, 'row[3]', scope)})`,
      `RETURN collect([row[2], isMeant, others, ${moving.size === 0 ? 'null' : oldEnds(shape)}])`,
    ];
    const [answer] = await runner.run(scope.statement(text.join('\n')), entity);
    const moves: [number, OldEnds][] = [];
    for (const [at, isRight, others, ends] of answer as [number, boolean, unknown[], OldEnds][]) {
      // Whoever holds it may be decided, and leave the version that is expected.
      if (others.length > 0 || isRight) settled.add(at);
      held.push(...ownersIn(others));
      if (moving.has(at)) moves.push([at, ends]);
    }
    if (batch.op === 'update' && moves.length > 0)
      held.push(...(await holdNewEnds(batch, moves, owner, shape, names, runner)));
  }
  return { missed: [...keys.keys()].filter((at) => !settled.has(at)), held, open: 0 };
}

/** Finds `n` by its key and locks it; before it the nodes at its ends, which must not go away under a fence. */
function lockCypherOf(
  { entity }: UpdateBatch | DeleteBatch,
  shape: Shape,
  list: string,
  owner: FenceOwner,
  scope: Scope,
): string {
  const matched = new Matched(shape, 'n', 'a', 'b');
  return [
    `UNWIND ${list} AS row`,
    `MATCH ${matched.pattern} WHERE ${entity.ids.map((id, i) => `${matched.field(id)} = row[0][${i}]`).join(' AND ')}`,
    ...guardEnds(shape, scope, owner, { carry: ['n'], against: ['delete'] }),
    ...lockCypher('n'),
  ].join('\n');
}

function othersOn(batch: UpdateBatch | DeleteBatch, shape: Shape, owner: FenceOwner, scope: Scope): string {
  const own = holdersOf('n', shape, batch.op === 'delete', scope.parameter(owner.unitOfWork));
  return `${shape.ends === undefined ? '' : 'holders + '}coalesce(${own}, [])`;
}

/** A relationship that is to be moved holds its new ends, too: a node with something fenced on it is not deleted. */
async function holdNewEnds(
  batch: UpdateBatch,
  moves: readonly (readonly [number, OldEnds])[],
  owner: FenceOwner,
  shape: Shape,
  names: GraphNames,
  runner: Runner,
): Promise<FenceOwner[]> {
  const scope = new Scope(names);
  const list = scope.parameter(moves.map(([at, ends]) => newEnds(batch, at, ends, shape)));
  const marked = Object.entries(marks(owner, "'reserve'", scope)).map(([property, value]) => `${property}: ${value}`);
  const text = [
    `UNWIND ${list} AS row`,
    ...endsCypher(shape, 'row[0]', 'row[1]'),
    ...guardEnds(shape, scope, owner),
    `CREATE (a)-[:${quote(shape.source)} {${marked.join(', ')}}]->(b)`,
    'RETURN collect(holders)',
  ];
  const [answer] = await runner.run(scope.statement(text.join('\n')), batch.entity);
  const holders = answer as unknown[][];
  if (holders.length < moves.length)
    throw danglingEnds(batch, moves.length - holders.length, (batch.keys[moves[0]?.[0] ?? 0] ?? []).join('/'));
  return ownersIn(holders.flat());
}

/** An update without a value only guards its row. */
function opOf(batch: UpdateBatch | DeleteBatch, at: number): FenceOp {
  if (batch.op === 'delete') return 'delete';
  return (batch.rows[at] ?? []).some((value) => value !== undefined) ? 'update' : 'guard';
}
