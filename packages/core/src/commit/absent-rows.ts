/** Leaves out of an insert what is there already, for a store or a commit that cannot pass it over by itself. */
import type { Access } from '../store/access.js';
import type { Store } from '../store/store.js';
import { rowKey } from '../store/value-key.js';
import type { InsertBatch } from '../store/write.js';

/** The batch without the rows that are there already; undefined where none is left. */
export async function absentRows(store: Store, batch: InsertBatch, access: Access): Promise<InsertBatch | undefined> {
  const { entity, fields } = batch;
  const { ids } = entity;
  const positions = ids.map((id) => fields.indexOf(id));
  const keys = batch.rows.map((row) => positions.map((at) => row[at]));
  const found = await store.read({ entity, fields: ids, where: { op: 'keys', fields: ids, rows: keys } }, access);
  const known = new Set(found.map(rowKey));
  const rows = batch.rows.filter((_, at) => !known.has(rowKey(keys[at] ?? [])));
  return rows.length === 0 ? undefined : { ...batch, rows };
}
