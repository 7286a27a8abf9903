/**
 * JSON values as BSON and back. Native either way, but what BSON would bend or the driver take for a type of its own is
 * refused, and what only other writers put into a json property (dates, 64-bit numbers) is read as JSON.
 */
import { Binary, BSONRegExp, DBRef, Decimal128, ObjectId, Timestamp, UUID } from 'mongodb';

/** Why a JSON value cannot be kept; undefined where it can. */
export function jsonProblem(value: unknown): string | undefined {
  if (typeof value === 'string') return textProblem(value);
  if (value === null || typeof value !== 'object') return undefined;
  if (Array.isArray(value)) {
    for (const item of value) {
      const problem = jsonProblem(item);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (key.includes('\0')) return 'BSON has no keys with a NUL character in them';
    if (key === '_bsontype') return 'the key "_bsontype" is how the driver marks its own types';
    const problem = textProblem(key) ?? jsonProblem((value as Record<string, unknown>)[key]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Since ES2024, and in every Node we support. */
interface WellFormed {
  isWellFormed(): boolean;
}

export function textProblem(text: string): string | undefined {
  return (text as unknown as WellFormed).isWellFormed()
    ? undefined
    : 'it has half of a surrogate pair, which UTF-8 cannot write';
}

export function decodeJson(found: unknown): unknown {
  switch (typeof found) {
    case 'string':
    case 'number':
    case 'boolean':
      return found;
    case 'bigint':
      return Number(found);
    case 'object':
      return found === null ? null : decodeObject(found);
    default:
      return null;
  }
}

function decodeObject(found: object): unknown {
  if (Array.isArray(found)) return found.map(decodeJson);
  if (found instanceof Date) return found.toISOString();
  if (found instanceof DBRef) return decodeObject(found.toJSON());
  if (found instanceof Decimal128) return Number(found.toString());
  if (found instanceof UUID || found instanceof ObjectId) return found.toHexString();
  if (found instanceof Binary) return found.toString('base64');
  if (found instanceof Timestamp) return found.toString();
  if (found instanceof BSONRegExp || found instanceof RegExp) return String(found);
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(found)) {
    // A key called __proto__ must become a property like any other.
    if (key === '__proto__') {
      Object.defineProperty(copy, key, {
        value: decodeJson(value),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } else copy[key] = decodeJson(value);
  }
  return copy;
}
