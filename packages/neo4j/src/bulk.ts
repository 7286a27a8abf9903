/**
 * Changes of all that match. What matches is locked first and compared again under its locks, so that a row that
 * somebody else has changed meanwhile is changed only if it still matches, and no increment is lost. Where a change
 * cannot be said in one statement (an exact decimal sum, another end of a relationship), the values are read under the
 * locks and written as a batch.
 */
import type { Access, BulkUpdate, BulkWrite, Field, Row, UpdateBatch, Value } from '@storeweave/core';
import { compileCondition } from './condition.js';
import { addDecimals } from './decimal.js';
import type { Neo4jDomain } from './domain.js';
import { holdersOf, refuseHeld } from './fences/marks.js';
import type { GraphNames } from './names.js';
import { identifyCypher, selectCypher } from './read.js';
import { type Matched, Scope } from './scope.js';
import type { Runner } from './transaction.js';
import { decodeRows } from './values.js';
import { CHUNK, mapOf, missing, parameterOf } from './write/rows.js';
import { deleteCypher, updateRows } from './write/update.js';

export async function bulkWrite(
  write: BulkWrite,
  names: GraphNames,
  domain: Neo4jDomain,
  access: Access,
): Promise<number> {
  const { entity, where } = write;
  if (write.op === 'updateWhere') {
    const absent = write.set.find(({ field, value }) => !field.nullable && (value === null || value === undefined));
    if (absent !== undefined) throw missing(entity, absent.field);
  }
  return domain.atomically(access, 'WRITE', async (runner) => {
    const [ids = []] = (await runner.run(identifyCypher({ entity, fields: [], where }, names), entity)) as [string[]];
    let count = 0;
    for (let at = 0; at < ids.length; at += CHUNK) {
      const piece = ids.slice(at, at + CHUNK);
      count +=
        write.op === 'updateWhere' && needsRows(write, names)
          ? await updateByRows(write, piece, names, runner)
          : await changeLocked(write, piece, names, runner);
    }
    return count;
  });
}

async function changeLocked(
  write: BulkWrite,
  ids: readonly string[],
  names: GraphNames,
  runner: Runner,
): Promise<number> {
  const { entity } = write;
  const scope = new Scope(names);
  const matched = scope.match(entity);
  const { self, shape, pattern } = matched;
  const find = [
    `UNWIND ${scope.parameter(ids)} AS id`,
    `MATCH ${pattern} WHERE elementId(${self}) = id AND ${compileCondition(write.where, matched, scope)}`,
  ];
  const isDelete = write.op === 'deleteWhere';
  const clause = isDelete ? `${deleteCypher(shape)} ${self}` : `SET ${assignments(write, matched, scope).join(', ')}`;
  if (!names.isFenced) {
    const [count] = await runner.run(scope.statement([...find, clause, 'RETURN count(*)'].join('\n')), entity);
    return Number(count);
  }
  const text = [
    ...find,
    `WITH ${self}, ${holdersOf(self, shape, isDelete)} AS holders`,
    `WITH collect(${self}) AS found, collect(holders) AS held`,
    `FOREACH (${self} IN CASE WHEN size(held) = 0 THEN found ELSE [] END | ${clause})`,
    'RETURN [size(found), held]',
  ];
  const [answer] = await runner.run(scope.statement(text.join('\n')), entity);
  const [count, held] = answer as [number, unknown];
  refuseHeld(entity, held);
  return Number(count);
}

function assignments(write: BulkUpdate, matched: Matched, scope: Scope): string[] {
  const { entity } = write;
  const values = new Map(write.set.map(({ field, value }) => [field, value]));
  const set = mapOf(entity, [...values.keys()], (field) => values.get(field));
  return [
    ...(values.size === 0 ? [] : [`${matched.self} += ${scope.parameter(set)}`]),
    ...write.increment.map(({ field, by }) => {
      const own = matched.field(field);
      const zero = scope.parameter(field.type === 'float' ? 0 : 0n);
      return `${own} = coalesce(${own}, ${zero}) + ${scope.parameter(parameterOf(entity, field, by))}`;
    }),
  ];
}

function needsRows({ entity, set, increment }: BulkUpdate, names: GraphNames): boolean {
  const { places } = names.shape(entity);
  return (
    increment.some(({ field }) => field.type === 'decimal') || set.some(({ field }) => places.get(field)?.on !== 'self')
  );
}

async function updateByRows(
  write: BulkUpdate,
  ids: readonly string[],
  names: GraphNames,
  runner: Runner,
): Promise<number> {
  const { entity, set, increment } = write;
  const added = increment.map(({ field }) => field);
  const read: readonly Field[] = [...entity.ids, ...added];
  const select = selectCypher({ entity, fields: read, where: write.where }, names, ids);
  const rows = decodeRows(read, [...(await runner.run(select, entity))] as Row[]);
  const batch: UpdateBatch = {
    op: 'update',
    entity,
    fields: [...set.map(({ field }) => field), ...added],
    keys: rows.map((row) => row.slice(0, entity.ids.length)),
    rows: rows.map((row) => [
      ...set.map(({ value }) => value),
      ...increment.map(({ by }, i) => sum(row[entity.ids.length + i], by)),
    ]),
  };
  return batch.keys.length === 0 ? 0 : (await updateRows(batch, names, runner)).count;
}

function sum(value: Value, by: Value): Value {
  if (typeof by === 'bigint') return BigInt((value as bigint | null) ?? 0n) + by;
  if (typeof by === 'number') return Number(value ?? 0) + by;
  return addDecimals(String(value ?? '0'), String(by));
}
