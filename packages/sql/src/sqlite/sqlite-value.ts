/** Parameters and columns of a batch are text; here it becomes what the field's column holds. */
import type { Field } from '@storeweave/core';

/** Text as a value of the field's column. */
export function sqliteValue(text: string, field: Field): string {
  if (field.array) return text;
  switch (field.type) {
    case 'integer':
    case 'bigint':
    case 'boolean':
      return `cast(${text} as integer)`;
    case 'float':
      return `cast(${text} as real)`;
    case 'timestamp':
      return field.timePrecision === 'ns' ? `cast(${text} as integer)` : text;
    case 'bytes':
      return `unhex(${text})`;
    default:
      return text;
  }
}
