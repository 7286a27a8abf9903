/**
 * Which entity keeps which table, over all stores of one domain. Names are checked within a store when the model is
 * compiled; a document class and a relational class of one name meet only here, on their common database.
 */
import { ConfigurationError, type EntityModel } from '@storeweave/core';
import type { TableLayout } from './layout.js';
import type { SqlDomain } from './session.js';

const claims = new WeakMap<SqlDomain, Map<string, Map<object, EntityModel>>>();

/** Throws `ConfigurationError`, and claims none, where another store of the domain keeps another entity in one of these. */
export function claimTables(domain: SqlDomain, layouts: readonly TableLayout[], store: object): void {
  const tables = claims.get(domain) ?? new Map<string, Map<object, EntityModel>>();
  claims.set(domain, tables);
  for (const { table, entity } of layouts) {
    for (const other of tables.get(table)?.values() ?? []) {
      if (other.name === entity.name && other.model === entity.model) continue;
      throw new ConfigurationError(
        `${entity.name} (${entity.model}) and ${other.name} (${other.model}) would both be kept in the table ${table} of one database. Name one of them otherwise, or give one a namespace.`,
        { entity: entity.name, store: entity.store },
      );
    }
  }
  for (const { table, entity } of layouts) {
    const owners = tables.get(table) ?? new Map<object, EntityModel>();
    tables.set(table, owners.set(store, entity));
  }
}

/** Gives up all tables of a store. */
export function releaseTables(domain: SqlDomain, store: object): void {
  for (const owners of claims.get(domain)?.values() ?? []) owners.delete(store);
}
