/**
 * Turns an identity into something a `Map` can find. Most entities have one id that is a string or a number, and that
 * value is its own key: no text is built per row. A composite identity becomes a text in which no two can be confused.
 */
import type { Field, Row, Value } from '../model/field.js';

/** Finds an entity among those of its class. */
export type IdentityKey = string | number | bigint | boolean;

/** Makes the key of one class; undefined where a part of the identity is not known yet. */
export interface IdentityKeys {
  /** From a row aligned with the entity's fields. */
  ofRow(row: Row): IdentityKey | undefined;
  /** From values aligned with the entity's ids. */
  ofValues(values: readonly Value[]): IdentityKey | undefined;
}

export function identityKeys(ids: readonly Field[]): IdentityKeys {
  const [single] = ids;
  if (single !== undefined && ids.length === 1) {
    const at = single.index;
    return { ofRow: (row) => simpleKey(row[at]), ofValues: (values) => simpleKey(values[0]) };
  }
  const positions = ids.map((field) => field.index);
  const nullable = ids.map((field) => field.nullable);
  const compose = (row: readonly Value[], at: (part: number) => number): string | undefined => {
    let key = '';
    for (let part = 0; part < nullable.length; part++) {
      const value = row[at(part)];
      if (value === undefined || value === null) {
        // A tag of a measurement may be absent for good; any other part is absent until it is assigned.
        if (nullable[part] !== true) return undefined;
        key += '-:';
      } else {
        const text = String(simpleKey(value));
        key += `${text.length}:${text}`;
      }
    }
    return key;
  };
  return {
    ofRow: (row) => compose(row, (part) => positions[part] ?? -1),
    ofValues: (values) => compose(values, (part) => part),
  };
}

function simpleKey(value: Value): IdentityKey | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value;
    default:
      if (value instanceof Uint8Array)
        return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
      return undefined;
  }
}
