/** MariaDB, by `mysql2`. */
import type { Capabilities, EntityModel, Field } from '@storeweave/core';
import { EXACT, mariadbDialect, mariadbType } from '@storeweave/sql';
import type { EntitySchemaColumnOptions } from 'typeorm';
import type { Family } from '../family.js';
import { defaultLiteral } from '../portable/default-literal.js';
import { PortableSchema } from '../portable/portable-schema.js';
import { freeSchemaLock, lock, mariadbTables, takeSchemaLock, unlock } from './mariadb-tables.js';

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
  // `where` of an index is ignored, and the index would be a whole one.
  partialIndexes: false,
  foreignKeys: true,
  relationFilters: true,
  versionChecks: true,
  rowLocks: true,
  limitPerGroup: true,
  upsert: true,
  bulkWrites: true,
};

/** Columns that an index or a reference leads over must have a length. */
function isIndexed(entity: EntityModel, field: Field): boolean {
  return field.id || field.role === 'reference' || entity.indexes.some(({ fields }) => fields.includes(field));
}

function column(entity: EntityModel, field: Field): EntitySchemaColumnOptions {
  const [, base = '', numbers = ''] = /^(\w+)(?:\((.*)\))?$/.exec(mariadbType(field, isIndexed(entity, field))) ?? [];
  const [first = '', second] = numbers.split(',');
  const expression = defaultLiteral(mariadbDialect, entity, field);
  const isText = ['varchar', 'char', 'longtext'].includes(base) && !field.array;
  const type = field.array ? 'json' : field.type === 'boolean' ? 'boolean' : base;
  return {
    name: field.column,
    type: type as EntitySchemaColumnOptions['type'],
    primary: field.id,
    nullable: field.nullable,
    ...(base === 'varchar' || base === 'char' ? { length: first } : {}),
    ...(base === 'decimal' ? { precision: Number(first), scale: Number(second) } : {}),
    ...(base === 'datetime' ? { precision: Number(first) } : {}),
    ...(isText ? EXACT : {}),
    ...(field.generated === 'sequence' ? { generated: 'increment' as const } : {}),
    ...(expression === undefined
      ? {}
      : { default: () => (expression.startsWith("'") ? `(${expression})` : expression) }),
  };
}

export const mariadbFamily: Family = {
  name: 'MariaDB',
  capabilities,
  isPostgres: false,
  fieldType: (entity, field) => mariadbType(field, isIndexed(entity, field)),
  column,
  schema: (parts) => new PortableSchema(parts, mariadbTables),
  lock,
  unlock,
  lockAlone: { take: takeSchemaLock, free: freeSchemaLock },
};
