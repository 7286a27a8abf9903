/** Parameters and columns of a batch are text; here it becomes what the field's column holds. */
import type { Field } from '@storeweave/core';

/** Of decimals without precision: as many digits as the type has, most of them before the point. */
export const FREE_DECIMAL = { whole: 45, fraction: 20 } as const;

const freeDecimal = `decimal(${FREE_DECIMAL.whole + FREE_DECIMAL.fraction},${FREE_DECIMAL.fraction})`;

/** Compared by code point and to the last character: `'a'` is not `'A'`, and not `'a '`. */
export const EXACT = { charset: 'utf8mb4', collation: 'utf8mb4_nopad_bin' } as const;

/** A text as a value of the field. */
export function mariadbValue(text: string, field: Field): string {
  if (field.array) return text;
  switch (field.type) {
    case 'integer':
    case 'bigint':
    case 'boolean':
      return `cast(${text} as signed)`;
    case 'float':
      return `cast(${text} as double)`;
    case 'decimal':
      return `cast(${text} as ${freeDecimal})`;
    case 'date':
      return `cast(${text} as date)`;
    case 'timestamp':
      return field.timePrecision === 'ns' ? `cast(${text} as signed)` : `cast(${text} as datetime(6))`;
    case 'bytes':
      return `unhex(${text})`;
    default:
      return text;
  }
}

/** Declared type of a field's column. A string without a length takes any, but one of an index must have one. */
export function mariadbType(field: Field, isIndexed: boolean): string {
  if (field.array) return 'longtext';
  switch (field.type) {
    case 'string':
    case 'enum':
      if (field.length !== undefined) return `varchar(${field.length})`;
      return isIndexed || field.type === 'enum' ? 'varchar(255)' : 'longtext';
    case 'text':
      return isIndexed ? 'varchar(255)' : 'longtext';
    case 'integer':
      return 'int';
    case 'bigint':
      return 'bigint';
    case 'float':
      return 'double';
    case 'decimal':
      return field.precision === undefined ? freeDecimal : `decimal(${field.precision},${field.scale ?? 0})`;
    case 'boolean':
      return 'tinyint(1)';
    case 'date':
      return 'date';
    case 'timestamp':
      if (field.timePrecision === 'ns') return 'bigint';
      return `datetime(${field.timePrecision === 'us' ? 6 : 3})`;
    case 'uuid':
      return 'char(36)';
    case 'json':
      return 'json';
    case 'bytes':
      return 'longblob';
  }
}
