/**
 * Reads of many fields of a document: its text is sent once and parsed here, which takes a fraction of the time of
 * asking for each field by itself. What JavaScript's numbers would spoil (bigints, decimals, microseconds) is still
 * asked for by its own expression.
 */
import { type Field, JSON_NULL, type ReadSpec, type Row, type Value } from '@storeweave/core';
import type { DocumentLayout } from './document-layout.js';

/** Fewer fields than this are asked for one by one. */
const MANY = 5;

export interface DocumentRead {
  readonly spec: ReadSpec;
  /** Turns the rows of `spec` into those that were asked for. */
  rows(found: Row[]): Row[];
}

type Pick = (row: Row, document: unknown) => Value;

/** How to read these fields; undefined where asking for each is best. */
export function readByDocument(spec: ReadSpec, layout: DocumentLayout): DocumentRead | undefined {
  const parsed = spec.fields.filter((field) => !layout.hasColumn(field) && !isExact(field));
  if (parsed.length < MANY) return undefined;
  const fields: Field[] = [layout.document];
  const picks = spec.fields.map((field): Pick => {
    if (!layout.hasColumn(field) && !isExact(field)) return fromDocument(field);
    const at = fields.push(field) - 1;
    return (row) => row[at];
  });
  return {
    spec: { ...spec, fields },
    rows: (found) =>
      found.map((row) => {
        const document: unknown = JSON.parse(row[0] as string);
        return picks.map((pick) => pick(row, document));
      }),
  };
}

/** True for numbers that may have more digits than a double. */
function isExact({ type, timePrecision }: Field): boolean {
  return type === 'bigint' || type === 'decimal' || (type === 'timestamp' && timePrecision !== 'ms');
}

function fromDocument(field: Field): Pick {
  const { path, array } = field;
  const decode = decoder(field);
  const value = (found: unknown): Value => (decode === undefined || found === null ? found : decode(found));
  const absent = field.type === 'json' && !array ? JSON_NULL : null;
  return (_, document) => {
    let found: unknown = document;
    for (const key of path) {
      if (found === null || typeof found !== 'object' || !Object.hasOwn(found, key)) return null;
      found = (found as Record<string, unknown>)[key];
    }
    if (found === null) return absent;
    if (!array) return value(found);
    return Array.isArray(found) ? found.map(value) : null;
  };
}

function decoder({ type }: Field): ((found: unknown) => Value) | undefined {
  if (type === 'float') return Number;
  if (type === 'bytes') return (found) => new Uint8Array(Buffer.from(String(found), 'base64'));
  return undefined;
}
