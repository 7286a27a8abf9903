/** A participant of commits across stores, called directly: batches as the core makes them, and what must hold meanwhile. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  type CommitParticipant,
  type EntityModel,
  FencedError,
  type FenceOutcome,
  type FenceOwner,
  type Field,
  type Row,
  type Store,
  type UnitPart,
  type Value,
  type WriteBatch,
} from '@storeweave/core';
import { refused, there } from './assertions.js';

const NOW = 1_700_000_000_000;

/** The values of an article, with its id for a sku. */
export function article(id: string, more: Readonly<Record<string, Value>> = {}): Record<string, Value> {
  const plain = { id, sku: id, name: 'n', maker: null, stock: 0, grade: 'plain' };
  return { ...plain, version: 1, createdAt: NOW, updatedAt: NOW, ...more };
}

/** One participant with one entity, and the calls of a unit of work on it. */
export class FenceBench {
  readonly participant: Required<Pick<CommitParticipant, 'fence' | 'apply' | 'unfence' | 'unfenceAll' | 'owners'>>;

  constructor(
    readonly store: Store,
    readonly entity: EntityModel,
  ) {
    const { participant } = store;
    this.participant = {
      fence: (...given) => there(participant?.fence, 'fence()').call(participant, ...given),
      apply: (...given) => there(participant?.apply, 'apply()').call(participant, ...given),
      unfence: (...given) => there(participant?.unfence, 'unfence()').call(participant, ...given),
      unfenceAll: (...given) => there(participant?.unfenceAll, 'unfenceAll()').call(participant, ...given),
      owners: (...given) => there(participant?.owners, 'owners()').call(participant, ...given),
    };
  }

  field(name: string): Field {
    return there(this.entity.fieldsByName.get(name), `field ${name}`);
  }

  inserts(...objects: Readonly<Record<string, Value>>[]): WriteBatch {
    const names = Object.keys(objects[0] ?? {});
    const rows = objects.map((object) => names.map((name) => object[name]));
    return { op: 'insert', entity: this.entity, fields: names.map((name) => this.field(name)), rows };
  }

  /** Sets the same fields of all, and the next version. */
  updates(keys: readonly Value[], version: number, ...values: Readonly<Record<string, Value>>[]): WriteBatch {
    const names = Object.keys(values[0] ?? {});
    return {
      op: 'update',
      entity: this.entity,
      fields: [...names, 'version'].map((name) => this.field(name)),
      rows: keys.map((_, at) => [...names.map((name) => (values[at] ?? values[0])?.[name]), version + 1]),
      keys: keys.map((key) => [key]),
      versions: keys.map(() => version),
    };
  }

  deletes(keys: readonly Value[], version: number): WriteBatch {
    return { op: 'delete', entity: this.entity, keys: keys.map((key) => [key]), versions: keys.map(() => version) };
  }

  guards(keys: readonly Value[], version: number): WriteBatch {
    const versions = keys.map(() => version);
    return {
      op: 'update',
      entity: this.entity,
      fields: [],
      rows: keys.map(() => []),
      keys: keys.map((k) => [k]),
      versions,
    };
  }

  fence(owner: FenceOwner, ...batches: WriteBatch[]): Promise<FenceOutcome> {
    return this.participant.fence(owner, batches, {});
  }
  apply(owner: FenceOwner, ...batches: WriteBatch[]): Promise<void> {
    return this.participant.apply(owner, batches, {});
  }
  /** By the call for many where the store has it. */
  async applyMany(units: readonly UnitPart[]): Promise<void> {
    const { participant } = this.store;
    if (participant?.applyMany !== undefined) return participant.applyMany(units, {});
    for (const { owner, batches } of units) await this.participant.apply(owner, batches, {});
  }
  unfence(owner: FenceOwner, ...batches: WriteBatch[]): Promise<void> {
    return this.participant.unfence(owner, batches, {});
  }
  async owners(): Promise<string[]> {
    return (await this.participant.owners(100, {})).map(({ unitOfWork }) => unitOfWork).sort();
  }

  /** Everything that is shown, by each way to read that the store has; they must agree. */
  async rows(...names: string[]): Promise<Row[]> {
    const { store, entity } = this;
    const order = entity.ids.map((field) => ({ on: { field }, direction: 'asc', nulls: 'last' }) as const);
    const spec = { entity, fields: names.map((name) => this.field(name)), order };
    const rows = await store.read(spec, {});
    if (store.count !== undefined) assert.equal(await store.count(entity, undefined, {}), rows.length);
    if (store.aggregate !== undefined) {
      const counted = await store.aggregate({ entity, columns: [{ alias: 'n', function: 'count' }] }, {});
      assert.deepEqual(counted, [[rows.length]]);
    }
    if (store.stream !== undefined) {
      const streamed: Row[] = [];
      for await (const piece of store.stream(spec, { batchSize: 2 })) streamed.push(...piece);
      assert.deepEqual(streamed, rows);
    }
    return rows;
  }

  /** Every kind of write of this store alone that meets the row is refused, and names who holds it. */
  async refusesOthers(key: Value, version: number, owner: FenceOwner): Promise<void> {
    const { store, entity } = this;
    const where = { op: 'keys', fields: entity.ids, rows: [[key]] } as const;
    const set = [{ field: this.field('name'), value: 'other' }];
    const writes: (() => unknown)[] = [
      () => store.write(this.updates([key], version, { name: 'other' }), {}),
      () => store.write(this.deletes([key], version), {}),
      () => store.write({ op: 'delete', entity, keys: [[key]] }, {}),
      () => store.write(this.inserts(article(String(key), { name: 'other', sku: randomUUID() })), {}),
    ];
    if (store.bulk !== undefined) {
      writes.push(() => store.bulk?.({ op: 'updateWhere', entity, where, set, increment: [] }, {}));
      writes.push(() => store.bulk?.({ op: 'deleteWhere', entity, where: { op: 'and', conditions: [] } }, {}));
    }
    const operations = [{ op: 'set', on: { field: this.field('name') }, value: 'other' }] as const;
    if (store.documents !== undefined) {
      writes.push(() => store.documents?.patch({ entity, target: { keys: [[key]] }, operations }, {}));
      writes.push(() => store.documents?.patch({ entity, target: { where }, operations }, {}));
    }
    for (const [at, write] of writes.entries()) {
      const { owners } = await refused(FencedError, write);
      assert.deepEqual([at, ...owners], [at, owner]);
    }
  }
}
