/** What a new row, or a row that is changed by filter, gets from the framework: its version and its times. */
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Row, Value } from '../model/field.js';
import { firstVersion, momentFor } from '../unit-of-work/managed-values.js';

/** The present moment as a neutral value of a field. */
export function now(field: Field, ms: number = Date.now()): Value {
  return momentFor(field, ms);
}

/** What a version grows by; it starts with the same. */
export function one(field: Field): Value {
  return firstVersion(field);
}

/** Completes a new row. Times that the application gave are kept. */
export function manageNew(entity: EntityModel, row: Row, ms: number): void {
  const { version, createdAt, updatedAt } = entity;
  if (version !== undefined) row[version.index] = one(version);
  for (const field of [createdAt, updatedAt]) if (field !== undefined) row[field.index] ??= now(field, ms);
}
