/** What Neo4j does, the community edition included; what needs another edition is not claimed. */
import type { Capabilities } from '@storeweave/core';

export const capabilities: Capabilities = {
  models: ['graph'],
  types: [
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
  ],
  arrays: true,
  timePrecision: 'ns',
  transactions: { isolation: ['read committed'], savepoints: false },
  sequences: true,
  uniqueIndexes: true,
  partialIndexes: false,
  // A relationship needs the nodes at its ends; references in properties are not checked.
  foreignKeys: false,
  relationFilters: true,
  versionChecks: true,
  // By writing a property that nobody sees, so a lock to share keeps other readers with a lock out, too.
  rowLocks: true,
  limitPerGroup: true,
  upsert: true,
  bulkWrites: true,
  commit: { coordinates: false, participates: 'fence' },
};
