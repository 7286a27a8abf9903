/**
 * Reads of entities: from a compiled plan to instances or plain rows. Everything that reads passes through `readPlan`,
 * so that pending changes, locks, removed entities and relation filters are treated alike everywhere.
 */
import { EntityNotFoundError, InvalidStateError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row, Value } from '../model/field.js';
import { idsOf } from '../query/identity.js';
import { keyText } from '../query/key.js';
import { and, isFalse, keysIn, orAbsent } from '../query/logic.js';
import { matchesOne, totalOrder } from '../query/order.js';
import { pagesByKey } from '../query/pages.js';
import { entitiesIn, settle } from '../query/semi-join.js';
import { visible } from '../query/where.js';
import type { CallOptions, WorkContext } from '../session/ports.js';
import type { Access } from '../store/access.js';
import type { Condition } from '../store/condition.js';
import { populate } from './populate.js';
import type { PopulateNode } from './populate-plan.js';
import { type QueryPlan, requireCapability } from './query-plan.js';

/** Rows of a plan with the values of `fields`. */
export async function readPlan(work: WorkContext, plan: QueryPlan, fields: readonly Field[]): Promise<Row[]> {
  const { entity, limit, offset, lock } = plan;
  if (limit === 0) return [];
  const { where, access } = await prepare(work, plan);
  if (access === undefined) return [];
  const partly = limit !== undefined || offset !== undefined;
  const certain = !partly || matchesOne(entity, where);
  const order = certain ? plan.order : totalOrder(entity, plan.order);
  return work.store(entity).read(
    {
      entity,
      fields,
      where: orAbsent(where),
      ...(order.length === 0 ? {} : { order }),
      ...(limit === undefined ? {} : { limit }),
      ...(offset === undefined ? {} : { offset }),
      ...(lock === undefined ? {} : { lock }),
    },
    access,
  );
}

/** The settled condition, and the circumstances to ask with; none where nothing can match. */
export async function prepare(
  work: WorkContext,
  plan: Pick<QueryPlan, 'entity' | 'where' | 'lock' | 'call'>,
): Promise<{ readonly where: Condition; readonly access: Access | undefined }> {
  const { entity, lock, call } = plan;
  const where = await settle(work, entity, plan.where, call);
  if (isFalse(where)) return { where, access: undefined };
  const access = await work.access(entity, [entity, ...entitiesIn(where)], call);
  if (lock !== undefined) checkLock(work, entity, access);
  return { where, access };
}

function checkLock(work: WorkContext, entity: EntityModel, access: Access): void {
  const store = work.store(entity);
  requireCapability(store.capabilities.rowLocks, store, entity, 'lock', 'Rely on @Version, which every store checks.');
  if (access.transaction !== undefined) return;
  throw new InvalidStateError(
    `A lock on ${entity.name} lasts until the end of a transaction, and none is running. Call find inside weave.transaction().`,
    { entity: entity.name, store: entity.store },
  );
}

/** Instances or plain rows of a plan, populated. */
export async function findAll(work: WorkContext, plan: QueryPlan): Promise<object[]> {
  const { selection, entity } = plan;
  if (selection !== undefined)
    return (await readPlan(work, plan, selection.fields)).map((row) => selection.toPlain(row));
  const rows = await readPlan(work, plan, entity.fields);
  // Whoever locks a row wants it as it is under the lock, and not as it was when it was first read.
  const items = materialize(work, entity, rows, { refresh: plan.lock !== undefined });
  await populate(work, items, plan.populate, plan.call);
  return items;
}

/** Instances of rows that are aligned with all fields; those that this unit of work will delete are left out. */
export function materialize(
  work: WorkContext,
  entity: EntityModel,
  rows: readonly Row[],
  options: { readonly refresh?: boolean } = {},
): object[] {
  return work.materialize(entity, rows, options).filter((item) => !work.isRemoved(item));
}

/**
 * Entities by key, in the order of the keys; keys that lead to nothing are passed over. Those in the identity map cost
 * nothing, the others one query.
 */
export async function findByKeys(
  work: WorkContext,
  entity: EntityModel,
  keys: readonly (readonly Value[])[],
  nodes: readonly PopulateNode[],
  call: CallOptions,
  withDeleted?: boolean | 'only',
): Promise<object[]> {
  const found = await lookup(work, entity, keys, call, withDeleted);
  const items = keys.flatMap((key) => found.get(keyText(key) ?? '') ?? []);
  await populate(work, [...new Set(items)], nodes, call);
  return items;
}

/** The same as a map by the text of the key. */
export async function lookup(
  work: WorkContext,
  entity: EntityModel,
  keys: readonly (readonly Value[])[],
  call: CallOptions,
  withDeleted?: boolean | 'only',
): Promise<Map<string, object>> {
  const found = new Map<string, object>();
  const wanted = new Map<string, readonly Value[]>();
  for (const key of keys) {
    const text = keyText(key) ?? '';
    if (found.has(text) || wanted.has(text)) continue;
    const known = withDeleted === 'only' ? undefined : work.known(entity, [...key]);
    if (known !== undefined) found.set(text, known);
    else wanted.set(text, key);
  }
  if (wanted.size === 0) return found;
  const where = and(keysIn(entity.ids, [...wanted.values()]), visible(entity, withDeleted));
  if (isFalse(where)) return found;
  const access = await work.access(entity, [entity], call);
  const rows = await work.store(entity).read({ entity, fields: entity.fields, where }, access);
  const items = work.materialize(entity, rows);
  rows.forEach((row, at) => {
    const item = items[at];
    if (item !== undefined && !work.isRemoved(item)) found.set(keyText(idsOf(entity, row)) ?? '', item);
  });
  return found;
}

/** Number of rows of a plan; by the store where it counts, else by reading the ids. */
export async function countAll(work: WorkContext, plan: Pick<QueryPlan, 'entity' | 'where' | 'call'>): Promise<number> {
  const { entity } = plan;
  const { where, access } = await prepare(work, plan);
  if (access === undefined) return 0;
  const store = work.store(entity);
  if (store.count !== undefined) return store.count(entity, orAbsent(where), access);
  let count = 0;
  const spec = { entity, fields: entity.ids, where: orAbsent(where) };
  for await (const rows of pagesByKey(store, spec, access, 10_000)) count += rows.length;
  return count;
}

export function notFound(entity: EntityModel, what: string, key?: unknown): EntityNotFoundError {
  return new EntityNotFoundError(
    `No ${entity.name} in store "${entity.store}" ${what}. It may be deleted, or not committed yet.`,
    { entity: entity.name, store: entity.store, ...(key === undefined ? {} : { key }) },
  );
}
