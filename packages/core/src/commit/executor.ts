/**
 * Sends planned batches, one after the other, and checks what came back: a row that was not there, or had another
 * version than expected, ends the commit.
 */
import { OptimisticLockError } from '../errors/errors.js';
import type { Row } from '../model/field.js';
import type { Access } from '../store/access.js';
import type { InsertBatch } from '../store/write.js';
import type { PlannedWrite } from './planned-write.js';

export interface ExecutionPort {
  access(write: PlannedWrite): Promise<Access>;
  /** Told of each batch that a store has taken. */
  written(write: PlannedWrite): void;
}

export async function execute(writes: readonly PlannedWrite[], port: ExecutionPort): Promise<void> {
  for (const write of writes) {
    const access = await port.access(write);
    const planned = write.toBatch();
    const batch = planned.op === 'insert' && write.asksFirst === true ? await absent(write, planned, access) : planned;
    if (batch === undefined) continue;
    const result = await write.store.write(batch, access);
    // A batch that found nothing to write has left nothing that could need to be undone.
    if (result.count > 0) port.written(write);
    const missed = result.missed?.find((at) => !write.lenient(at));
    if (missed !== undefined) throw conflict(write, missed);
    if (result.returned !== undefined) write.returned(result.returned);
  }
}

/** The batch without the rows that are there already; undefined where none is left. */
async function absent(write: PlannedWrite, batch: InsertBatch, access: Access): Promise<InsertBatch | undefined> {
  const { entity, store } = write;
  const rows = write.keys();
  const text = (key: Row) => JSON.stringify(key.map(String));
  const found = await store.read(
    { entity, fields: entity.ids, where: { op: 'keys', fields: entity.ids, rows } },
    access,
  );
  const known = new Set(found.map(text));
  const left = batch.rows.filter((_, at) => !known.has(text(rows[at] ?? [])));
  return left.length === 0 ? undefined : { ...batch, rows: left };
}

function conflict(write: PlannedWrite, at: number): OptimisticLockError {
  const { entity } = write;
  const row = write.keys()[at] ?? [];
  const values = entity.ids.map((field, part) => {
    const value = row[part];
    return value === undefined || value === null ? value : field.codec.fromRow(value);
  });
  const key =
    values.length === 1 ? values[0] : Object.fromEntries(entity.ids.map((field, part) => [field.name, values[part]]));
  const expected = write.expected(at);
  const name =
    typeof key === 'object'
      ? Object.values(key ?? {})
          .map(String)
          .join(', ')
      : String(key);
  const what =
    expected === undefined
      ? 'is not there any more: it was deleted'
      : `does not have the expected version ${String(expected)}: it was changed or deleted by someone else`;
  return new OptimisticLockError(
    `${entity.name} ${name} ${what} since it was read. Nothing of this unit of work was kept; read it again and repeat the change.`,
    { entity: entity.name, key, store: entity.store },
  );
}
