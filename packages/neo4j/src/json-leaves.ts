/**
 * JSON in a database that has no such type. The value is kept as canonical text (keys in order, so that equal values
 * are equal text), and beside it a list of its leaves, one short text each, by which filters on paths run in the
 * database: `/deep/flag=!true`. The part before `=` is a JSON pointer (`~2` stands for `=`), the sign after it the type.
 * Objects and arrays are leaves, too, by a hash, so that they can be compared and asked for.
 */
import { createHash } from 'node:crypto';
import { InvalidValueError, JSON_NULL, type Value } from '@storeweave/core';

/** Property beside a json property that has its leaves. */
export function leavesOf(property: string): string {
  return `${property}:leaves`;
}

/** Signs of the types of leaves. */
export const LEAF = { number: '=#', string: '="', boolean: '=!', null: '=-', object: '={', array: '=[' } as const;

/** Canonical text of a JSON value. Throws `InvalidValueError` for text that no UTF-8 can carry. */
export function jsonText(value: Value): string {
  if (value === JSON_NULL || value === null || value === undefined) return 'null';
  if (typeof value === 'string') return JSON.stringify(wellFormed(value));
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(wellFormed(key))}:${jsonText((value as Record<string, Value>)[key])}`);
  return `{${members.join(',')}}`;
}

/** The leaves of a JSON value, containers included. */
export function jsonLeaves(value: Value): string[] {
  const leaves: string[] = [];
  collect(value, '', leaves);
  return leaves;
}

/** The pointer of a path. */
export function pointer(path: readonly string[]): string {
  return path.map(step).join('');
}

/** One step of a pointer. */
export function step(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('=', '~2')}`;
}

/** What a leaf with this value ends in, after its pointer. */
export function leafEnd(value: Value): string {
  if (value === null || value === undefined || value === JSON_NULL) return LEAF.null;
  if (typeof value === 'string') return LEAF.string + wellFormed(value);
  if (typeof value === 'boolean') return LEAF.boolean + String(value);
  if (typeof value === 'object') {
    const hash = createHash('sha256').update(jsonText(value)).digest('base64').slice(0, 22);
    return (Array.isArray(value) ? LEAF.array : LEAF.object) + hash;
  }
  return LEAF.number + JSON.stringify(Number(value));
}

/** A text that survives the way to the database: a lone surrogate would come back as another character. */
export function wellFormed(text: string): string {
  if (/\p{Surrogate}/u.test(text)) {
    throw new InvalidValueError('A text with a lone surrogate is not valid Unicode, and Neo4j cannot keep it.');
  }
  return text;
}

function collect(value: Value, at: string, into: string[]): void {
  into.push(at + leafEnd(value));
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) collect((value as Record<string, Value>)[key], at + step(key), into);
}
