/** Writes of the memory store: batches by identity with expected versions, bulk changes by condition. */
import {
  addValues,
  type BulkWrite,
  type DeleteBatch,
  type EntityModel,
  type Field,
  type InsertBatch,
  NotNullViolationError,
  type Row,
  rowKey,
  UniqueViolationError,
  type UpdateBatch,
  type Value,
  type WriteBatch,
  type WriteResult,
} from '@storeweave/core';
import { predicate } from './condition.js';
import { project } from './read.js';
import { identityOf, type UniqueRule, uniqueKey, uniqueRules } from './tables.js';
import type { MemoryTransaction } from './transaction.js';
import { cell, copy, type Stored } from './values.js';

export interface Wait {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export function write(batch: WriteBatch, transaction: MemoryTransaction, wait: Wait): Promise<WriteResult> {
  return transaction.statement(() => {
    if (batch.op === 'insert') return insert(batch, transaction, wait);
    return batch.op === 'update' ? update(batch, transaction, wait) : remove(batch, transaction, wait);
  });
}

async function insert(batch: InsertBatch, transaction: MemoryTransaction, wait: Wait): Promise<WriteResult> {
  const { entity } = batch;
  const onConflict =
    batch.onConflict ?? (entity.kind === 'measurement' ? { do: 'update', update: entity.fields } : undefined);
  const written = new Map<string, Stored>();
  const returned: Row[] = [];
  for (const given of batch.rows) {
    const row = complete(batch, given, transaction);
    const identity = identityOf(entity, row);
    await lock(entity, identity, row, transaction, wait);
    const existing = conflicting(batch, row, transaction);
    let outcome = row;
    if (existing === undefined) written.set(identity, row);
    else if (onConflict === undefined)
      throw new UniqueViolationError(
        `A ${entity.name} with the key ${entity.ids.map((id) => String(cell(row, id))).join(', ')} exists. Choose another key or upsert.`,
        { entity: entity.name, key: entity.ids.map((id) => cell(row, id)), constraint: `${entity.source}_pkey` },
      );
    else if (onConflict.do === 'ignore') outcome = existing;
    else {
      await transaction.lockRow(entity, identityOf(entity, existing), wait);
      outcome = changed(existing, onConflict.update ?? [], (field) =>
        field === entity.version
          ? addValues(field, cell(existing, field), field.type === 'bigint' ? 1n : 1)
          : cell(row, field),
      );
      written.set(identityOf(entity, outcome), outcome);
    }
    if (outcome !== existing) transaction.put(entity, required(entity, outcome));
    if (batch.returning !== undefined) returned.push(project(batch.returning, outcome));
  }
  for (const row of written.values()) transaction.checkUnique(entity, row);
  return { count: written.size, ...(batch.returning === undefined ? {} : { returned }) };
}

async function update(batch: UpdateBatch, transaction: MemoryTransaction, wait: Wait): Promise<WriteResult> {
  const { entity } = batch;
  const missed: number[] = [];
  const written: Stored[] = [];
  for (const [i, key] of batch.keys.entries()) {
    const existing = await current(batch, i, key, transaction, wait);
    const values = batch.rows[i] ?? [];
    if (existing === undefined) {
      missed.push(i);
      continue;
    }
    const row = changed(existing, batch.fields, (_, at) => values[at]);
    await lock(entity, identityOf(entity, row), row, transaction, wait);
    transaction.put(entity, required(entity, row));
    written.push(row);
  }
  for (const row of written) transaction.checkUnique(entity, row);
  return { count: written.length, missed };
}

async function remove(batch: DeleteBatch, transaction: MemoryTransaction, wait: Wait): Promise<WriteResult> {
  const missed: number[] = [];
  for (const [i, key] of batch.keys.entries()) {
    if ((await current(batch, i, key, transaction, wait)) === undefined) missed.push(i);
    else transaction.remove(batch.entity, rowKey(key));
  }
  return { count: batch.keys.length - missed.length, missed };
}

export function bulk(given: BulkWrite, transaction: MemoryTransaction, wait: Wait): Promise<number> {
  const { entity } = given;
  return transaction.statement(async () => {
    const before = predicate(given.where, transaction);
    const identities = [...transaction.rows(entity)].filter(before).map((row) => identityOf(entity, row));
    for (const identity of identities) await transaction.lockRow(entity, identity, wait);
    // Rows may have changed while waiting for their locks.
    const still = predicate(given.where, transaction);
    const rows = identities
      .map((identity) => transaction.row(entity, identity))
      .filter((row): row is Stored => row !== undefined && still(row));
    if (given.op === 'deleteWhere') {
      for (const row of rows) transaction.remove(entity, identityOf(entity, row));
      return rows.length;
    }
    const written: Stored[] = [];
    for (const existing of rows) {
      const row = { ...existing };
      for (const { field, value } of given.set) row[field.column] = copy(value);
      for (const { field, by } of given.increment) row[field.column] = addValues(field, cell(row, field), by);
      await lock(entity, identityOf(entity, row), row, transaction, wait);
      transaction.put(entity, required(entity, row));
      written.push(row);
    }
    for (const row of written) transaction.checkUnique(entity, row);
    return written.length;
  });
}

/** The row with this key as it is once its lock is held, if it has the expected version. */
async function current(
  batch: UpdateBatch | DeleteBatch,
  i: number,
  key: Row,
  transaction: MemoryTransaction,
  wait: Wait,
): Promise<Stored | undefined> {
  const { entity, versions } = batch;
  await transaction.lockRow(entity, rowKey(key), wait);
  const row = transaction.row(entity, rowKey(key));
  if (row === undefined || versions === undefined || entity.version === undefined) return row;
  return rowKey([cell(row, entity.version)]) === rowKey([versions[i]]) ? row : undefined;
}

function conflicting(batch: InsertBatch, row: Stored, transaction: MemoryTransaction): Stored | undefined {
  const { entity } = batch;
  const keys = batch.onConflict?.keys;
  const isIdentity =
    keys === undefined || rowKey(keys.map((key) => key.column)) === rowKey(entity.ids.map((id) => id.column));
  if (isIdentity) return transaction.row(entity, identityOf(entity, row));
  const columns = keys.map((key) => key.column);
  const rule: UniqueRule | undefined = uniqueRules(entity).find(
    (each) => each.fields.length === columns.length && each.fields.every((field) => columns.includes(field.column)),
  );
  const key = rule === undefined ? undefined : uniqueKey(rule, row);
  const [holder] = rule === undefined || key === undefined ? [] : transaction.holders(entity, rule, key);
  return holder === undefined ? undefined : transaction.row(entity, holder);
}

async function lock(
  entity: EntityModel,
  identity: string,
  row: Stored,
  transaction: MemoryTransaction,
  wait: Wait,
): Promise<void> {
  await transaction.lockRow(entity, identity, wait);
  for (const rule of uniqueRules(entity)) {
    const key = uniqueKey(rule, row);
    if (key !== undefined) await transaction.lockUnique(entity, rule, key, wait);
  }
}

/** A new row with what the application left out: sequences and the store's own defaults. */
function complete(batch: InsertBatch, given: Row, transaction: MemoryTransaction): Stored {
  const row: Record<string, Value> = {};
  for (const field of batch.entity.fields) {
    const at = batch.fields.indexOf(field);
    const value = at < 0 ? undefined : given[at];
    if (field.generated === 'sequence' && (value === undefined || value === null))
      row[field.column] = next(batch.entity, field, transaction);
    else if (value !== undefined) row[field.column] = copy(value);
    else row[field.column] = field.default?.kind === 'value' ? copy(field.default.value) : null;
  }
  return row;
}

function next(entity: EntityModel, field: Field, transaction: MemoryTransaction): Value {
  // As in a database, a number taken is not given back by a rollback.
  const { sequences } = transaction.domain.table(entity);
  const value = (sequences.get(field.column) ?? 0n) + 1n;
  sequences.set(field.column, value);
  return field.type === 'bigint' ? value : Number(value);
}

function changed(row: Stored, fields: readonly Field[], value: (field: Field, at: number) => Value): Stored {
  const result: Record<string, Value> = { ...row };
  for (const [at, field] of fields.entries()) {
    const set = value(field, at);
    if (set !== undefined) result[field.column] = copy(set);
  }
  return result;
}

function required(entity: EntityModel, row: Stored): Stored {
  for (const field of entity.fields)
    if (!field.nullable && cell(row, field) === null)
      throw new NotNullViolationError(
        `${entity.name}.${field.name} has no value but is not nullable. Give it one or declare it nullable.`,
        {
          entity: entity.name,
          property: field.name,
        },
      );
  return row;
}
