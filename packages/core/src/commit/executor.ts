/**
 * Sends planned batches, one after the other, and checks what came back: a row that was not there, or had another
 * version than expected, ends the commit.
 */
import type { Access } from '../store/access.js';
import type { WriteBatch } from '../store/write.js';
import { absentRows } from './absent-rows.js';
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
    const batch =
      planned.op === 'insert' && write.asksFirst === true ? await absentRows(write.store, planned, access) : planned;
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
