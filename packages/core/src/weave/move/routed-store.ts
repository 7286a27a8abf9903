/**
 * The store of an entity that is being moved, as the core calls it: every call goes by the route. It offers what both
 * ends have, so that nothing works before the switch that does not work after it; what could not be logged, it lacks.
 */
import { CapabilityError } from '../../errors/errors.js';
import type { EntityModel } from '../../model/entity-model.js';
import type { Row } from '../../model/field.js';
import { keysIn, orAbsent } from '../../query/logic.js';
import { pagesByKey } from '../../query/pages.js';
import type { Access } from '../../store/access.js';
import type { Capabilities } from '../../store/capabilities.js';
import type { Condition } from '../../store/condition.js';
import type { DocumentStore } from '../../store/documents.js';
import type { RelationalStore } from '../../store/relational.js';
import type { Store } from '../../store/store.js';
import type { BulkWrite, InsertBatch, WriteBatch, WriteResult } from '../../store/write.js';
import type { Route } from './route.js';

/** Keys that a write by filter finds and logs at a time. */
const CHUNK = 5_000;

export function routedStore(route: Route): Store {
  const { source, target } = route;
  const both = source.capabilities.bulkWrites && target.capabilities.bulkWrites;
  return {
    get capabilities() {
      return capabilitiesOfBoth(source.capabilities, target.capabilities);
    },
    domain: source.domain,
    open: async () => {},
    close: async () => {},
    read: (spec, access) =>
      spec.lock === undefined
        ? route.read(access, (store) => store.read(spec, access))
        : route.lockingRead(access, (store) => store.read(spec, access)),
    write: (batch, access) => writeLogged(route, batch, access),
    native: (access) => source.native(access),
    ...(source.count &&
      target.count && {
        count: (entity, where, access) =>
          route.read(access, async (store) => store.count?.(entity, where, access) ?? 0),
      }),
    ...(source.aggregate &&
      target.aggregate && {
        aggregate: (spec, access) => route.read(access, async (store) => store.aggregate?.(spec, access) ?? []),
      }),
    ...(both && source.bulk && target.bulk && { bulk: (write, access) => bulkLogged(route, write, access) }),
    ...(source.documents && target.documents && { documents: documentsOf(route) }),
    ...(source.relational && { relational: noSql(route.models[0], source.relational) }),
  };
}

function capabilitiesOfBoth(source: Capabilities, target: Capabilities): Capabilities {
  const { commit: _commit, transactions, ...rest } = source;
  const isolation = transactions?.isolation.filter(
    (level) => target.transactions === undefined || target.transactions.isolation.includes(level),
  );
  return {
    ...rest,
    models: target.models,
    ...(transactions && { transactions: { ...transactions, isolation: isolation ?? [] } }),
    // Relations lead to entities that stay where they are.
    relationFilters: false,
    rowLocks: source.rowLocks && target.rowLocks,
    limitPerGroup: source.limitPerGroup && target.limitPerGroup,
    upsert: source.upsert && target.upsert,
    bulkWrites: source.bulkWrites && target.bulkWrites,
  };
}

function writeLogged(route: Route, batch: WriteBatch, access: Access): Promise<WriteResult> {
  return route.write(access, async (store, within, isLogged) => {
    const result = await store.write(batch, within);
    if (isLogged && result.count > 0) {
      await route.gate.record(batch.entity, await touchedKeys(store, batch, result, within), within);
    }
    return result;
  });
}

async function touchedKeys(
  store: Store,
  batch: WriteBatch,
  result: WriteResult,
  access: Access,
): Promise<readonly Row[]> {
  if (batch.op !== 'insert') return batch.keys;
  const { entity, onConflict } = batch;
  if (onConflict?.keys === undefined) return insertedKeys(batch, result);
  // The row that was there has an identity of its own.
  const { keys: fields } = onConflict;
  const values = batch.rows.map((row) => fields.map((field) => row[batch.fields.indexOf(field)]));
  const rows = await store.read({ entity, fields: entity.ids, where: keysIn(fields, values) }, access);
  return rows.map((row) => row.slice(0, entity.ids.length));
}

function insertedKeys({ entity, fields, rows, returning = [] }: InsertBatch, { returned = [] }: WriteResult): Row[] {
  return rows.map((row, at) =>
    entity.ids.map((id) => (fields.includes(id) ? row[fields.indexOf(id)] : returned[at]?.[returning.indexOf(id)])),
  );
}

function bulkLogged(route: Route, write: BulkWrite, access: Access): Promise<number> {
  return route.write(access, async (store, within, isLogged) => {
    if (!isLogged) return store.bulk?.(write, within) ?? 0;
    let count = 0;
    for await (const keys of matching(store, write.entity, write.where, within)) {
      count += (await store.bulk?.({ ...write, where: keysIn(write.entity.ids, keys) }, within)) ?? 0;
      await route.gate.record(write.entity, keys, within);
    }
    return count;
  });
}

function documentsOf(route: Route): DocumentStore {
  return {
    patch: (spec, access) =>
      route.write(access, async (store, within, isLogged) => {
        if (!isLogged) return store.documents?.patch(spec, within) ?? 0;
        const { entity, target, operations } = spec;
        let count = 0;
        const found = 'keys' in target ? [target.keys] : matching(store, entity, target.where, within);
        for await (const keys of found) {
          count += (await store.documents?.patch({ entity, target: { keys }, operations }, within)) ?? 0;
          await route.gate.record(entity, keys, within);
        }
        return count;
      }),
  };
}

/** Keys of the rows that match, held to the end of the transaction, so that exactly these are what is written. */
async function* matching(
  store: Store,
  entity: EntityModel,
  where: Condition,
  access: Access,
): AsyncGenerator<readonly Row[], void, undefined> {
  const lock = store.capabilities.rowLocks ? { lock: 'update' as const } : {};
  const spec = { entity, fields: entity.ids, where: orAbsent(where), ...lock };
  for await (const rows of pagesByKey(store, spec, access, CHUNK)) {
    yield rows.map((row) => row.slice(0, entity.ids.length));
  }
}

/** What a statement touches is not known, so none is let through. */
function noSql(entity: EntityModel | undefined, dialect: RelationalStore): RelationalStore {
  return {
    sql: async () => {
      throw new CapabilityError(
        `SQL on ${entity?.name} cannot be used while its move to "${entity?.store}" is declared: what a statement touches is not known. Use update, delete and find, or query() for grouping.`,
        { ...(entity && { entity: entity.name, store: entity.store }) },
      );
    },
    placeholder: (n) => dialect.placeholder(n),
    quote: (name) => dialect.quote(name),
  };
}
