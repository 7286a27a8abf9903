/**
 * Reads an entity's key from the instance itself, in the class's own form, for containers and messages. The neutral,
 * encoded form that the identity map uses is made by `hydrate`.
 */
import type { EntityModel } from '../model/entity-model.js';
import type { Field } from '../model/field.js';
import { slotOf } from './plain-slots.js';

/** Value at a field's path in an instance; undefined where an object on the way is absent. A reference gives its key. */
export function valueAt(instance: object, field: Field): unknown {
  const [only] = field.path;
  if (only !== undefined && field.path.length === 1) {
    const value = stepOf(instance, only, field);
    return isReference(value) ? value.key : value;
  }
  let value: unknown = only === undefined ? instance : stepOf(instance, only, field);
  for (const step of field.path.slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = isReference(value) && step in Object(value.key) ? propertyOf(value.key, step) : propertyOf(value, step);
  }
  return isReference(value) ? value.key : value;
}

/** The identity of an instance as the application gave it: one value, or an object by property of a composite one. */
export function keyOfInstance(model: EntityModel, instance: object): unknown {
  const [first] = model.ids;
  if (first === undefined) return undefined;
  if (model.ids.length === 1) return valueAt(instance, first);
  return Object.fromEntries(model.ids.map((field) => [field.name, valueAt(instance, field)]));
}

/** The first step; a reference that is a plain property has its key beside it. */
function stepOf(instance: object, name: string, field: Field): unknown {
  return (field.role === 'reference' ? slotOf(instance, name) : undefined) ?? propertyOf(instance, name);
}

function propertyOf(value: unknown, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}

/** A `Ref`, told by its shape: this file is below the containers and cannot import them. */
function isReference(value: unknown): value is { readonly key: unknown } {
  return (
    typeof value === 'object' && value !== null && !(value instanceof Date) && 'isLoaded' in value && 'key' in value
  );
}
