/** Writes by batch: which statements a batch becomes, and whether they need a transaction around them. */
import type { Access, WriteBatch, WriteResult } from '@storeweave/core';
import type { Neo4jDomain } from '../domain.js';
import type { GraphNames } from '../names.js';
import type { Runner } from '../transaction.js';
import { insertNodes } from './insert.js';
import { insertRelationships } from './relate.js';
import { CHUNK, completeRows } from './rows.js';
import { sequenceValues } from './sequences.js';
import { deleteRows, updateRows } from './update.js';

export async function writeBatch(
  batch: WriteBatch,
  names: GraphNames,
  domain: Neo4jDomain,
  access: Access,
): Promise<WriteResult> {
  const size = batch.op === 'insert' ? batch.rows.length : batch.keys.length;
  if (size === 0) return { count: 0, ...(batch.op === 'insert' ? {} : { missed: [] }) };
  const { ends, places } = names.shape(batch.entity);
  let work: (runner: Runner) => Promise<WriteResult>;
  // What may be refused after a statement has run must be taken back.
  let isOne = size <= CHUNK;
  if (batch.op === 'insert') {
    const rows = completeRows(batch, await sequenceValues(batch, names, domain));
    const insert = ends === undefined ? insertNodes : insertRelationships;
    work = (runner) => insert({ batch, rows }, names, runner);
    isOne &&= ends === undefined && batch.onConflict === undefined;
  } else if (batch.op === 'update') {
    work = (runner) => updateRows(batch, names, runner);
    isOne &&= batch.fields.every((field) => places.get(field)?.on === 'self');
  } else work = (runner) => deleteRows(batch, names, runner);
  if (!isOne) return domain.atomically(access, 'WRITE', work);
  return work({ run: (statement, about) => domain.run(statement, access, 'WRITE', about) });
}
