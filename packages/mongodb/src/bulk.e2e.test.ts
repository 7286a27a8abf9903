/** What a batch costs and what it reports, by each of the two ways in which a server can be asked. */
import { Document, Id, Property, type Row, UniqueViolationError, type UpdateBatch, Version } from '@storeweave/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Opened, openStore } from './servers.fixture.js';

@Document({ collection: 'notes' })
class Note {
  @Id('integer') id!: number;
  @Property('string', { unique: true }) title!: string;
  @Property('string', { nullable: true }) body!: string | null;
  @Version() version!: number;
}

let opened: Opened;
beforeAll(async () => {
  opened = await openStore([Note]);
});
afterAll(() => opened?.[Symbol.asyncDispose]());

const fields = () => opened.model(Note).fields;
const all = async () => {
  const { store, model } = opened;
  const order = [{ on: { field: fields()[0] as never }, direction: 'asc', nulls: 'last' }] as const;
  return store.read({ entity: model(Note), fields: fields(), order }, {});
};

async function insert(n: number): Promise<void> {
  const rows: Row[] = Array.from({ length: n }, (_, i) => [i, `t${i}`, 'b', 1]);
  await opened.store.write({ op: 'insert', entity: opened.model(Note), fields: fields(), rows }, {});
}

describe.each([
  ["the server's own bulk command", true],
  ['reading first', false],
])('batches by %s', (_, first) => {
  beforeEach(async () => {
    const { store, model } = opened;
    await store.bulk({ op: 'deleteWhere', entity: model(Note), where: { op: 'and', conditions: [] } }, {});
    await insert(10);
  });

  /** A transaction that has begun with a read may use the command; one that begins with the batch may not everywhere. */
  async function within<R>(work: (access: object) => Promise<R>): Promise<R> {
    const { store } = opened;
    const transaction = await store.domain.begin?.({});
    if (transaction === undefined) throw new Error('The test server has no transactions.');
    try {
      if (first) await store.count(opened.model(Note), undefined, { transaction });
      const result = await work({ transaction });
      await transaction.commit();
      return result;
    } finally {
      await transaction.rollback();
    }
  }

  it('say exactly which rows were missed', async () => {
    const { store, model } = opened;
    const entity = model(Note);
    const [, , body, version] = fields() as never[];
    const updated = await within((access) =>
      store.write(
        {
          op: 'update',
          entity,
          fields: [body as never, version as never],
          rows: [
            ['x', 2],
            ['x', 2],
            [null, 2],
            ['x', 2],
          ],
          keys: [[1], [99], [3], [4]],
          versions: [1, 1, 1, 7],
        },
        access,
      ),
    );
    expect(updated).toEqual({ count: 2, missed: [1, 3] });
    const deleted = await within((access) =>
      store.write({ op: 'delete', entity, keys: [[1], [2], [98]], versions: [1, 1, 1] }, access),
    );
    expect(deleted).toEqual({ count: 1, missed: [0, 2] });
    expect((await all()).slice(0, 4)).toEqual([
      [0, 't0', 'b', 1],
      [1, 't1', 'x', 2],
      [3, 't3', null, 2],
      [4, 't4', 'b', 1],
    ]);
  });

  it('cost the same for 2 and for 10 rows', async () => {
    const { store, model, commands } = opened;
    const cost = (keys: number[], version: number) =>
      commands(() =>
        within((access) =>
          store.write(
            {
              op: 'update',
              entity: model(Note),
              fields: [fields()[3] as never],
              rows: keys.map(() => [version + 1]),
              keys: keys.map((key) => [key]),
              versions: keys.map(() => version),
            },
            access,
          ),
        ),
      );
    await cost([0, 1], 1);
    const two = await cost([0, 1], 2);
    expect(await cost([2, 3, 4, 5, 6, 7, 8, 9], 1)).toEqual(two);
    expect(two.length).toBeLessThanOrEqual(2);
  });

  it('leave nothing of a batch that is refused', async () => {
    const { store, model } = opened;
    const batch: UpdateBatch = {
      op: 'update',
      entity: model(Note),
      fields: [fields()[1] as never],
      rows: [['new'], ['t5']],
      keys: [[1], [2]],
    };
    const error = await within((access) => store.write(batch, access)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UniqueViolationError);
    expect(error).toMatchObject({ entity: 'Note', property: 'title' });
    expect((await all()).map((row) => row[1])).toEqual(Array.from({ length: 10 }, (_, i) => `t${i}`));
  });
});

it('sends of an update what changed, and nothing else', async () => {
  const { store, model, client } = opened;
  await store.bulk({ op: 'deleteWhere', entity: model(Note), where: { op: 'and', conditions: [] } }, {});
  await insert(1);
  const updates: unknown[] = [];
  const listen = ({ commandName, command }: { commandName: string; command: Record<string, unknown> }) => {
    if (commandName === 'update') updates.push(...(command.updates as { u: unknown }[]).map(({ u }) => u));
  };
  client.on('commandStarted', listen);
  const [, title, body, version] = fields() as never[];
  await store.write(
    {
      op: 'update',
      entity: model(Note),
      fields: [title as never, body as never, version as never],
      rows: [[undefined, null, 2]],
      keys: [[0]],
      versions: [1],
    },
    {},
  );
  client.off('commandStarted', listen);
  expect(updates).toEqual([{ $set: { version: 2 }, $unset: { body: '' } }]);
});
