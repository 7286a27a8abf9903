/** SQLite, by `better-sqlite3` or `sql.js`. */
import type { Capabilities, EntityModel, Field } from '@storeweave/core';
import { sqliteDialect } from '@storeweave/sql';
import type { EntitySchemaColumnOptions } from 'typeorm';
import type { Family } from '../family.js';
import { defaultLiteral } from '../portable/default-literal.js';
import { PortableSchema } from '../portable/portable-schema.js';
import { sqliteTables } from './sqlite-tables.js';

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
  // There is one writer at a time, so every level is as good as the highest.
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

function column(entity: EntityModel, field: Field): EntitySchemaColumnOptions {
  const expression = defaultLiteral(sqliteDialect, entity, field);
  const isJson = field.array || field.type === 'json';
  return {
    name: field.column,
    // TypeORM then reads and writes JSON by itself.
    type: (isJson
      ? 'simple-json'
      : sqliteDialect.columnType(field).replace(/\(.*/, '')) as EntitySchemaColumnOptions['type'],
    primary: field.id,
    nullable: field.nullable,
    ...(field.type === 'string' && !field.array && field.length !== undefined ? { length: field.length } : {}),
    ...(field.generated === 'sequence' ? { generated: 'increment' as const } : {}),
    ...(expression === undefined ? {} : { default: () => expression }),
  };
}

export const sqliteFamily: Family = {
  name: 'SQLite',
  capabilities,
  isPostgres: false,
  fieldType: () => undefined,
  column,
  schema: (parts) => new PortableSchema(parts, sqliteTables),
  // A transaction that may write has the database to itself.
  lock: async () => undefined,
  unlock: async () => undefined,
};
