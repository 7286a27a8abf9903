/**
 * The one place where a value of the application becomes a comparand of a condition: never null or undefined, always of
 * the field's type, in its neutral form. A filter that was given nothing by mistake must fail, not match everything.
 */
import { InvalidQueryError, InvalidValueError } from '../errors/errors.js';
import type { EntityModel } from '../model/entity-model.js';
import type { Field, Json, Value } from '../model/field.js';

/** Where in a query something stands, for messages. */
export interface Place {
  readonly entity: EntityModel;
  readonly path: readonly string[];
}

export function at(place: Place, ...names: readonly string[]): Place {
  return { entity: place.entity, path: [...place.path, ...names] };
}

export function invalid(place: Place, problem: string, cause?: unknown): InvalidQueryError {
  const property = place.path.join('.');
  return new InvalidQueryError(`${place.entity.name}${property === '' ? '' : `.${property}`}: ${problem}`, {
    entity: place.entity.name,
    ...(property === '' ? {} : { property }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Refuses null and undefined as comparands. */
export function present(place: Place, value: unknown, what: string): NonNullable<unknown> {
  if (value !== null && value !== undefined) return value;
  const last = place.path.at(-1) ?? 'property';
  throw invalid(
    place,
    `${what} is ${value === null ? 'null' : 'undefined'}. Leave it out to match everything, or ask for absence with { ${last}: { exists: false } }.`,
  );
}

/** The neutral form of a value that a field is compared with. */
export function comparand(place: Place, field: Field, value: unknown, what = 'the value to compare with'): Value {
  const given = present(place, value, what);
  try {
    return field.codec.toRow(given);
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    throw invalid(place, `${what} does not fit its type ${typeName(field)}: ${error.message}`, error);
  }
}

/** A value inside a json field, which is compared by its JSON type. */
export function jsonComparand(place: Place, value: unknown, what = 'the value to compare with'): Json {
  const given = present(place, value, what);
  if (isJson(given)) return given;
  throw invalid(
    place,
    `${what} is ${describe(given)}, which JSON cannot hold. Compare with a string, number, boolean, array or plain object.`,
  );
}

function isJson(value: unknown): value is Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isPlainObject(value) && Object.values(value).every(isJson);
}

/** An object literal: what filters are written as, unlike dates, instances and arrays. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function typeName(field: Field): string {
  return field.array ? `${field.type}[]` : field.type;
}

export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'object'}`;
  return typeof value === 'string' ? JSON.stringify(value) : `${typeof value} ${String(value)}`;
}
