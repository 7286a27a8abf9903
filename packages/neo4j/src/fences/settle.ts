/**
 * The end of a fence: what was decided is installed, what was not is taken back. Everything here looks for the marks of one
 * unit of work and for nothing else, so it may come again at any later time without effect.
 */
import type { FenceOwner, UpdateBatch } from '@storeweave/core';
import { type GraphNames, quote, type Shape } from '../names.js';
import { lockCypher } from '../read.js';
import { Matched, Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { chunks, mapOf } from '../write/rows.js';
import { deleteCypher, lookUp } from '../write/update.js';
import { type FenceOp, isFencedFor, UNIT, unmarkCypher } from './marks.js';

/** Installs what needs no values: what was added is shown, what was to be deleted goes, as do reservations. */
export async function install(shape: Shape, owner: FenceOwner, names: GraphNames, runner: Runner): Promise<void> {
  await settle(shape, owner, { goes: ['delete', 'reserve'], stays: ['insert', 'guard'] }, names, runner);
}

/** Takes back what stands of a unit of work. */
export async function takeBack(shape: Shape, owner: FenceOwner, names: GraphNames, runner: Runner): Promise<void> {
  await settle(shape, owner, { goes: ['insert', 'reserve'], stays: ['update', 'delete', 'guard'] }, names, runner);
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
  const matched = new Matched(shape, 'n', 'a', 'b');
  for (const piece of chunks([...keys.keys()])) {
    const scope = new Scope(names);
    const list = scope.parameter(
      piece.map((at) => [lookUp(batch, at)[0], mapOf(entity, fields, (_, i) => rows[at]?.[i])]),
    );
    const isOurs = `n.${UNIT} = ${scope.parameter(owner.unitOfWork)}`;
    const text = [
      `UNWIND ${list} AS row`,
      `MATCH ${matched.pattern} WHERE ${entity.ids.map((id, i) => `${matched.field(id)} = row[0][${i}]`).join(' AND ')} AND ${isOurs}`,
      ...lockCypher('n'),
      `WITH row, n WHERE ${isOurs}`,
      'SET n += row[1]',
      unmarkCypher('n'),
    ];
    await runner.run(scope.statement(text.join('\n')), entity);
  }
}

/** Deletes what is fenced for some operations, and takes the marks off what is fenced for others. */
async function settle(
  shape: Shape,
  owner: FenceOwner,
  { goes, stays }: { readonly goes: readonly FenceOp[]; readonly stays: readonly FenceOp[] },
  names: GraphNames,
  runner: Runner,
): Promise<void> {
  const scope = new Scope(names);
  const { entity, ends, source } = shape;
  const isOurs = `n.${UNIT} = ${scope.parameter(owner.unitOfWork)}`;
  const text = [
    `MATCH ${ends === undefined ? `(n:${quote(source)})` : `()-[n:${quote(source)}]->()`} WHERE ${isOurs}`,
    ...lockCypher('n'),
    `WITH n, ${isFencedFor('n', goes)} AS goes, ${isFencedFor('n', stays)} AS stays WHERE ${isOurs}`,
    `FOREACH (_ IN CASE WHEN goes THEN [1] ELSE [] END | ${deleteCypher(shape)} n)`,
    `FOREACH (_ IN CASE WHEN stays THEN [1] ELSE [] END | ${unmarkCypher('n')})`,
  ];
  await runner.run(scope.statement(text.join('\n')), entity);
}
