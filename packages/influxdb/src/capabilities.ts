/** What InfluxDB can do for this store, as data. The README says why each thing that is missing is. */
import type { Capabilities } from '@storeweave/core';

export const capabilities: Capabilities = {
  models: ['timeseries'],
  types: ['string', 'text', 'integer', 'bigint', 'float', 'decimal', 'boolean', 'date', 'timestamp', 'uuid', 'enum'],
  arrays: false,
  timePrecision: 'ns',
  sequences: false,
  uniqueIndexes: false,
  partialIndexes: false,
  foreignKeys: false,
  relationFilters: false,
  versionChecks: false,
  rowLocks: false,
  limitPerGroup: true,
  upsert: true,
  bulkWrites: true,
  commit: { coordinates: false, participates: 'append' },
};
