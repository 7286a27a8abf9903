/** Values that the framework itself gives to a row: the version, and the times of creation and change. */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row, Value } from '../model/field.js';

/** The present moment as a neutral timestamp of a field. */
export function now(field: Field): Value {
  const ms = Date.now();
  if (field.timePrecision === 'ms') return ms;
  return BigInt(ms) * (field.timePrecision === 'us' ? 1_000n : 1_000_000n);
}

/** One, in the form that a numeric field has. */
export function one(field: Field): Value {
  if (field.type === 'bigint') return 1n;
  return field.type === 'decimal' ? '1' : 1;
}

/** Completes a new row. Times that the application gave are kept. */
export function manageNew(entity: EntityModel, row: Row): void {
  const { version, createdAt, updatedAt } = entity;
  if (version !== undefined) row[version.index] = one(version);
  for (const field of [createdAt, updatedAt]) if (field !== undefined) row[field.index] ??= now(field);
}
