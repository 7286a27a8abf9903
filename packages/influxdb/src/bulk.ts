/** Changes by condition: a deletion goes to the server as one where it can, an update reads what it changes. */
import { type BulkWrite, type Row, rowKey } from '@storeweave/core';
import { isEmpty, selectionOf } from './condition.js';
import { deletePoints, deleteSelected } from './delete.js';
import { keyOf } from './line-protocol.js';
import { fetchPoints } from './points.js';
import { count } from './read.js';
import { increment, required, sendRows, type WriteContext } from './write.js';

/** Returns the number of points that were changed. */
export async function bulk(write: BulkWrite, context: WriteContext): Promise<number> {
  const { layout, connection, call } = context;
  const selection = selectionOf(write.where, layout);
  if (isEmpty(selection.range)) return 0;
  if (write.op === 'deleteWhere') {
    const total = await count(write.entity, write.where, layout, connection, call);
    if (total > 0) await deleteSelected(selection, context);
    return total;
  }
  const changed: Row[] = [];
  const moved: Row[] = [];
  const { residual } = selection;
  await fetchPoints(connection, { layout, selection, fields: write.entity.fields }, call, (existing) => {
    if (residual !== undefined && !residual(existing)) return;
    const row = [...existing];
    for (const { field, value } of write.set) row[field.index] = value;
    for (const { field, by } of write.increment) increment(row, field, by);
    changed.push(required(layout, row));
    if (rowKey(keyOf(layout, row)) !== rowKey(keyOf(layout, existing))) moved.push(keyOf(layout, existing));
  });
  if (changed.length === 0) return 0;
  await sendRows(changed, context);
  await deletePoints(moved, context);
  return changed.length;
}
