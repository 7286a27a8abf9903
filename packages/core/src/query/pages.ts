/**
 * All rows of a query in chunks of bounded size. By the store's own stream where it has one, else page after page by key:
 * the memory needed is that of a chunk either way.
 */
import type { Field, Row, Value } from '../model/field.js';
import type { Access } from '../store/access.js';
import type { Condition } from '../store/condition.js';
import type { Order, ReadSpec } from '../store/read.js';
import type { Store } from '../store/store.js';
import { after } from './keyset.js';
import { and, orAbsent, TRUE } from './logic.js';
import { totalOrder } from './order.js';

/**
 * Pages of at most `size` rows. Each is a query of its own that starts where the last one ended; a page that is not full
 * is the last, so a small answer costs one query. Rows have the values of `spec.fields`, and then those of the order.
 */
export async function* pagesByKey(store: Store, spec: ReadSpec, access: Access, size: number): AsyncGenerator<Row[]> {
  const order = totalOrder(spec.entity, spec.order ?? []);
  const { fields, positions } = withOrder(spec.fields, order);
  let left = spec.limit ?? Number.POSITIVE_INFINITY;
  let offset = spec.offset;
  let last: Value[] | undefined;
  while (left > 0) {
    const where: Condition = last === undefined ? TRUE : after(order, last);
    const limit = Math.min(size, left);
    const rows: Row[] = await store.read(
      { ...spec, fields, order, where: orAbsent(and(spec.where ?? TRUE, where)), limit, offset },
      access,
    );
    if (rows.length > 0) yield rows;
    const final = rows.at(-1);
    if (rows.length < limit || final === undefined) return;
    last = positions.map((position) => final[position]);
    left -= rows.length;
    offset = undefined;
  }
}

/** The fields to read so that the place of each row in the order is known, and where in a row to find it. */
export function withOrder(
  fields: readonly Field[],
  order: readonly Order[],
): { readonly fields: readonly Field[]; readonly positions: readonly number[] } {
  const all = [...fields];
  const positions = order.map(({ on }) => {
    const known = all.indexOf(on.field);
    return known >= 0 ? known : all.push(on.field) - 1;
  });
  return { fields: all, positions };
}
