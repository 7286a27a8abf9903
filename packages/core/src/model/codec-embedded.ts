/**
 * An array of embedded objects is one json field: each object becomes a JSON object of its leaves, and an instance of
 * its class again. What JSON cannot say (bigint, bytes, json null) is written in a form that reads back exactly.
 */
import type { InvalidValueError } from '../errors/errors.js';
import { jsonEquals } from './codec-json.js';
import type { EntityClass } from './entity-model.js';
import { type Codec, JSON_NULL, type Value } from './field.js';

/** A leaf of the embedded class. */
export interface EmbeddedLeaf {
  readonly path: readonly string[];
  readonly type: string;
  readonly array: boolean;
  readonly nullable: boolean;
  readonly codec: Codec;
}

/** The embedded class and those nested in it. */
export interface EmbeddedShape {
  readonly leaves: readonly EmbeddedLeaf[];
  /** Path of every object on the way, outermost first, `[]` for the class itself. */
  readonly objects: readonly {
    readonly path: readonly string[];
    readonly target?: EntityClass;
    readonly nullable: boolean;
  }[];
}

type Misfit = (value: unknown, expected: string) => InvalidValueError;
type Bag = Record<string, unknown>;

/** Codec of a json field that holds an array of embedded objects. */
export function embeddedArrayCodec(shape: EmbeddedShape, misfit: Misfit): Codec {
  return Object.freeze({
    identity: false,
    toRow(value: unknown): Value {
      if (!Array.isArray(value)) throw misfit(value, 'an array of embedded objects');
      return value.map((item: unknown) => toJson(item, shape, misfit));
    },
    fromRow: (value: Value): unknown => (value as Bag[]).map((item) => fromJson(item, shape)),
    equals: jsonEquals,
  });
}

function toJson(item: unknown, shape: EmbeddedShape, misfit: Misfit): Bag {
  if (typeof item !== 'object' || item === null) throw misfit(item, 'an array of embedded objects');
  const json: Bag = {};
  for (const leaf of shape.leaves) {
    const value = read(item as Bag, leaf.path);
    if (value === undefined || value === null) {
      if (!leaf.nullable) throw misfit(value, `objects with a value for ${leaf.path.join('.')}`);
      continue;
    }
    write(json, leaf.path, encode(leaf.codec.toRow(value)));
  }
  return json;
}

function fromJson(json: Bag, shape: EmbeddedShape): unknown {
  let root: unknown = {};
  for (const { path, target, nullable } of shape.objects) {
    const absent = path.length > 0 && nullable && read(json, path) === undefined;
    const object = absent ? null : target === undefined ? {} : Object.create(target.prototype as object);
    if (path.length === 0) root = object;
    else if (read(root as Bag, path.slice(0, -1)) !== null) write(root as Bag, path, object);
  }
  for (const leaf of shape.leaves) {
    const holder = read(root as Bag, leaf.path.slice(0, -1));
    if (typeof holder !== 'object' || holder === null) continue;
    const stored = read(json, leaf.path);
    const name = leaf.path[leaf.path.length - 1] as string;
    (holder as Bag)[name] = stored === undefined || stored === null ? null : leaf.codec.fromRow(decode(stored, leaf));
  }
  return root;
}

function encode(value: Value): unknown {
  if (value === JSON_NULL) return { $json: null };
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return Array.isArray(value) ? value.map(encode) : value;
}

function decode(stored: unknown, leaf: Pick<EmbeddedLeaf, 'type' | 'array'>): Value {
  if (leaf.array) return (stored as unknown[]).map((item) => decode(item, { type: leaf.type, array: false }));
  if (leaf.type === 'bytes') return Uint8Array.from(Buffer.from(stored as string, 'base64'));
  if (leaf.type === 'bigint' || (leaf.type === 'timestamp' && typeof stored === 'string'))
    return BigInt(stored as string);
  if (leaf.type === 'json' && typeof stored === 'object' && stored !== null && '$json' in stored) return JSON_NULL;
  return stored;
}

function read(from: Bag, path: readonly string[]): unknown {
  let value: unknown = from;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Bag)[step];
  }
  return value;
}

function write(into: Bag, path: readonly string[], value: unknown): void {
  let holder = into;
  for (const step of path.slice(0, -1)) {
    const next = holder[step];
    if (typeof next === 'object' && next !== null) holder = next as Bag;
    else {
      const made: Bag = {};
      holder[step] = made;
      holder = made;
    }
  }
  holder[path[path.length - 1] as string] = value;
}
