/**
 * What a journal row says is to be applied, as text: batches by logical store, with entities and fields by name, so that
 * a process with another version of a class either understands a row or leaves it to one that does. Values keep their
 * neutral form exactly, also those that JSON has no word for.
 */
import { InvalidStateError } from '../../errors/errors.js';
import type { DomainModel } from '../../model/domain-model.js';
import type { EntityModel } from '../../model/entity-model.js';
import { type Field, JSON_NULL, type Row, type Value } from '../../model/field.js';
import type { WriteBatch } from '../../store/write.js';

/** What a unit of work left to do in one logical store. */
export interface StoreRedo {
  readonly store: string;
  /** Empty for a store that takes part by a prepared transaction. */
  readonly batches: readonly WriteBatch[];
}

interface EncodedBatch {
  readonly entity: string;
  readonly op: WriteBatch['op'];
  readonly fields?: readonly string[];
  readonly rows?: readonly unknown[];
  readonly keys?: readonly unknown[];
  readonly versions?: readonly unknown[];
}

export function encodeRedo(parts: readonly StoreRedo[]): string {
  return JSON.stringify(parts.map(({ store, batches }) => ({ store, batches: batches.map(encodeBatch) })));
}

/** Throws `InvalidStateError` for entities and fields that this process does not know. */
export function decodeRedo(text: string, domain: DomainModel): StoreRedo[] {
  const parts = JSON.parse(text) as { store: string; batches: EncodedBatch[] }[];
  return parts.map(({ store, batches }) => ({ store, batches: batches.map((batch) => decodeBatch(batch, domain)) }));
}

function encodeBatch(batch: WriteBatch): EncodedBatch {
  const head = { entity: batch.entity.name, op: batch.op };
  if (batch.op === 'insert') return { ...head, fields: batch.fields.map(nameOf), rows: batch.rows.map(encodeRow) };
  const keys = batch.keys.map(encodeRow);
  const versions = batch.versions === undefined ? {} : { versions: encodeRow(batch.versions) };
  if (batch.op === 'delete') return { ...head, keys, ...versions };
  return { ...head, fields: batch.fields.map(nameOf), rows: batch.rows.map(encodeRow), keys, ...versions };
}

function decodeBatch(encoded: EncodedBatch, domain: DomainModel): WriteBatch {
  const entity = domain.entities.find((each) => each.name === encoded.entity);
  if (entity === undefined) throw unknown(`entity ${encoded.entity}`);
  const fields = (encoded.fields ?? []).map((name) => fieldOf(entity, name));
  const rows = (encoded.rows ?? []).map(decodeRow);
  if (encoded.op === 'insert') return { op: 'insert', entity, fields, rows };
  const keys = (encoded.keys ?? []).map(decodeRow);
  const versions = encoded.versions === undefined ? {} : { versions: decodeRow(encoded.versions) };
  if (encoded.op === 'delete') return { op: 'delete', entity, keys, ...versions };
  return { op: 'update', entity, fields, rows, keys, ...versions };
}

function nameOf(field: Field): string {
  return field.name;
}

function fieldOf(entity: EntityModel, name: string): Field {
  const field = entity.fields.find((each) => each.name === name);
  if (field === undefined) throw unknown(`field ${name} of ${entity.name}`);
  return field;
}

function unknown(what: string): InvalidStateError {
  return new InvalidStateError(
    `A decided unit of work has the ${what}, which this process does not know. It was written by another version of the application: run one that knows it, and its relay finishes the unit of work.`,
  );
}

function encodeRow(row: readonly Value[]): unknown[] {
  return row.map(encodeValue);
}

function decodeRow(row: unknown): Row {
  return (row as unknown[]).map(decodeValue);
}

/** Whatever JSON cannot say is an object with one key that begins with `$`; ordinary objects are wrapped, too. */
export function encodeValue(value: Value): unknown {
  switch (typeof value) {
    case 'undefined':
      return { $undefined: true };
    case 'bigint':
      return { $bigint: String(value) };
    case 'symbol':
      return { $null: true };
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? '-0' : String(value) };
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) {
        return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
      }
      if (Array.isArray(value)) return value.map(encodeValue);
      return { $object: Object.fromEntries(Object.entries(value).map(([key, each]) => [key, encodeValue(each)])) };
    default:
      return value;
  }
}

export function decodeValue(encoded: unknown): Value {
  if (typeof encoded !== 'object' || encoded === null) return encoded;
  if (Array.isArray(encoded)) return encoded.map(decodeValue);
  const [kind, content] = Object.entries(encoded)[0] ?? [];
  switch (kind) {
    case '$undefined':
      return undefined;
    case '$bigint':
      return BigInt(content as string);
    case '$null':
      return JSON_NULL;
    case '$number':
      return Number(content);
    case '$bytes':
      return new Uint8Array(Buffer.from(content as string, 'base64'));
    default:
      return Object.fromEntries(
        Object.entries(content as Record<string, unknown>).map(([key, each]) => [key, decodeValue(each)]),
      );
  }
}
