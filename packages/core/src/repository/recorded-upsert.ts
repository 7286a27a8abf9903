/**
 * An upsert whose changes are known: which entities are new, and what the others were before. Those that exist are read
 * and kept from others, the new ones inserted; where someone else inserts one of them in between, the unit of work is to
 * be done again, and then finds it.
 */
import type { RowChange } from '../audit/row-change.js';
import { SerializationError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row } from '../model/field.js';
import { keyText } from '../query/key.js';
import { isFalse, keysIn } from '../query/logic.js';
import type { CallOptions, WorkContext } from '../session/ports.js';
import type { InsertBatch } from '../store/write.js';
import { upsertRows, writeNew } from './write.js';

type Conflict = NonNullable<InsertBatch['onConflict']>;

/** Number of rows written, and what became of each. */
export interface RecordedUpsert {
  readonly count: number;
  readonly changes: readonly RowChange[];
}

export async function upsertRecorded(
  work: WorkContext,
  entity: EntityModel,
  rows: readonly Row[],
  conflict: Conflict,
  call: CallOptions,
): Promise<RecordedUpsert> {
  const fields = conflict.keys ?? entity.ids;
  const textOf = (row: Row) => keyText(fields.map((field) => row[field.index]));
  // What has no key yet, or null in it, meets nothing that is there.
  const [keyless, keyed] = [rows.filter((row) => textOf(row) === undefined), withoutTwins(rows, conflict, textOf)];
  const before = await stored(work, entity, fields, keyed, true, call);
  const known = new Map(before.map((row) => [textOf(row), row]));
  const isKnown = (row: Row) => known.has(textOf(row));
  const fresh = keyed.filter((row) => !isKnown(row));
  let count = keyless.length === 0 ? 0 : await upsertRows(work, entity, keyless, conflict, call);
  count += await insertFresh(work, entity, fresh, { ...conflict, do: 'ignore' }, call);
  const changes: RowChange[] = [...keyless, ...fresh].map((after) => ({ after }));
  const stale = keyed.filter(isKnown);
  if (stale.length === 0 || conflict.do === 'ignore') return { count, changes };
  count += await upsertRows(work, entity, stale, conflict, call);
  for (const row of await stored(work, entity, fields, stale, false, call)) {
    changes.push({ before: known.get(textOf(row)), after: row });
  }
  return { count, changes };
}

/** Rows that have a key; of several with the same one the last where rows are overwritten, else the first. */
function withoutTwins(rows: readonly Row[], conflict: Conflict, textOf: (row: Row) => string | undefined): Row[] {
  const kept = new Map<string, Row>();
  for (const row of rows) {
    const text = textOf(row);
    if (text !== undefined && (conflict.do === 'update' || !kept.has(text))) kept.set(text, row);
  }
  return [...kept.values()];
}

/** Inserts rows that were not there a moment ago, all of them or none. */
async function insertFresh(
  work: WorkContext,
  entity: EntityModel,
  rows: readonly Row[],
  conflict: Conflict,
  call: CallOptions,
): Promise<number> {
  if (rows.length === 0) return 0;
  const store = work.store(entity);
  const inserted = await upsertRows(work, entity, rows, conflict, call);
  if (inserted === rows.length || store.domain.begin === undefined) return inserted;
  const fields = conflict.keys ?? entity.ids;
  const textOf = (row: Row) => keyText(fields.map((field) => row[field.index]));
  const there = new Set((await stored(work, entity, fields, rows, false, call)).map(textOf));
  // What is still not there met another unique value: written plainly, the store says which.
  const refused = rows.filter((row) => !there.has(textOf(row)));
  if (refused.length > 0) await writeNew(work, entity, refused, call);
  throw new SerializationError(
    `Someone else inserted ${rows.length - inserted} of ${rows.length} ${entity.name} while they were upserted. Do the unit of work again: they are found then.`,
    { entity: entity.name, store: entity.store },
  );
}

/** Rows that are stored with the keys of these. */
async function stored(
  work: WorkContext,
  entity: EntityModel,
  fields: readonly Field[],
  rows: readonly Row[],
  lock: boolean,
  call: CallOptions,
): Promise<Row[]> {
  const where = keysIn(
    fields,
    rows.map((row) => fields.map((field) => row[field.index])),
  );
  if (isFalse(where)) return [];
  const access = await work.access(entity, [entity], call);
  const store = work.store(entity);
  const isLocked = lock && store.capabilities.rowLocks && access.transaction !== undefined;
  return store.read({ entity, fields: entity.fields, where, ...(isLocked ? { lock: 'update' as const } : {}) }, access);
}
