/**
 * Values as records show them: as JSON that loses nothing, by the name of their property. What is not to be seen is
 * replaced before it gets anywhere near a store.
 */
import { createHash } from 'node:crypto';
import type { EntityModel } from '../model/entity-model.js';
import { type Field, JSON_NULL, type Json, type Row, type Value } from '../model/field.js';
import type { AuditPolicy } from './policy.js';

const REDACTED = '[redacted]';

/** Most characters of a short text of a record; every store can index as many. */
export const MAX_TEXT = 500;

/** A neutral value as JSON: 64-bit numbers and decimals as texts, instants in ISO 8601, bytes in base64. */
export function plainValue(field: Field, value: Value): Json {
  if (value === null || value === undefined || value === JSON_NULL) return null;
  if (field.array && Array.isArray(value)) return value.map((item: Value) => plainOne(field, item));
  return plainOne(field, value);
}

function plainOne(field: Field, value: Value): Json {
  switch (typeof value) {
    case 'bigint':
      return String(value);
    case 'number':
      if (field.type === 'timestamp') return isoText(value);
      return Number.isFinite(value) ? value : String(value);
    default:
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
      return value === JSON_NULL ? null : storable(value as Json);
  }
}

/** NUL and halves of characters: some stores keep them, and others take them in no text. */
const UNSTORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** JSON that every store can keep: a change must not fail because its record cannot be written. */
function storable(value: Json): Json {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(storable);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storableText(name), storable(inner)]));
}

export function storableText(text: string): string {
  return text.replace(UNSTORABLE, '\ufffd');
}

function isoText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}

/** What a record or a filter shows of a field. */
export function shownValue(policy: AuditPolicy | undefined, field: Field, value: Value): Json {
  return policy?.redacted.has(field) === true ? REDACTED : plainValue(field, value);
}

/** Fields of a row that is aligned with all fields of the entity, by name. */
export function shownFields(policy: AuditPolicy, fields: readonly Field[], row: Row): Json {
  return Object.fromEntries(fields.map((field) => [field.name, shownValue(policy, field, row[field.index])]));
}

/** The identity as a text: the id itself, or the parts of a composite one as a JSON object. */
export function keyText(entity: EntityModel, key: readonly Value[]): string {
  const [id] = entity.ids;
  if (id !== undefined && entity.ids.length === 1) {
    const plain = plainValue(id, key[0]);
    return clip(typeof plain === 'string' ? plain : JSON.stringify(plain));
  }
  return clip(
    JSON.stringify(Object.fromEntries(entity.ids.map((field, at) => [field.name, plainValue(field, key[at])]))),
  );
}

/** A text that fits; a longer one is cut and ends in a hash of the whole, always the same. */
export function clip(text: string): string {
  if (text.length <= MAX_TEXT) return storableText(text);
  return `${storableText(text.slice(0, MAX_TEXT - 66))}…${createHash('sha256').update(text).digest('hex')}`;
}
