/**
 * Sends planned batches, one after the other, and checks what came back: a row that was not there, or had another
 * version than expected, ends the commit. A commit over several databases may take the coordinator's batches over, to
 * have them sent beside its fences.
 */
import { DeadlockError, TimeoutError } from '../errors/errors.js';
import type { Access } from '../store/access.js';
import type { WriteBatch, WriteResult } from '../store/write.js';
import { absentRows } from './absent-rows.js';
import type { PlannedWrite } from './planned-write.js';
import { staleError } from './stale-error.js';

export interface ExecutionPort {
  access(write: PlannedWrite): Promise<Access>;
  /** How long a batch of so many rows may take, in milliseconds, where nobody else would end a wait for locks. */
  limit(write: PlannedWrite, rows: number): number | undefined;
  /** Whether a batch is sent now, or kept for the commit. */
  sendsNow(write: PlannedWrite): boolean;
  /** Told of each batch that was sent or kept. */
  keep(write: PlannedWrite, batch: WriteBatch, isSent: boolean): void;
  /** Told of each batch that a store has taken. */
  written(write: PlannedWrite): void;
  /** Takes a batch over, to have it sent during the commit. False where it is to be sent at once. */
  defer(write: PlannedWrite, send: (access: Access) => Promise<void>): boolean;
}

export async function execute(writes: readonly PlannedWrite[], port: ExecutionPort): Promise<void> {
  // What a store makes, a batch after it may need.
  const canBeDeferred = !writes.some((write) => write.makesValues);
  for (const write of writes) {
    const planned = write.toBatch();
    if (!port.sendsNow(write)) {
      // Links that may be there already are asked for at the commit.
      const ignore = write.asksFirst === true ? { onConflict: { do: 'ignore' as const } } : {};
      port.keep(write, { ...planned, ...ignore }, false);
      continue;
    }
    if (canBeDeferred && port.defer(write, (access) => send(write, planned, access, port))) continue;
    await send(write, planned, await port.access(write), port);
  }
}

async function send(write: PlannedWrite, planned: WriteBatch, access: Access, port: ExecutionPort): Promise<void> {
  const batch =
    planned.op === 'insert' && write.asksFirst === true ? await absentRows(write.store, planned, access) : planned;
  if (batch === undefined) return;
  const result = await sendLimited(write, batch, access, port);
  // A batch that found nothing to write has left nothing that could need to be undone.
  if (result.count > 0) port.written(write);
  const missed = result.missed?.find((at) => !write.lenient(at));
  if (missed !== undefined) throw staleError(write.entity, write.keys()[missed] ?? [], write.expected(missed));
  if (result.returned !== undefined) write.returned(result.returned);
  port.keep(write, batch, true);
}

async function sendLimited(
  write: PlannedWrite,
  batch: WriteBatch,
  access: Access,
  port: ExecutionPort,
): Promise<WriteResult> {
  const limit = port.limit(write, batch.op === 'insert' ? batch.rows.length : batch.keys.length);
  if (limit === undefined) return write.store.write(batch, access);
  try {
    return await write.store.write(batch, { ...access, timeoutMs: limit });
  } catch (cause) {
    if (!(cause instanceof TimeoutError)) throw cause;
    throw new DeadlockError(
      `A write of ${batch.entity.name} took longer than ${limit} ms in a unit of work that has rows of several databases locked. Another one may wait for these rows and hold that one, which no database can see, so this one gives way. Change entities of several databases in the same order, or raise commit.waitMs.`,
      { entity: batch.entity.name, store: batch.entity.store, cause },
    );
  }
}
