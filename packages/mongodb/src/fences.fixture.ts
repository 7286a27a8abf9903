/** An opened store of one class whose documents may be fenced, and batches for it in few words. */
import { randomUUID } from 'node:crypto';
import type { EntityClass, FenceOutcome, FenceOwner, Field, Row, Value, WriteBatch } from '@storeweave/core';
import { type Opened, openStore } from './servers.fixture.js';

type Values = Readonly<Record<string, Value>>;

export const CLEAN: FenceOutcome = { missed: [], held: [] };

export const owner = (): FenceOwner => ({ unitOfWork: randomUUID(), coordinator: 'relational' });

export interface Fencing extends Opened {
  readonly insert: (...objects: Values[]) => WriteBatch;
  /** Sets the values of the one with this key, and the next version. */
  readonly update: (key: Value | Row, version: number, values: Values) => WriteBatch;
  readonly remove: (key: Value | Row, version: number) => WriteBatch;
  /** Calls of the participant. */
  readonly fence: (by: FenceOwner, ...batches: WriteBatch[]) => Promise<FenceOutcome>;
  readonly apply: (by: FenceOwner, ...batches: WriteBatch[]) => Promise<void>;
  readonly unfence: (by: FenceOwner, ...batches: WriteBatch[]) => Promise<void>;
  /** These fields of all documents that are shown, by key. */
  readonly rows: (...names: string[]) => Promise<Row[]>;
}

export async function openFencing(target: EntityClass, url?: string): Promise<Fencing> {
  const opened = await openStore([target], url, true);
  const { store } = opened;
  const { participant } = store;
  const entity = opened.model(target);
  const field = (name: string) => entity.fieldsByName.get(name) as Field;
  const keyOf = (key: Value | Row) => (Array.isArray(key) ? (key as Row) : [key]);
  return {
    ...opened,
    insert: (...objects) => {
      const names = Object.keys(objects[0] ?? {});
      const rows = objects.map((object) => names.map((name) => object[name]));
      return { op: 'insert', entity, fields: names.map(field), rows };
    },
    update: (key, version, values) => ({
      op: 'update',
      entity,
      fields: [...Object.keys(values), 'version'].map(field),
      rows: [[...Object.values(values), version + 1]],
      keys: [keyOf(key)],
      versions: [version],
    }),
    remove: (key, version) => ({ op: 'delete', entity, keys: [keyOf(key)], versions: [version] }),
    fence: (by, ...batches) => participant.fence(by, batches, {}),
    apply: (by, ...batches) => participant.apply(by, batches, {}),
    unfence: (by, ...batches) => participant.unfence(by, batches, {}),
    rows: (...names) => {
      const order = entity.ids.map((id) => ({ on: { field: id }, direction: 'asc', nulls: 'last' }) as const);
      return store.read({ entity, fields: names.map(field), order }, {});
    },
  };
}
