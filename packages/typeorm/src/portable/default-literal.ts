/** Defaults that the database keeps, as SQL. */
import type { EntityModel, Field } from '@storeweave/core';
import type { Dialect } from '@storeweave/sql';

/** Undefined where the database is to keep none. */
export function defaultLiteral(dialect: Dialect, entity: EntityModel, field: Field): string | undefined {
  const { default: given } = field;
  if (given?.kind !== 'value' || given.value === null || given.value === undefined) return undefined;
  if (field.generated === 'sequence') return undefined;
  const text = dialect.encoder(entity, field).value(given.value);
  if (field.type === 'bytes' && !field.array) return `x'${text}'`;
  const isNumber = !field.array && ['integer', 'bigint', 'float', 'boolean'].includes(field.type);
  // Everything else is quoted: a value never stands bare in a statement.
  return isNumber && /^-?[\d.e+-]+$/.test(text) ? text : dialect.literal(text);
}
