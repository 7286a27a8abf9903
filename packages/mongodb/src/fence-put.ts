/**
 * Putting fences up: one request for all of them, of several units of work where they come together, and further ones only where some did not take, or where the values of
 * a reservation have to be read first. A fence of this very owner that stands already is a success: it is this request,
 * whose answer was lost on its way to the driver. No other unit of work ever has its id.
 */
import type {
  FenceOutcome,
  FenceOwner,
  IndexModel,
  InsertBatch,
  UnitPart,
  UpdateBatch,
  WriteBatch,
} from '@storeweave/core';
import type { Document, MongoServerError } from 'mongodb';
import { idOf } from './condition.js';
import type { Call } from './domain.js';
import { collisions, type Placed } from './fence-collisions.js';
import { FENCE, FREE, fenceOf, Owners } from './fence-form.js';
import { documentsById, versionOf, whyMissed } from './fence-reasons.js';
import { type Shape, shapeOf } from './names.js';
import { type Operation, sendUnordered } from './requests.js';
import { changedFields, keyPlaceholder, overlay, reservation, touchedKeys } from './reservation.js';
import { bsonText, uniqueKeysOf, valuesIn } from './unique-keys.js';
import { type ByKey, documentMaker } from './write.js';

/** Keys of one operation at most; its text has to fit into a message. */
const KEYS = 10_000;

/** What became of each unit of work's fences, in the order given. One's failure is none of the others'. */
export async function putFences(
  units: readonly UnitPart[],
  call: Call,
): Promise<readonly PromiseSettledResult<FenceOutcome>[]> {
  // All of it is made before anything is sent, so that a value which cannot be kept leaves nothing behind.
  const made = await Promise.allSettled(
    units.map(async ({ owner, batches }) => new FenceRequest(owner, batches, call)),
  );
  const requests = made.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const { matched, refused } = await sendUnordered(
    requests.flatMap(({ operations }) => operations),
    call,
  );
  const isEach = matched === requests.reduce((sum, { wanted }) => sum + wanted, 0);
  let first = 0;
  return Promise.allSettled(
    made.map(async (each) => {
      if (each.status === 'rejected') throw each.reason;
      const { operations } = each.value;
      const own = operations.flatMap((_, at) => {
        const error = refused.get(first + at);
        return error === undefined ? [] : [[at, error] as const];
      });
      first += operations.length;
      return each.value.conclude(isEach, new Map(own));
    }),
  );
}

class FenceRequest {
  readonly #owners = new Owners();
  readonly #missed: { batch: number; row: number }[] = [];
  /** Reservations whose values are known only when the document is held. */
  readonly #later: { batch: UpdateBatch; row: number }[] = [];
  readonly #marked: readonly Operation[];
  readonly #placed: readonly Placed[];
  /** What it asks for first. */
  readonly operations: readonly Operation[];
  /** Documents that its marks find where all is well. */
  readonly wanted: number;

  constructor(
    private readonly owner: FenceOwner,
    private readonly batches: readonly WriteBatch[],
    private readonly call: Call,
  ) {
    this.#marked = batches.flatMap((batch) => (batch.op === 'insert' ? [] : this.#marks(batch)));
    this.#placed = batches.flatMap((batch) =>
      batch.op === 'insert' ? this.#placeholders(batch) : batch.op === 'update' ? this.#reservations(batch) : [],
    );
    this.operations = [...this.#marked, ...this.#placed.map((each) => this.#insertion(each))];
    this.wanted = batches.reduce((sum, batch) => sum + (batch.op === 'insert' ? 0 : batch.keys.length), 0);
  }

  /** `refused` by position in the operations; `isEach` where every mark is known to have found its document. */
  async conclude(isEach: boolean, refused: ReadonlyMap<number, MongoServerError>): Promise<FenceOutcome> {
    const marks = this.#marked.length;
    for (const [at, error] of refused) if (at < marks) throw error;
    if (!isEach && this.wanted > 0) await this.#readBack();
    await this.#settle(this.#placed, refused, marks);
    if (this.#later.length > 0 && this.#isClear) await this.#place(await this.#readReservations());
    return { missed: this.#missed, held: this.#owners.all };
  }

  get #isClear(): boolean {
    return this.#missed.length === 0 && this.#owners.all.length === 0;
  }

  /** Compare and set: one operation for all rows of a batch that have the same version. */
  #marks(batch: ByKey): Operation[] {
    const { entity } = batch;
    const shape = shapeOf(entity);
    const { namespace } = this.call.collection(entity);
    const op = batch.op === 'delete' ? 'delete' : batch.fields.length === 0 ? 'guard' : 'update';
    const update = { $set: { [FENCE]: fenceOf(this.owner, op) } };
    const groups = new Map<string, { version: Document; ids: unknown[] }>();
    for (const [at, key] of batch.keys.entries()) {
      const version = versionOf(batch, at);
      const text = bsonText(version);
      const group = groups.get(text) ?? { version, ids: [] };
      group.ids.push(idOf(shape, key));
      groups.set(text, group);
    }
    return [...groups.values()].flatMap(({ version, ids }) =>
      chunks(ids).map((some): Operation => {
        const filter: Document = { _id: some.length === 1 ? some[0] : { $in: some }, ...version, ...FREE };
        return { name: some.length === 1 ? 'updateOne' : 'updateMany', namespace, filter, update };
      }),
    );
  }

  #placeholders(batch: InsertBatch): Placed[] {
    const shape = shapeOf(batch.entity);
    const make = documentMaker(shape, batch.fields);
    return batch.rows.map((row) => {
      const document = make(row);
      document[FENCE] = fenceOf(this.owner, 'insert');
      return { shape, document, of: document._id, kind: 'placeholder' };
    });
  }

  /** Those that the row itself says everything about. */
  #reservations(batch: UpdateBatch): Placed[] {
    const shape = shapeOf(batch.entity);
    return batch.rows.flatMap((row, at) => {
      const changed = changedFields(batch, row);
      const touched = touchedKeys(batch, changed);
      const isKnown = ({ where, fields }: IndexModel) =>
        where === undefined && fields.every((field) => changed.includes(field));
      if (!touched.every(isKnown)) this.#later.push({ batch, row: at });
      const image = overlay({ _id: idOf(shape, batch.keys[at] ?? []) }, batch, row, shape);
      return this.#held(image, touched.filter(isKnown), shape);
    });
  }

  async #readReservations(): Promise<Placed[]> {
    const placed: Placed[] = [];
    for (const batch of new Set(this.#later.map((each) => each.batch))) {
      const shape = shapeOf(batch.entity);
      const rows = this.#later.filter((each) => each.batch === batch).map(({ row }) => row);
      const ids = rows.map((row) => idOf(shape, batch.keys[row] ?? []));
      const found = await documentsById(batch.entity, ids, this.call);
      for (const [i, row] of rows.entries()) {
        const image = found.get(bsonText(ids[i]));
        if (image === undefined) continue;
        const values = batch.rows[row] ?? [];
        const changed = changedFields(batch, values);
        placed.push(...this.#held(overlay(image, batch, values, shape), touchedKeys(batch, changed), shape));
      }
    }
    return placed;
  }

  #held(image: Document, indexes: readonly IndexModel[], shape: Shape): Placed[] {
    return indexes
      .filter((index) => valuesIn(image, index, shape) !== undefined)
      .map((index) => ({
        shape,
        document: reservation(this.owner, image, index, shape),
        of: image._id,
        kind: 'reservation',
      }));
  }

  async #place(placed: readonly Placed[]): Promise<void> {
    const inserts = placed.map((each) => this.#insertion(each));
    const { refused } = await sendUnordered(inserts, this.call);
    await this.#settle(placed, refused, 0);
  }

  #insertion({ shape, document }: Placed): Operation {
    return { name: 'insertOne', namespace: this.call.collection(shape.entity).namespace, document };
  }

  /** What stands in the way of those that were refused, and what that means. */
  async #settle(
    placed: readonly Placed[],
    refused: ReadonlyMap<number, MongoServerError>,
    before: number,
  ): Promise<void> {
    if (refused.size === 0 || !this.#isClear) return;
    const inTheWay = [...refused].flatMap(([at, error]) => {
      const one = placed[at - before];
      return one === undefined ? [] : [{ placed: one, error }];
    });
    const { held, behind } = await collisions(this.owner, this.batches, inTheWay, this.call);
    for (const each of held) this.#owners.add(each);
    if (behind.length === 0 || !this.#isClear) return;
    // Their values are given up by other rows of this unit of work and are safe behind its fences until then; what is
    // left to hold is the identity, and what they have in other indexes.
    await this.#place(
      behind.flatMap(({ shape, document, of }) => [
        { shape, document: keyPlaceholder(this.owner, of, shape), of, kind: 'placeholder' } as const,
        ...this.#held(document, uniqueKeysOf(shape.entity), shape),
      ]),
    );
  }

  /** Which rows the marks did not take on, and why. */
  async #readBack(): Promise<void> {
    for (const [batch, each] of this.batches.entries()) {
      if (each.op === 'insert') continue;
      const { missed, held } = await whyMissed(each, [...each.keys.keys()], this.call, this.owner);
      for (const row of missed) this.#missed.push({ batch, row });
      for (const holder of held) this.#owners.add(holder);
    }
  }
}

function chunks<T>(list: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += KEYS) parts.push(list.slice(at, at + KEYS));
  return parts;
}
