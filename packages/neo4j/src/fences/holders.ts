/**
 * Who holds a value that a constraint has refused: a unit of work that is not decided, by a placeholder or reservation of
 * its own, or nobody whom one could wait for. Asked only after a refusal, outside of the transaction that it has ended.
 */
import type { Access, BulkWrite, EntityModel, FenceOwner, Row, Value, WriteBatch } from '@storeweave/core';
import type { Neo4jDomain } from '../domain.js';
import { type GraphNames, quote } from '../names.js';
import { Scope } from '../scope.js';
import { keyOf } from '../write/rows.js';
import { ownerOf, ownersIn } from './marks.js';

/** What is asked of a value that is taken. */
export interface Holders {
  readonly owners: readonly FenceOwner[];
  /** True where nobody has it any more. */
  readonly isFree: boolean;
}

/** Owners of the fences on what has one of the unique values that these batches write. */
export async function holdersOfValues(
  batches: readonly (WriteBatch | BulkWrite)[],
  names: GraphNames,
  domain: Neo4jDomain,
  { signal, timeoutMs, label }: Access,
): Promise<Holders> {
  const found = await Promise.all(
    batches
      .flatMap((batch) => valuesOf(batch, names))
      .map(async ({ entity, columns, rows }) => {
        const scope = new Scope(names);
        const text = [
          `UNWIND ${scope.parameter(rows)} AS row`,
          `MATCH ${pattern(entity, names)} WHERE ${columns.map((column, i) => `n.${quote(column)} = row[${i}]`).join(' AND ')}`,
          `RETURN collect(DISTINCT ${ownerOf('n')})`,
        ];
        const access = { signal, timeoutMs, label };
        return (await domain.run(scope.statement(text.join('\n')), access, 'READ', entity))[0] as unknown[];
      }),
  );
  const all = found.flat();
  return { owners: ownersIn(all), isFree: all.length === 0 };
}

interface Values {
  readonly entity: EntityModel;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
}

/** Values of each unique rule. Where some of a rule's fields stay as they are, those that are given must do. */
function valuesOf(batch: WriteBatch | BulkWrite, names: GraphNames): Values[] {
  if (batch.op === 'delete' || batch.op === 'deleteWhere') return [];
  const { entity } = batch;
  const fields = batch.op === 'updateWhere' ? batch.set.map(({ field }) => field) : batch.fields;
  const rows: readonly Row[] = batch.op === 'updateWhere' ? [batch.set.map(({ value }) => value)] : batch.rows;
  const { places } = names.shape(entity);
  return names.uniqueRules(entity).flatMap((rule) => {
    const given = rule.fields.filter((field) => fields.includes(field) && places.get(field)?.on === 'self');
    if (given.length === 0) return [];
    const own = rows
      .map((row) => given.map((field) => row[fields.indexOf(field)]))
      .filter((values) => values.every((value) => value !== undefined && value !== null));
    if (own.length === 0) return [];
    return [{ entity, columns: given.map(({ column }) => column), rows: own.map((row) => keyOf(entity, given, row)) }];
  });
}

function pattern(entity: EntityModel, names: GraphNames): string {
  const { ends, source } = names.shape(entity);
  return ends === undefined ? `(n:${quote(source)})` : `()-[n:${quote(source)}]->()`;
}
