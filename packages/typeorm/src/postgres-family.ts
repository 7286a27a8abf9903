/** PostgreSQL, and what speaks as it does. */
import type { Capabilities } from '@storeweave/core';
import { lockSchema, SCHEMA_LOCK_KEY } from '@storeweave/sql';
import { fieldType, pgColumn } from './entity-schema.js';
import type { Family } from './family.js';
import { TypeormSchema } from './schema.js';

const capabilities: Omit<Capabilities, 'commit'> = {
  models: ['relational'],
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
  transactions: { isolation: ['read committed', 'repeatable read', 'serializable'], savepoints: true },
  sequences: true,
  uniqueIndexes: true,
  partialIndexes: true,
  foreignKeys: true,
  relationFilters: true,
  versionChecks: true,
  rowLocks: true,
  limitPerGroup: true,
  upsert: true,
  bulkWrites: true,
};

export const postgresFamily: Family = {
  name: 'PostgreSQL',
  capabilities,
  isPostgres: true,
  fieldType,
  column: pgColumn,
  schema: (parts) => new TypeormSchema(parts),
  lock: lockSchema,
  // It goes with the transaction.
  unlock: async () => undefined,
  lockAlone: {
    take: `select pg_advisory_lock(${SCHEMA_LOCK_KEY})`,
    free: `select pg_advisory_unlock(${SCHEMA_LOCK_KEY})`,
  },
};
