/** Tests on the leaves of a json value (`json-leaves.ts`), as Cypher over a list of texts. */
import { JSON_NULL, type Value } from '@storeweave/core';
import { LEAF, leafEnd, step } from './json-leaves.js';
import type { Scope } from './scope.js';

export interface JsonTest {
  /** The list of leaves. */
  readonly on: string;
  /** Pointer of the value. */
  readonly at: string;
}

/** True where the value at a path is of this type and passes. */
export function jsonTest(
  { on, at, type }: JsonTest & { readonly type: 'number' | 'string' | 'boolean' },
  test: (own: string) => string,
  scope: Scope,
): string {
  const leaf = scope.alias('l');
  const begin = scope.parameter(at + LEAF[type]);
  const text = `substring(${leaf}, size(${begin}))`;
  const own = type === 'number' ? `toFloat(${text})` : text;
  return `any(${leaf} IN ${on} WHERE ${leaf} STARTS WITH ${begin} AND ${test(own)})`;
}

/** What the value at a path is worth in an order: a number or a text, null where it is neither. */
export function jsonOrder(on: string, at: string, scope: Scope): string {
  const leaf = scope.alias('l');
  const number = scope.parameter(at + LEAF.number);
  const texts = [LEAF.string, LEAF.boolean].map((sign) => scope.parameter(at + sign));
  const text = `head([${leaf} IN ${on} WHERE ${texts.map((begin) => `${leaf} STARTS WITH ${begin}`).join(' OR ')} | substring(${leaf}, size(${texts[0]}))])`;
  return `coalesce(head([${leaf} IN ${on} WHERE ${leaf} STARTS WITH ${number} | toFloat(substring(${leaf}, size(${number})))]), ${text})`;
}

/**
 * PostgreSQL's `@>`: objects by key, arrays as sets; an array contains a scalar only at the top. `at` is an expression
 * for the pointer, since the position in an array is only known in the database.
 */
export function jsonContains(on: string, at: string, wanted: Value, top: boolean, scope: Scope): string {
  if (Array.isArray(wanted)) {
    const elements = wanted.map((element: Value) => {
      const i = scope.alias('i');
      const inner = jsonContains(on, `${at} + '/' + toString(${i})`, element, false, scope);
      return `any(${i} IN range(0, coalesce(size(${on}), 0)) WHERE ${inner})`;
    });
    return `(${[begins(on, `${at} + ${scope.parameter(LEAF.array)}`, scope), ...elements].join(' AND ')})`;
  }
  if (typeof wanted === 'object' && wanted !== null) {
    const members = Object.entries(wanted as Record<string, Value>).map(([key, value]) =>
      jsonContains(on, `${at} + ${scope.parameter(step(key))}`, value, false, scope),
    );
    return `(${[begins(on, `${at} + ${scope.parameter(LEAF.object)}`, scope), ...members].join(' AND ')})`;
  }
  const end = scope.parameter(leafEnd(wanted === JSON_NULL ? null : wanted));
  const same = `(${at} + ${end}) IN ${on}`;
  if (!top) return same;
  const i = scope.alias('i');
  const isArray = begins(on, `${at} + ${scope.parameter(LEAF.array)}`, scope);
  return `(${same} OR (${isArray} AND any(${i} IN range(0, coalesce(size(${on}), 0)) WHERE (${at} + '/' + toString(${i}) + ${end}) IN ${on})))`;
}

function begins(on: string, begin: string, scope: Scope): string {
  const leaf = scope.alias('l');
  return `any(${leaf} IN ${on} WHERE ${leaf} STARTS WITH ${begin})`;
}
