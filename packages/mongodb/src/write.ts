/**
 * Documents to insert and changes to send. A new document has the shape of its class, without keys for what is absent; a
 * change names the leaves that differ and nothing else. An embedded object whose last leaf is cleared goes as a whole.
 */
import {
  type DeleteBatch,
  type EntityModel,
  type Field,
  NotNullViolationError,
  type Row,
  type UpdateBatch,
  type Value,
} from '@storeweave/core';
import type { Document } from 'mongodb';
import { idOf } from './condition.js';
import { putLeaf } from './leaves.js';
import type { Shape } from './names.js';
import { valuesOf } from './values.js';

/** A batch of documents that are there, known by their identity. */
export type ByKey = UpdateBatch | DeleteBatch;

/** Makes documents of rows that are aligned with `fields`. */
export function documentMaker(shape: Shape, fields: readonly Field[]): (row: Row) => Document {
  const { entity } = shape;
  const leaves = entity.fields
    .filter((field) => !entity.ids.includes(field))
    .map((field) => ({
      field,
      at: fields.indexOf(field),
      keys: shape.keys(field),
      encode: valuesOf(entity, field).encode,
    }));
  const idAt = entity.ids.map((id) => fields.indexOf(id));
  return (row) => {
    const key = idAt.map((at) => row[at]);
    for (const [i, value] of key.entries()) if (value === null || value === undefined) refuse(entity, entity.ids[i]);
    const document: Document = { _id: idOf(shape, key) };
    for (const { field, at, keys, encode } of leaves) {
      let value = at < 0 ? undefined : row[at];
      if (value === undefined && field.default?.kind === 'value') value = field.default.value;
      if (value === undefined || value === null) {
        if (!field.nullable) refuse(entity, field);
        continue;
      }
      putLeaf(document, keys, encode(value));
    }
    return document;
  };
}

/** Collects changes of one document. */
export class Changes {
  readonly #set: Document = {};
  readonly #unset = new Map<string, Field>();
  readonly #increment: Document = {};

  constructor(private readonly shape: Shape) {}

  /** `undefined` leaves the field as it is, null takes it out. */
  set(field: Field, value: Value): void {
    if (value === undefined) return;
    const { entity } = this.shape;
    if (value === null) {
      if (!field.nullable) refuse(entity, field);
      this.#unset.set(this.shape.path(field), field);
    } else this.#set[this.shape.path(field)] = valuesOf(entity, field).encode(value);
  }

  increment(field: Field, by: Value): void {
    this.#increment[this.shape.path(field)] = valuesOf(this.shape.entity, field).encode(by);
  }

  /** The update, with further operators by name; undefined where nothing changes. */
  update(more: Document = {}): Document | undefined {
    const unset = Object.fromEntries(this.#removed().map((path) => [path, '']));
    const update: Document = { ...more };
    if (Object.keys(this.#set).length > 0) update.$set = this.#set;
    if (Object.keys(unset).length > 0) update.$unset = unset;
    if (Object.keys(this.#increment).length > 0) update.$inc = this.#increment;
    return Object.keys(update).length === 0 ? undefined : update;
  }

  #removed(): string[] {
    const { entity } = this.shape;
    let paths = [...this.#unset.keys()];
    for (const { path } of entity.embeddeds) {
      const prefix = `${path.join('.')}.`;
      const leaves = entity.fields.filter((field) => this.shape.path(field).startsWith(prefix));
      if (!leaves.every((field) => this.#unset.has(this.shape.path(field)))) continue;
      paths = [...paths.filter((each) => !each.startsWith(prefix)), path.join('.')];
    }
    return paths.filter((each) => !paths.some((other) => each.startsWith(`${other}.`)));
  }
}

function refuse(entity: EntityModel, field: Field | undefined): never {
  throw new NotNullViolationError(
    `${entity.name}.${field?.name} must have a value, and none was given. Set it, or declare the property nullable.`,
    { entity: entity.name, store: entity.store, ...(field === undefined ? {} : { property: field.name }) },
  );
}
