/** What every store of this package can do; each adds its model and what its domain can do. */
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

export const shared: Omit<Capabilities, 'models'> = {
  types,
  arrays: true,
  timePrecision: 'us',
  transactions: { isolation: ['read committed', 'repeatable read', 'serializable'], savepoints: true },
  sequences: true,
  uniqueIndexes: true,
  partialIndexes: true,
  foreignKeys: false,
  relationFilters: true,
  versionChecks: true,
  rowLocks: true,
  limitPerGroup: true,
  upsert: true,
  bulkWrites: true,
};
