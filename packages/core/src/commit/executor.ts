/**
 * Sends planned batches, one after the other, and checks what came back: a row that was not there, or had another
 * version than expected, ends the commit.
 */
import type { Row } from '../model/field.js';
import type { Access } from '../store/access.js';
import type { InsertBatch, WriteBatch } from '../store/write.js';
import type { PlannedWrite } from './planned-write.js';
import { staleError } from './stale-error.js';

export interface ExecutionPort {
  access(write: PlannedWrite): Promise<Access>;
  /** Whether a batch is sent now, or kept for the commit. */
  sendsNow(write: PlannedWrite): boolean;
  /** Told of each batch that was sent or kept. */
  keep(write: PlannedWrite, batch: WriteBatch, isSent: boolean): void;
  /** Told of each batch that a store has taken. */
  written(write: PlannedWrite): void;
}

export async function execute(writes: readonly PlannedWrite[], port: ExecutionPort): Promise<void> {
  for (const write of writes) {
    const planned = write.toBatch();
    if (!port.sendsNow(write)) {
      // Links that may be there already are asked for at the commit.
      const ignore = write.asksFirst === true ? { onConflict: { do: 'ignore' as const } } : {};
      port.keep(write, { ...planned, ...ignore }, false);
      continue;
    }
    const access = await port.access(write);
    const batch = planned.op === 'insert' && write.asksFirst === true ? await absent(write, planned, access) : planned;
    if (batch === undefined) continue;
    const result = await write.store.write(batch, access);
    // A batch that found nothing to write has left nothing that could need to be undone.
    if (result.count > 0) port.written(write);
    const missed = result.missed?.find((at) => !write.lenient(at));
    if (missed !== undefined) throw staleError(write.entity, write.keys()[missed] ?? [], write.expected(missed));
    if (result.returned !== undefined) write.returned(result.returned);
    port.keep(write, batch, true);
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
