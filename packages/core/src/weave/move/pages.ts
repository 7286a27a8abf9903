/** All rows of an entity in one store, in the order of their keys, a page at a time and from any key on. */
import type { EntityModel } from '../../model/entity-model.js';
import type { Field, Row, Value } from '../../model/field.js';
import { keyText } from '../../query/key.js';
import { after } from '../../query/keyset.js';
import { and, not, orAbsent, TRUE } from '../../query/logic.js';
import type { Access } from '../../store/access.js';
import type { Condition } from '../../store/condition.js';
import type { Order, Rows } from '../../store/read.js';
import type { Store } from '../../store/store.js';

/** The total order of an entity's rows. */
export function keyOrder(entity: EntityModel): Order[] {
  return entity.ids.map((field) => ({ on: { field }, direction: 'asc', nulls: 'last' }));
}

export function keyOf(entity: EntityModel, row: Row): Row {
  return entity.ids.map((id) => row[id.index]);
}

export interface PageOptions {
  readonly size: number;
  readonly from: readonly Value[] | undefined;
  readonly access: Access;
  /** The ids first. Default: all. */
  readonly fields?: readonly Field[];
  /** Which rows. Default: all. */
  readonly of?: Condition | undefined;
  /** The last key that is read. */
  readonly until?: readonly Value[] | undefined;
}

/** Rows aligned with the fields. */
export async function* pages(
  store: Store,
  entity: EntityModel,
  options: PageOptions,
): AsyncGenerator<Rows, void, undefined> {
  const order = keyOrder(entity);
  const { fields = entity.fields, of = TRUE, until } = options;
  let last = options.from;
  for (;;) {
    const where = orAbsent(
      and(of, last === undefined ? TRUE : after(order, last), until === undefined ? TRUE : not(after(order, until))),
    );
    const rows = await store.read(
      { entity, fields, order, limit: options.size, ...(where !== undefined && { where }) },
      options.access,
    );
    if (rows.length > 0) yield rows;
    const end = rows.at(-1);
    if (end === undefined || rows.length < options.size) return;
    last = keyOf(entity, end);
  }
}

/** The last key that there is at present. */
export async function lastKey(store: Store, entity: EntityModel, access: Access): Promise<Row | undefined> {
  const order = keyOrder(entity).map((part): Order => ({ ...part, direction: 'desc' }));
  const [row] = await store.read({ entity, fields: entity.ids, order, limit: 1 }, access);
  return row?.slice(0, entity.ids.length);
}

/** Number of rows, counted by hand where the store does not. */
export async function countOf(store: Store, entity: EntityModel, access: Access, of?: Condition): Promise<number> {
  if (store.count !== undefined) return store.count(entity, of, access);
  let count = 0;
  for await (const rows of pages(store, entity, { size: 10_000, from: undefined, of, access })) count += rows.length;
  return count;
}

/** The rows with these keys, by the text of their key. */
export async function byKeys(
  store: Store,
  entity: EntityModel,
  keys: readonly Row[],
  access: Access,
): Promise<Map<string, Row>> {
  const rows = await store.read({ entity, fields: entity.fields, where: hasKey(entity.ids, keys) }, access);
  return new Map(rows.map((row) => [textOf(keyOf(entity, row)), row]));
}

/** Tells keys apart; a tag of a measurement may be absent. */
export function textOf(key: Row): string {
  return keyText(key.map((value) => (value === null || value === undefined ? '\u0000' : value))) ?? '';
}

function hasKey(ids: readonly Field[], keys: readonly Row[]): Condition {
  const [single] = ids;
  if (ids.length === 1 && single !== undefined) {
    return { op: 'in', on: { field: single }, values: keys.map((key) => key[0]) };
  }
  const whole = keys.filter((key) => !key.some(isAbsent));
  const partial = keys.filter((key) => key.some(isAbsent));
  const conditions: Condition[] = partial.map((key) => ({
    op: 'and',
    conditions: ids.map((field, at): Condition => {
      const value = key[at];
      return isAbsent(value) ? { op: 'exists', on: { field }, present: false } : { op: 'eq', on: { field }, value };
    }),
  }));
  if (whole.length > 0) conditions.push({ op: 'keys', fields: ids, rows: whole });
  return { op: 'or', conditions };
}

function isAbsent(value: Value): boolean {
  return value === null || value === undefined;
}
