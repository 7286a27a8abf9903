/**
 * What the operator `contains` means for each kind of value: elements of an array, a part of a text, and for JSON what
 * PostgreSQL's `@>` means.
 */
import { JSON_NULL, type Value } from '../model/field.js';
import type { Operand } from './condition.js';
import { valueKey } from './value-key.js';

/** Whether an operand's own value contains what is wanted; an absent one contains nothing. */
export function contains(on: Operand, own: Value, wanted: Value): boolean {
  if (own === null) return false;
  const isJson = on.field.type === 'json' && !on.field.array;
  if (!isJson && Array.isArray(own))
    return (wanted as Value[]).every((element) => own.some((value) => valueKey(value) === valueKey(element)));
  if (!isJson) return typeof own === 'string' && own.includes(String(wanted));
  // At a path, a string asks for a substring of a string or an element of an array.
  if (on.path !== undefined && typeof own === 'string' && typeof wanted === 'string') return own.includes(wanted);
  return jsonContains(own, wanted, true);
}

/** PostgreSQL's `@>`: objects by key, arrays as sets; an array contains a scalar only at the top. */
function jsonContains(own: Value, wanted: Value, top: boolean): boolean {
  if (Array.isArray(own)) {
    if (Array.isArray(wanted)) return wanted.every((inner) => own.some((value) => jsonContains(value, inner, false)));
    return (
      top &&
      (wanted === null || typeof wanted !== 'object') &&
      own.some((value) => valueKey(value) === valueKey(wanted))
    );
  }
  if (
    own !== null &&
    typeof own === 'object' &&
    wanted !== null &&
    typeof wanted === 'object' &&
    !Array.isArray(wanted)
  ) {
    const values = own as Record<string, Value>;
    return Object.entries(wanted).every(
      ([key, inner]) => Object.hasOwn(values, key) && jsonContains(values[key], inner, false),
    );
  }
  return jsonScalar(own) === jsonScalar(wanted);
}

function jsonScalar(value: Value): string {
  return valueKey(value === JSON_NULL ? null : value);
}
