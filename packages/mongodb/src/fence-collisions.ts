/**
 * Why a placeholder or reservation was refused by a unique index: the value is taken, somebody's fence holds it, or a row
 * of the same unit of work has it and gives it up. Only what the server said decides about the index, and only what
 * stands there about the reason.
 */
import type { FenceOwner, Field, IndexModel, Value, WriteBatch } from '@storeweave/core';
import type { Document, MongoServerError } from 'mongodb';
import { idOf } from './condition.js';
import type { Call } from './domain.js';
import { indexNamed, isDuplicate, mapError } from './errors.js';
import { FENCE, Owners, ownerIn } from './fence-form.js';
import { letGo } from './fence-reasons.js';
import { leafOf } from './leaves.js';
import { type Shape, shapeOf } from './names.js';
import { bsonText, conditionOf, sameValues, uniqueKeysOf, valuesIn } from './unique-keys.js';
import { valuesOf } from './values.js';

/** A document that takes an identity or unique values for a unit of work. */
export interface Placed {
  readonly shape: Shape;
  readonly document: Document;
  /** Identity that it is for: its own, or that of the document whose new values it holds. */
  readonly of: unknown;
  readonly kind: 'placeholder' | 'reservation';
}

export interface Refused {
  readonly placed: Placed;
  readonly error: MongoServerError;
}

export interface Collisions {
  /** Whose fences are in the way. */
  readonly held: readonly FenceOwner[];
  /** Placeholders for values that other rows of this unit of work give up. */
  readonly behind: readonly Placed[];
}

/** Clauses of one query at most. */
const CLAUSES = 1_000;
/** Documents of one answer at most; one clause may ask for as many identities as there are clauses. */
const BATCH = 100_000;

/** Throws what the refusal means where it is final: `UniqueViolationError` above all. */
export async function collisions(
  owner: FenceOwner,
  batches: readonly WriteBatch[],
  refused: readonly Refused[],
  call: Call,
): Promise<Collisions> {
  const held = new Owners();
  const behind: Placed[] = [];
  let gone: Refused | undefined;
  for (const { placed, error } of refused) {
    if (!isDuplicate(error)) throw mapError(error, placed.shape.entity);
  }
  for (const shape of new Set(refused.map(({ placed }) => placed.shape))) {
    const here = refused.filter(({ placed }) => placed.shape === shape);
    const holders = await holdersOf(here, shape, call);
    const ownRows = rowsById(batches, shape);
    for (const each of here) {
      const { placed, error } = each;
      const found = holders.filter((holder) => isSame(holder, each));
      if (found.length === 0) gone = each;
      for (const holder of found) {
        const other = ownerIn(holder);
        if (other !== undefined && other.unitOfWork !== owner.unitOfWork) held.add(other);
        else if (other === undefined) throw mapError(error, shape.entity);
        else if (isItself(holder, placed)) continue;
        else if (!givesUp(holder, each, ownRows)) throw mapError(error, shape.entity);
        else if (placed.kind === 'placeholder') behind.push(placed);
      }
    }
  }
  if (gone !== undefined && held.all.length === 0) throw letGo(gone.placed.shape.entity, gone.error);
  return { held: held.all, behind: [...new Set(behind)] };
}

/** The same document, sent before, or the one that has the values already. */
function isItself(holder: Document, { document, of }: Placed): boolean {
  const id = bsonText(holder._id);
  return id === bsonText(document._id) || id === bsonText(of);
}

/** Indexes that the error may be about; undefined stands for the identity. */
function indexesOf({ placed, error }: Refused): readonly (IndexModel | undefined)[] {
  const name = indexNamed(error.message);
  if (name === '_id_') return [undefined];
  const keys = uniqueKeysOf(placed.shape.entity);
  const named = keys.filter((index) => index.name === name);
  return named.length > 0 ? named : [undefined, ...keys];
}

function isSame(holder: Document, refused: Refused): boolean {
  const { shape, document } = refused.placed;
  return indexesOf(refused).some((index) => {
    if (index === undefined) return bsonText(holder._id) === bsonText(document._id);
    const values = valuesIn(document, index, shape);
    return values !== undefined && values === valuesIn(holder, index, shape);
  });
}

async function holdersOf(refused: readonly Refused[], shape: Shape, call: Call): Promise<Document[]> {
  const clauses: Document[] = [];
  const ids: unknown[] = [];
  for (const each of refused) {
    for (const index of indexesOf(each)) {
      if (index === undefined) ids.push(each.placed.document._id);
      else clauses.push(...inIndex(each.placed.document, index, shape));
    }
  }
  for (let at = 0; at < ids.length; at += CLAUSES) clauses.push({ _id: { $in: ids.slice(at, at + CLAUSES) } });
  const paths = uniqueKeysOf(shape.entity).flatMap(({ fields }) => fields.map((field) => [shape.path(field), 1]));
  const projection = { [FENCE]: 1, ...Object.fromEntries(paths.filter(([path]) => !String(path).startsWith('_id'))) };
  const found: Document[] = [];
  for (let at = 0; at < clauses.length; at += CLAUSES) {
    const filter = { $or: clauses.slice(at, at + CLAUSES) };
    const options = { ...call.options, projection, batchSize: BATCH };
    found.push(...(await call.collection(shape.entity).find(filter, options).toArray()));
  }
  return found;
}

function inIndex(document: Document, index: IndexModel, shape: Shape): Document[] {
  const same = sameValues(document, index, shape);
  const condition = conditionOf(index);
  if (same === undefined) return [];
  return [condition === undefined ? same : { $and: [same, condition] }];
}

interface OwnRow {
  readonly batch: WriteBatch;
  readonly row: number;
}

function rowsById(batches: readonly WriteBatch[], shape: Shape): Map<string, OwnRow> {
  const rows = new Map<string, OwnRow>();
  for (const batch of batches) {
    if (batch.op === 'insert' || shapeOf(batch.entity) !== shape) continue;
    for (const [row, key] of batch.keys.entries()) rows.set(bsonText(idOf(shape, key)), { batch, row });
  }
  return rows;
}

/** True where this unit of work deletes the holder, or gives it other values in the index. */
function givesUp(holder: Document, refused: Refused, rows: ReadonlyMap<string, OwnRow>): boolean {
  const own = rows.get(bsonText(holder._id));
  if (own === undefined || own.batch.op === 'insert') return false;
  const { batch, row } = own;
  if (batch.op === 'delete') return true;
  const { shape } = refused.placed;
  const values = batch.rows[row] ?? [];
  const isOther = (field: Field, value: Value) =>
    value === null ||
    bsonText(valuesOf(batch.entity, field).encode(value)) !== bsonText(leafOf(holder, shape.keys(field)));
  return indexesOf(refused).some((index) => {
    if (index === undefined) return false;
    // Whether the condition of a partial index still holds is for the server to say, when all is installed.
    if (index.where !== undefined) return batch.fields.length > 0;
    return batch.fields.some((field, at) => {
      const value = values[at];
      return value !== undefined && index.fields.includes(field) && isOther(field, value);
    });
  });
}
