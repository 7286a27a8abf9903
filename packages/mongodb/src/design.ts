/** What an entity needs of its collection: a validator and indexes, in MongoDB's own words, made from the metadata. */
import { CapabilityError, ConfigurationError, type EntityModel, type Field, type IndexModel } from '@storeweave/core';
import { BSON, type Document } from 'mongodb';
import { mayBeLong } from './decimal.js';
import { FENCE_INDEX, RESERVATION } from './fence-form.js';
import { type Shape, shapeOf } from './names.js';

export interface IndexDesign {
  readonly name: string;
  readonly key: Document;
  /** `unique`, `partialFilterExpression`, `expireAfterSeconds`, `sparse`, as far as they are asked for. */
  readonly options: Document;
}

export interface CollectionDesign {
  readonly entity: string;
  readonly name: string;
  readonly validator: Document;
  readonly indexes: readonly IndexDesign[];
}

/** Throws `ConfigurationError` or `CapabilityError` for indexes that MongoDB does not have. */
export function designOf(entity: EntityModel, isFenced = false): CollectionDesign {
  const shape = shapeOf(entity);
  const indexes = entity.indexes.flatMap((index) => {
    const isIdentity = index.fields.length === 1 && entity.ids.length === 1 && index.fields[0] === entity.ids[0];
    return isIdentity && index.type === undefined ? [] : [indexDesign(index, shape)];
  });
  if (shape.compositeId) {
    // The index of `_id` knows the identity only as a whole.
    const key = Object.fromEntries(entity.ids.map((id) => [shape.path(id), 1]));
    indexes.push({ name: 'id_parts', key, options: {} });
  }
  if (isFenced) indexes.push(FENCE_INDEX);
  const schema = validatorOf(shape);
  const validator = isFenced ? { $or: [schema, RESERVATION] } : schema;
  return { entity: entity.name, name: shape.collection, validator, indexes };
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const KINDS: Readonly<Record<string, unknown>> = { btree: 1, text: 'text', hashed: 'hashed', '2dsphere': '2dsphere' };

function indexDesign(index: IndexModel, shape: Shape): IndexDesign {
  const { entity } = shape;
  const subject = { entity: entity.name, store: entity.store, constraint: index.name };
  const ttl = /^ttl(?::(\d+)([smhd]))?$/.exec(index.type ?? '');
  const kind = ttl !== null ? 1 : KINDS[index.type ?? 'btree'];
  if (kind === undefined && index.type !== 'wildcard') {
    throw new ConfigurationError(
      `Index ${index.name} of ${entity.name} is of type "${index.type}". MongoDB has btree, text, hashed, 2dsphere, wildcard, and ttl or ttl:30d (s, m, h, d) on a timestamp.`,
      subject,
    );
  }
  const key: Document = {};
  for (const field of index.fields) {
    if (index.unique && field.array) {
      throw new CapabilityError(
        `Index ${index.name} of ${entity.name}: MongoDB would hold each element of ${field.name} unique, and not the list. Leave unique out.`,
        { ...subject, property: field.name },
      );
    }
    key[index.type === 'wildcard' ? `${shape.path(field)}.$**` : shape.path(field)] = kind ?? 1;
  }
  const options: Document = {};
  if (ttl !== null) options.expireAfterSeconds = Number(ttl[1] ?? 0) * (SECONDS[ttl[2] ?? 's'] ?? 1);
  if (index.unique) options.unique = true;
  const filter = partialFilter(index, shape);
  if (filter !== undefined) options.partialFilterExpression = filter;
  return { name: index.name, key, options };
}

/** Absent values are no conflict, as everywhere; MongoDB would count them as equal. */
function partialFilter(index: IndexModel, shape: Shape): Document | undefined {
  const { entity } = shape;
  const filter: Document = {};
  if (index.unique) {
    for (const field of index.fields) if (field.nullable) filter[shape.path(field)] = { $exists: true };
  }
  if (index.where === undefined) return Object.keys(filter).length === 0 ? undefined : filter;
  try {
    const where = BSON.EJSON.parse(index.where) as Document;
    return Object.keys(filter).length === 0 ? where : { $and: [filter, where] };
  } catch (error) {
    throw new ConfigurationError(
      `Index ${index.name} of ${entity.name}: "where" is a filter of MongoDB as JSON, like '{"status":"active"}'.`,
      { entity: entity.name, store: entity.store, constraint: index.name, cause: error },
    );
  }
}

interface Node {
  readonly fields: Map<string, Field>;
  readonly inner: Map<string, Node>;
}

function validatorOf(shape: Shape): Document {
  const root: Node = { fields: new Map(), inner: new Map() };
  for (const field of shape.entity.fields) {
    const keys = shape.keys(field);
    let node = root;
    for (const key of keys.slice(0, -1)) {
      const next: Node = node.inner.get(key) ?? { fields: new Map(), inner: new Map() };
      node.inner.set(key, next);
      node = next;
    }
    node.fields.set(keys.at(-1) ?? '', field);
  }
  return { $jsonSchema: schemaOf(root, true) };
}

function schemaOf(node: Node, isRequired: boolean): Document {
  const properties: Document = {};
  const required: string[] = [];
  for (const [key, field] of node.fields) {
    properties[key] = fieldSchema(field);
    if (!field.nullable) required.push(key);
  }
  for (const [key, inner] of node.inner) {
    const needed = hasRequired(inner);
    properties[key] = schemaOf(inner, needed);
    if (needed) required.push(key);
  }
  return {
    bsonType: isRequired ? 'object' : ['object', 'null'],
    ...(required.length === 0 ? {} : { required: required.sort() }),
    properties,
  };
}

function hasRequired(node: Node): boolean {
  return [...node.fields.values()].some(({ nullable }) => !nullable) || [...node.inner.values()].some(hasRequired);
}

function fieldSchema(field: Field): Document {
  const one = elementSchema(field);
  const schema = field.array ? { bsonType: 'array', items: one } : one;
  if (!field.nullable || Object.keys(schema).length === 0) return schema;
  if (Array.isArray(schema.enum)) return { enum: [...schema.enum, null] };
  return { ...schema, bsonType: [schema.bsonType, 'null'].flat() };
}

function elementSchema(field: Field): Document {
  switch (field.type) {
    case 'string':
    case 'text':
      return { bsonType: 'string', ...(field.length === undefined ? {} : { maxLength: field.length }) };
    case 'integer':
      return { bsonType: 'int' };
    case 'bigint':
      return { bsonType: 'long' };
    case 'float':
      return { bsonType: ['double', 'int', 'long'] };
    case 'decimal':
      return { bsonType: mayBeLong(field) ? ['decimal', 'object'] : 'decimal' };
    case 'boolean':
      return { bsonType: 'bool' };
    case 'date':
      return { bsonType: 'date' };
    case 'timestamp':
      return { bsonType: field.timePrecision === 'ms' ? 'date' : 'long' };
    case 'uuid':
    case 'bytes':
      return { bsonType: 'binData' };
    case 'enum':
      return { enum: [...(field.enumValues ?? [])] };
    case 'json':
      return {};
  }
}
