/** Values that only the framework assigns: the version and the times of creation, change and soft deletion. */
import type { Field, Value } from '../model/field.js';

/** A moment as the neutral value of a timestamp or date field. */
export function momentFor(field: Field, ms: number): Value {
  if (field.type === 'date') return new Date(ms).toISOString().slice(0, 10);
  if (field.timePrecision === 'ms') return ms;
  return BigInt(ms) * (field.timePrecision === 'us' ? 1_000n : 1_000_000n);
}

export function firstVersion(field: Field): Value {
  return field.type === 'bigint' ? 1n : 1;
}

export function nextVersion(field: Field, present: Value): Value {
  if (typeof present === 'bigint') return present + 1n;
  return typeof present === 'number' ? present + 1 : firstVersion(field);
}
