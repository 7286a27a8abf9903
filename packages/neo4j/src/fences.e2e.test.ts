/** Fences on a real server: who wins, what nobody sees before the decision, and what comes late and must do nothing. */
import { randomUUID } from 'node:crypto';
import {
  type Condition,
  type EntityModel,
  FencedError,
  type FenceOwner,
  Id,
  Node,
  Property,
  type Row,
  Unique,
  UniqueViolationError,
  type UpdateBatch,
  Version,
  type WriteBatch,
} from '@storeweave/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fieldOf, type OpenedStore, openStore } from './servers.fixture.js';

@Node({ label: 'Account' })
@Unique(['email'])
class Account {
  @Id('integer') id!: number;
  @Property('string', { nullable: true }) email!: string | null;
  @Property('integer') balance!: number;
  @Version() version!: number;
}

const ALL: Condition = { op: 'and', conditions: [] };

describe('fences on nodes', () => {
  let opened: OpenedStore;
  let account: EntityModel;

  beforeAll(async () => {
    opened = await openStore([Account], { fenced: true });
    account = opened.of(Account);
  });
  afterAll(() => opened?.store.close());
  beforeEach(async () => {
    for (const owner of await participant().owners(1_000, {})) await participant().unfenceAll(owner, {});
    await opened.store.bulk({ op: 'deleteWhere', entity: account, where: ALL }, {});
  });

  const participant = () => opened.store.participant;
  const unit = (): FenceOwner => ({ unitOfWork: randomUUID(), coordinator: 'relational' });
  const insert = (...rows: Row[]): WriteBatch => ({ op: 'insert', entity: account, fields: account.fields, rows });
  const remove = (id: number, version?: number): WriteBatch => ({
    op: 'delete',
    entity: account,
    keys: [[id]],
    ...(version === undefined ? {} : { versions: [version] }),
  });
  const update = (id: number, values: Record<string, unknown>, version?: number): UpdateBatch => ({
    op: 'update',
    entity: account,
    fields: Object.keys(values).map((name) => fieldOf(account, name)),
    rows: [Object.values(values)],
    keys: [[id]],
    ...(version === undefined ? {} : { versions: [version] }),
  });
  const all = async () =>
    opened.store.read(
      {
        entity: account,
        fields: account.fields,
        order: [{ on: { field: fieldOf(account, 'id') }, direction: 'asc', nulls: 'last' }],
      },
      {},
    );
  const fenced = async (owner: FenceOwner, ...batches: WriteBatch[]) => {
    expect(await participant().fence(owner, batches, {})).toEqual({ missed: [], held: [] });
  };

  it('shows nothing of an insert before it is installed, and all of it after', async () => {
    const [owner, batch] = [unit(), insert([1, 'a', 10, 1], [2, 'b', 20, 1])];
    await fenced(owner, batch);
    expect(await all()).toEqual([]);
    expect(await opened.store.count(account, undefined, {})).toBe(0);
    expect(await participant().owners(10, {})).toEqual([owner]);
    for (let turn = 0; turn < 2; turn++) await participant().apply(owner, [batch], {});
    expect(await all()).toEqual([
      [1, 'a', 10, 1],
      [2, 'b', 20, 1],
    ]);
    expect(await participant().owners(10, {})).toEqual([]);
  });

  it('installs changes, deletions and guards of one unit of work together', async () => {
    await opened.store.write(insert([1, null, 1, 1], [2, null, 2, 1], [3, null, 3, 1]), {});
    const owner = unit();
    const batches = [
      update(1, { balance: 100, version: 2 }, 1),
      remove(2, 1),
      update(3, {}, 1),
      insert([4, null, 4, 1]),
    ];
    await fenced(owner, ...batches);
    expect((await all()).map(([id, , balance]) => [id, balance])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    await participant().apply(owner, batches, {});
    expect((await all()).map(([id, , balance, version]) => [id, balance, version])).toEqual([
      [1, 100, 2],
      [3, 3, 1],
      [4, 4, 1],
    ]);
    expect(await participant().owners(10, {})).toEqual([]);
  });

  it('says what is missed and what is held, and leaves no fence then', async () => {
    await opened.store.write(insert([1, null, 1, 1], [2, null, 2, 5], [3, null, 3, 1]), {});
    const [first, second] = [unit(), unit()];
    await fenced(first, update(1, { balance: 9 }, 1));
    const outcome = await participant().fence(
      second,
      [update(1, { balance: 8 }, 7), update(2, { balance: 8 }, 4), remove(99), update(3, {}, 1)],
      {},
    );
    expect(outcome).toEqual({
      missed: [
        { batch: 1, row: 0 },
        { batch: 2, row: 0 },
      ],
      held: [first],
    });
    expect(await participant().owners(10, {})).toEqual([first]);
  });

  it('takes back whatever is there, again and again', async () => {
    await opened.store.write(insert([1, null, 1, 1], [2, null, 2, 1]), {});
    const owner = unit();
    const batches = [insert([3, 'c', 3, 1]), update(1, { balance: 9 }, 1), remove(2)];
    await fenced(owner, ...batches);
    for (let turn = 0; turn < 2; turn++) await participant().unfence(owner, batches, {});
    expect(await participant().owners(10, {})).toEqual([]);
    expect(await opened.store.write(insert([3, 'c', 3, 1]), {})).toEqual({ count: 1 });
    expect((await all()).map(([id, , balance]) => [id, balance])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it('lets one of many win a key', async () => {
    await opened.store.write(insert([1, null, 0, 1], [2, null, 0, 1]), {});
    const owners = Array.from({ length: 24 }, unit);
    const outcomes = await Promise.all(
      owners.map((owner, i) =>
        participant().fence(
          owner,
          [
            i % 2 === 0 ? update(1, { balance: i }, 1) : update(2, { balance: i }, 1),
            insert([3 + (i % 2), null, i, 1]),
          ],
          {},
        ),
      ),
    );
    const winners = owners.filter((_, i) => outcomes[i]?.held.length === 0);
    expect(winners).toHaveLength(2);
    expect(await participant().owners(10, {})).toHaveLength(2);
    for (const [i, outcome] of outcomes.entries()) {
      expect(outcome.missed).toEqual([]);
      if (!winners.includes(owners[i] as FenceOwner)) expect(winners).toContainEqual(outcome.held[0]);
    }
  });

  it('refuses every ordinary write that meets a fence, and keeps nothing of it', async () => {
    await opened.store.write(insert([1, 'a', 1, 1], [2, 'b', 2, 1]), {});
    const owner = unit();
    await fenced(owner, update(1, { balance: 9 }, 1), insert([3, 'c', 3, 1]));
    const before = await all();
    const [idOf, balance] = [fieldOf(account, 'id'), fieldOf(account, 'balance')];
    const upsert = (row: Row): WriteBatch => ({
      op: 'insert',
      entity: account,
      fields: account.fields,
      rows: [[7, 'g', 7, 1], row],
      onConflict: { do: 'update', update: [balance] },
    });
    const both: UpdateBatch = { ...update(1, { balance: 5 }), rows: [[5], [5]], keys: [[2], [1]] };
    const writes: (() => Promise<unknown>)[] = [
      () => opened.store.write(both, {}),
      () => opened.store.write({ ...remove(1), keys: [[2], [1]] } as WriteBatch, {}),
      () => opened.store.write(update(1, { balance: 5 }, 99), {}),
      () => opened.store.write(update(3, { balance: 5 }), {}),
      () => opened.store.write(insert([8, null, 8, 1], [3, null, 8, 1]), {}),
      () => opened.store.write(insert([8, 'c', 8, 1]), {}),
      () => opened.store.write(update(2, { email: 'c' }), {}),
      () => opened.store.write(upsert([1, null, 5, 1]), {}),
      () => opened.store.write(upsert([3, null, 5, 1]), {}),
      () => opened.store.bulk({ op: 'deleteWhere', entity: account, where: ALL }, {}),
      () =>
        opened.store.bulk(
          { op: 'updateWhere', entity: account, where: ALL, set: [], increment: [{ field: balance, by: 1n }] },
          {},
        ),
      () =>
        opened.store.bulk(
          {
            op: 'updateWhere',
            entity: account,
            where: { op: 'eq', on: { field: idOf }, value: 2 },
            set: [{ field: fieldOf(account, 'email'), value: 'c' }],
            increment: [],
          },
          {},
        ),
    ];
    for (const [i, write] of writes.entries()) {
      const error = await write().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error, `write ${i}`).toBeInstanceOf(FencedError);
      expect((error as FencedError).owners).toEqual([owner]);
    }
    expect(await all()).toEqual(before);
    await expect(opened.store.write(insert([9, 'b', 9, 1]), {})).rejects.toThrow(UniqueViolationError);
  });
});
