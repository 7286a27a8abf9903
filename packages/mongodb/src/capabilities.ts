/** What this store can do. Transactions are known only when the deployment has answered. */
import type { Capabilities, FieldType } from '@storeweave/core';

const types: readonly FieldType[] = [
  'string',
  'text',
  'integer',
  'bigint',
  'float',
  'decimal',
  'boolean',
  'date',
  'timestamp',
  'uuid',
  'json',
  'bytes',
  'enum',
];

/** `hasTransactions` is asked each time: it changes once, at `open()`. */
export function capabilitiesOf(hasTransactions: () => boolean): Capabilities {
  return {
    models: ['document'],
    types,
    arrays: true,
    timePrecision: 'ns',
    get transactions() {
      // Snapshots are stricter than 'read committed' asks for, as the standard allows.
      return hasTransactions() ? TRANSACTIONS : undefined;
    },
    sequences: true,
    uniqueIndexes: true,
    partialIndexes: true,
    foreignKeys: false,
    relationFilters: false,
    versionChecks: true,
    rowLocks: false,
    limitPerGroup: true,
    upsert: true,
    bulkWrites: true,
    get commit() {
      return hasTransactions() ? COMMIT : undefined;
    },
  };
}

const COMMIT: Capabilities['commit'] = { coordinates: true, participates: 'fence' };

const TRANSACTIONS: Capabilities['transactions'] = {
  isolation: ['read committed', 'repeatable read'],
  savepoints: false,
};
