/**
 * Several decided units of work installed in one transaction, with a few statements for all of them. Where a unit trades
 * unique values or gives relationships other ends, its statements depend on each other, and it goes by itself.
 */
import type { EntityModel, UnitPart, UpdateBatch } from '@storeweave/core';
import { type GraphNames, quote, type Shape } from '../names.js';
import { lockCypher } from '../read.js';
import { Matched, Scope } from '../scope.js';
import type { Runner } from '../transaction.js';
import { lookUp } from '../write/find.js';
import { chunks, mapOf } from '../write/rows.js';
import { deleteCypher } from '../write/update.js';
import { shapes } from './batches.js';
import { isFencedFor, UNIT, unmarkCypher } from './marks.js';
import { touches, tradedIn, uniquesOf } from './trade.js';

/** True for a unit of work whose rows can be installed in any order. */
export function isPlain({ batches }: UnitPart, names: GraphNames): boolean {
  if (tradedIn(batches, names).size > 0) return false;
  return batches.every(
    (batch) =>
      batch.op !== 'update' ||
      (batch.fields.every((field) => names.shape(batch.entity).places.get(field)?.on === 'self') &&
        !uniquesOf(batch.entity, names).some((rule) => touches(batch.fields, rule))),
  );
}

/** All `units` are plain. Relationships go before what they hang on, and what goes before what comes. */
export async function applyPlain(units: readonly UnitPart[], names: GraphNames, runner: Runner): Promise<void> {
  const ids = units.map(({ owner }) => owner.unitOfWork);
  const batches = units.flatMap((unit) => unit.batches);
  const of = (op: 'insert' | 'delete') =>
    shapes(
      batches.filter((batch) => batch.op === op),
      names,
    );
  const updates = new Map<EntityModel, [UpdateBatch, string][]>();
  for (const { owner, batches: own } of units) {
    for (const batch of own) {
      if (batch.op !== 'update') continue;
      const known = updates.get(batch.entity) ?? [];
      updates.set(batch.entity, known);
      known.push([batch, owner.unitOfWork]);
    }
  }
  await Promise.all([
    ...of('delete').map((shape) => settleAll(shape, 'delete', ids, names, runner)),
    ...[...updates].map(([entity, some]) => installAll(entity, some, names, runner)),
    ...of('insert').map((shape) => settleAll(shape, 'insert', ids, names, runner)),
  ]);
}

/** Ends what is fenced for this by any of the units. */
async function settleAll(
  shape: Shape,
  op: 'insert' | 'delete',
  ids: readonly string[],
  names: GraphNames,
  runner: Runner,
): Promise<void> {
  const scope = new Scope(names);
  const source = quote(shape.source);
  const units = scope.parameter(ids);
  const text = [
    `MATCH ${shape.ends === undefined ? `(n:${source})` : `()-[n:${source}]->()`} WHERE n.${UNIT} IN ${units}`,
    ...lockCypher('n'),
    // By a name that is a parameter: a plan may keep what the match has read before the lock.
    `WITH n WHERE n[${scope.parameter(UNIT)}] IN ${units} AND ${isFencedFor('n', [op])}`,
    op === 'delete' ? `${deleteCypher(shape)} n` : unmarkCypher('n'),
  ];
  await runner.run(scope.statement(text.join('\n')), shape.entity);
}

/** Sets properties of what is fenced by the unit that changes it. */
async function installAll(
  entity: EntityModel,
  updates: readonly (readonly [UpdateBatch, unitOfWork: string])[],
  names: GraphNames,
  runner: Runner,
): Promise<void> {
  const matched = new Matched(names.shape(entity), 'n', 'a', 'b');
  const rows = updates.flatMap(([batch, unitOfWork]) =>
    [...batch.keys.keys()].map((at) => [
      lookUp(batch, at)[0],
      mapOf(entity, batch.fields, (_, i) => batch.rows[at]?.[i]),
      unitOfWork,
    ]),
  );
  for (const piece of chunks(rows)) {
    const scope = new Scope(names);
    const text = [
      `UNWIND ${scope.parameter(piece)} AS row`,
      `MATCH ${matched.pattern} WHERE ${entity.ids.map((id, i) => `${matched.field(id)} = row[0][${i}]`).join(' AND ')}`,
      ...lockCypher('n'),
      `WITH row, n WHERE n.${UNIT} = row[2]`,
      'SET n += row[1]',
      unmarkCypher('n'),
    ];
    await runner.run(scope.statement(text.join('\n')), entity);
  }
}
