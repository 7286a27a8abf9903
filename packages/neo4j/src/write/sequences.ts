/**
 * Ids that the store makes: a node per entity and field that counts. A batch takes all its numbers at once, outside of
 * the running transaction, so that nobody waits for another's commit; numbers of a rollback are not given back.
 */
import type { Field, InsertBatch, Value } from '@storeweave/core';
import type { Neo4jDomain } from '../domain.js';
import { type GraphNames, quote } from '../names.js';
import { lockCypher } from '../read.js';
import { Scope } from '../scope.js';

/** Property by which a counting node is found. */
export const SEQUENCE_NAME = 'name';

/** Numbers for the rows of a batch that have none, by field and aligned with its rows. */
export async function sequenceValues(
  batch: InsertBatch,
  names: GraphNames,
  domain: Neo4jDomain,
): Promise<ReadonlyMap<Field, readonly Value[]>> {
  const made = new Map<Field, readonly Value[]>();
  for (const field of batch.entity.fields) {
    if (field.generated !== 'sequence') continue;
    const at = batch.fields.indexOf(field);
    const isOpen = (row: readonly Value[]) => at < 0 || row[at] === undefined || row[at] === null;
    const count = batch.rows.filter(isOpen).length;
    if (count === 0) continue;
    let next = await take(`${names.label(batch.entity)}.${field.column}`, count, names, domain);
    made.set(
      field,
      batch.rows.map((row) => {
        if (!isOpen(row)) return undefined;
        const value = next++;
        return field.type === 'bigint' ? value : Number(value);
      }),
    );
  }
  return made;
}

/** The first of so many numbers. */
async function take(name: string, count: number, names: GraphNames, domain: Neo4jDomain): Promise<bigint> {
  const scope = new Scope(names);
  const text = [
    `MERGE (n:${quote(names.sequenceLabel)} {${SEQUENCE_NAME}: ${scope.parameter(name)}})`,
    ...lockCypher('n'),
    'WITH n',
    `SET n.last = coalesce(n.last, 0) + ${scope.parameter(BigInt(count))}`,
    'RETURN n.last',
  ];
  const [last] = await domain.run(scope.statement(text.join('\n')), {}, 'WRITE');
  return BigInt(last as bigint) - BigInt(count) + 1n;
}
