/**
 * JSON values: copied on the way in and out, so that a row is a snapshot that no change of the application's object can
 * reach, and compared by content. Copying follows `JSON.stringify`, but what that would silently lose is an error.
 */
import type { InvalidValueError } from '../errors/errors.js';
import { JSON_NULL, type Value } from './field.js';

type Misfit = (value: unknown, expected: string) => InvalidValueError;

/** A deep copy of a JSON value. `undefined` properties are left out; `JSON_NULL` is kept at the top only. */
export function cloneJson(value: unknown, misfit: Misfit): Value {
  return value === JSON_NULL ? JSON_NULL : clone(value, misfit);
}

function clone(value: unknown, misfit: Misfit): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw misfit(value, 'JSON, which has no such number');
      return value;
    case 'object':
      return value === null ? null : cloneObject(value, misfit);
    default:
      throw misfit(value, 'JSON (string, number, boolean, null, arrays and plain objects of these)');
  }
}

function cloneObject(value: object, misfit: Misfit): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => (item === undefined ? null : clone(item, misfit)));
  if ('toJSON' in value && typeof value.toJSON === 'function') return clone(value.toJSON(), misfit);
  if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) {
    throw misfit(value, 'JSON (string, number, boolean, null, arrays and plain objects of these)');
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    // A key named __proto__ must become a property like any other, and not the prototype.
    Object.defineProperty(copy, key, {
      value: clone(item, misfit),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copy;
}

/** Whether two JSON values are the same; the order of keys does not matter. */
export function jsonEquals(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item: unknown, at) => jsonEquals(item, b[at]))
    );
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && jsonEquals(left[key], right[key]))
  );
}
