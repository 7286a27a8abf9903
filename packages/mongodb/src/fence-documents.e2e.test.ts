/** What fences leave in documents, indexes, validators and change streams. */
import {
  type Access,
  compileDomain,
  Document,
  Embedded,
  FencedError,
  Id,
  Index,
  type InsertBatch,
  ManyToOne,
  Property,
  type Ref,
  type Row,
  Unique,
  UniqueViolationError,
  Version,
} from '@storeweave/core';
import { sharedServer } from '@storeweave/testing/servers';
import type { Document as Bson } from 'mongodb';
import { expect, it } from 'vitest';
import type { Change } from './changes.js';
import { meetingFences, refuseHeld, refuseUnpatched } from './fence-meeting.js';
import { CLEAN, openFencing, owner } from './fences.fixture.js';
import { openStore } from './servers.fixture.js';
import type { ByKey } from './write.js';

class Address {
  @Property('string') street!: string;
  @Property('decimal', { precision: 10, scale: 2 }) code!: string;
}

/** Unique values of every kind: alone, absent, embedded, with a part of the identity, and under a condition. */
@Document({ collection: 'seats' })
@Unique(['hall', 'label'])
@Unique(['address.street', 'address.code'])
@Index(['person'], { unique: true, where: '{"state":"taken"}' })
class Seat {
  @Id('string') hall!: string;
  @Id('bigint') number!: bigint;
  @Property('string') label!: string;
  @Property('string', { nullable: true, unique: true }) badge!: string | null;
  @Property('string', { nullable: true }) person!: string | null;
  @Property('string') state!: string;
  @Embedded(() => Address) address!: Address;
  @Version() version!: number;
}

const seat = (number: bigint, more: object = {}) => ({
  hall: 'north',
  number,
  label: `l${number}`,
  badge: null,
  person: null,
  state: 'free',
  'address.street': 'Main',
  'address.code': `${number}.50`,
  version: 1,
  ...more,
});

it('holds unique values of every kind, and stands in no other way', async () => {
  await using bench = await openFencing(Seat);
  const { store, client } = bench;
  const person = { person: 'ada' };
  await store.write(bench.insert(seat(1n, person), seat(2n, person), seat(3n, person), seat(4n)), {});
  const one: Row = ['north', 1n];
  const changes = [
    { values: { label: 'window' }, taken: { label: 'window' } },
    { values: { badge: 'b7' }, taken: { badge: 'b7' } },
    { values: { 'address.code': '7.25' }, taken: { 'address.street': 'Main', 'address.code': '7.250' } },
    { values: { state: 'taken' }, taken: { person: 'ada', state: 'taken' } },
  ];
  for (const [at, { values, taken }] of changes.entries()) {
    const [mine, other] = [owner(), owner()];
    const batch = bench.update(one, 1 + at, values);
    expect(await bench.fence(mine, batch)).toEqual(CLEAN);
    // Another unit of work has reservations in the same indexes.
    const beside = bench.update(['north', 4n], 1 + at, {
      ...values,
      label: `x${at}`,
      badge: `x${at}`,
      person: `x${at}`,
      'address.code': `${at}.75`,
    });
    expect(await bench.fence(other, beside)).toEqual(CLEAN);
    const insert = bench.insert(seat(9n, taken));
    expect((await bench.fence(owner(), insert)).held).toEqual([mine]);
    await expect(store.write(insert, {})).rejects.toMatchObject({ code: 'FENCED', owners: [mine] });
    expect(
      await bench.fence(
        owner(),
        bench.insert(seat(8n, { number: 80n + BigInt(at), label: `free${at}`, 'address.code': `8${at}` })),
      ),
    ).toEqual(CLEAN);
    await bench.apply(mine, batch);
    await bench.apply(other, beside);
    await expect(store.write(insert, {})).rejects.toThrow(UniqueViolationError);
    await expect(bench.fence(owner(), insert)).rejects.toThrow(UniqueViolationError);
  }
  const seats = client.db().collection('seats');
  expect(await seats.countDocuments({ '_f.op': 'reserve' })).toBe(0);
  expect(await seats.findOne({ '_id.number': 1 as never })).toMatchObject({ label: 'window', badge: 'b7', version: 5 });
  expect((await bench.rows('number')).flat()).toEqual([1n, 2n, 3n, 4n]);
});

@Document({ collection: 'users' })
class User {
  @Id('integer') id!: number;
  @Property('string', { unique: true, length: 8 }) name!: string;
  @Version() version!: number;
}

it('is a field of the document only while it stands', async () => {
  await using bench = await openFencing(User);
  const users = bench.client.db().collection<{ _id: number } & Bson>('users');
  await bench.store.write(bench.insert({ id: 1, name: 'ada', version: 1 }), {});
  const mine = owner();
  const batches = [bench.update(1, 1, { name: 'eve' }), bench.insert({ id: 2, name: 'bob', version: 1 })];
  await bench.fence(mine, ...batches);
  const fence = { uow: mine.unitOfWork, coordinator: 'relational' };
  expect(await users.find({ _id: { $in: [1, 2] } }).toArray()).toEqual([
    { _id: 1, name: 'ada', version: 1, _f: { ...fence, op: 'update' } },
    { _id: 2, name: 'bob', version: 1, _f: { ...fence, op: 'insert' } },
  ]);
  const held = await users.find({ '_f.op': 'reserve' } as never).toArray();
  expect(held.map(({ name, _f }) => ({ name, _f }))).toEqual([{ name: 'eve', _f: { ...fence, op: 'reserve' } }]);
  await bench.apply(mine, ...batches);
  expect(await users.find().toArray()).toEqual([
    { _id: 1, name: 'eve', version: 2 },
    { _id: 2, name: 'bob', version: 1 },
  ]);
});

it('is met by upserts, and by increments of what is held', async () => {
  await using bench = await openFencing(User);
  const { store } = bench;
  const entity = bench.model(User);
  const [id, name, version] = entity.fields as [never, never, never];
  await store.write(bench.insert({ id: 1, name: 'ada', version: 1 }), {});
  const mine = owner();
  await bench.fence(mine, bench.update(1, 1, { name: 'eve' }), bench.insert({ id: 2, name: 'bob', version: 1 }));
  const fields = [id, name, version];
  const upsert = (row: Row, onConflict: object) =>
    store.write({ op: 'insert', entity, fields, rows: [[7, 'zoe', 1], row], onConflict: onConflict as never }, {});
  for (const key of [1, 2]) {
    for (const onConflict of [{ do: 'update', update: [name] }, { do: 'ignore' }])
      await expect(upsert([key, 'new', 1], onConflict)).rejects.toMatchObject({ code: 'FENCED', owners: [mine] });
  }
  for (const taken of ['ada', 'bob', 'eve']) {
    const onConflict = { do: 'update', keys: [name], update: [version] };
    await expect(upsert([9, taken, 1], onConflict)).rejects.toMatchObject({ code: 'FENCED', owners: [mine] });
  }
  const where = { op: 'eq', on: { field: name }, value: 'ada' } as const;
  const increment = [{ field: version as never, by: 1 }];
  await expect(store.bulk({ op: 'updateWhere', entity, where, set: [], increment }, {})).rejects.toThrow(FencedError);
  // What is not seen yet is not met either.
  const unseen = { op: 'eq', on: { field: name }, value: 'bob' } as const;
  expect(await store.bulk({ op: 'updateWhere', entity, where: unseen, set: [], increment }, {})).toBe(0);
  expect(await bench.rows('id', 'name', 'version')).toEqual([[1, 'ada', 1]]);
});

it('is seen by nobody who follows the changes', async () => {
  await using bench = await openFencing(User);
  const { store } = bench;
  await store.write(bench.insert({ id: 1, name: 'ada', version: 1 }, { id: 2, name: 'bob', version: 1 }), {});
  const stop = new AbortController();
  const seen: Change<User>[] = [];
  const following = (async () => {
    for await (const change of store.changes(User, { signal: stop.signal })) {
      seen.push(change);
      if (change.id === 99) return;
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await store.write(bench.insert({ id: 50, name: 'start', version: 1 }), {});
  const [gone, mine] = [owner(), owner()];
  const abandoned = [bench.insert({ id: 3, name: 'cid', version: 1 }), bench.update(1, 1, { name: 'dan' })];
  await bench.fence(gone, ...abandoned);
  await bench.unfence(gone, ...abandoned);
  const done = [
    bench.insert({ id: 4, name: 'eve', version: 1 }),
    bench.update(1, 1, { name: 'fay' }),
    bench.remove(2, 1),
  ];
  await bench.fence(mine, ...done);
  await bench.apply(mine, ...done);
  await store.write(bench.insert({ id: 99, name: 'end', version: 1 }), {});
  await following;
  stop.abort();
  const said = seen.map(({ kind, id, document, changed }) => ({ kind, id, name: document?.name, changed }));
  // A stream may begin a little before it was opened.
  const since = said.findIndex(({ id }) => id === 50) + 1;
  expect(said.slice(since, -1).sort((a, b) => Number(a.id) - Number(b.id))).toEqual([
    { kind: 'update', id: 1, name: 'fay', changed: ['name', 'version'] },
    { kind: 'delete', id: 2, name: undefined, changed: undefined },
    { kind: 'insert', id: 4, name: 'eve', changed: undefined },
  ]);
});

it('is made room for in collections that are there, and the room stays', async () => {
  const url = await (await sharedServer('mongodb')).database('room');
  await using plain = await openStore([User], url);
  const users = plain.client.db().collection<{ _id: number } & Bson>('users');
  await users.insertOne({ _id: 1, name: 'ada', version: 1 });
  const fencing = await openFencing(User, url);
  await fencing[Symbol.asyncDispose]();
  expect(await users.findOne()).toEqual({ _id: 1, name: 'ada', version: 1 });
  expect((await users.listIndexes().toArray()).find(({ name }) => name === 'storeweave_fences')).toMatchObject({
    key: { '_f.uow': 1 },
    sparse: true,
  });
  // A process that makes no fences leaves them to those that do.
  expect(await plain.store.schema.plan({})).toEqual([]);
  await users.insertOne({ _id: 2, _f: { op: 'reserve' } } as never);
  await expect(users.insertOne({ _id: 3, name: 'too long for it', version: 1 })).rejects.toMatchObject({ code: 121 });
  await expect(
    plain.store.write(
      {
        op: 'insert',
        entity: plain.model(User),
        fields: [...plain.model(User).fields],
        rows: [[5, 'too long for it', 1]],
      },
      {},
    ),
  ).rejects.toMatchObject({ code: 'CHECK_VIOLATION', property: 'name' });
});

@Document({ collection: 'reports' })
class Report {
  @Id('integer') id!: number;
  @ManyToOne(() => User) user!: Ref<User>;
}

it('is not joined by a grouping', async () => {
  await using opened = await openStore([User, Report], undefined, true);
  const { store, model } = opened;
  const [user, report] = [model(User), model(Report)];
  await store.write({ op: 'insert', entity: report, fields: report.fields, rows: [[1, 7]] }, {});
  const batch: InsertBatch = { op: 'insert', entity: user, fields: user.fields, rows: [[7, 'new', 1]] };
  const mine = owner();
  await store.participant.fence(mine, [batch], {});
  const name = { alias: 'name', on: { field: user.fieldsByName.get('name') as never }, through: ['user'] };
  const grouped = () => store.aggregate({ entity: report, columns: [name, { alias: 'n', function: 'count' }] }, {});
  expect(await grouped()).toEqual([[null, 1]]);
  await store.participant.apply(mine, [batch], {});
  expect(await grouped()).toEqual([['new', 1]]);
});

it('makes a writer try again that looks for it when it is gone', async () => {
  await using bench = await openFencing(User);
  const { store } = bench;
  const entity = bench.model(User);
  await store.write(bench.insert({ id: 1, name: 'ada', version: 1 }), {});
  const update = bench.update(1, 1, { name: 'eve' });
  if (update.op === 'insert') throw new Error('not an insert');
  const again = { code: 'SERIALIZATION_FAILURE', isRetryable: true, entity: 'User' };
  const looking = (rows: ByKey) => store.domain.use({}, entity, (call) => refuseHeld(rows, [0], call));
  await expect(looking(update)).rejects.toMatchObject(again);
  // Gone, or changed: a miss like any other.
  await looking({ ...update, versions: [7] });
  await looking({ ...update, keys: [[99]] });
  const patched = (matched: number) =>
    store.domain.use({}, entity, (call) => refuseUnpatched(entity, { _id: { $in: [1, 99] } }, matched, call));
  await expect(patched(0)).rejects.toMatchObject(again);
  await patched(1);
  const met = (name: string, access: Access = {}) =>
    meetingFences(store.domain, bench.insert({ id: 5, name, version: 1 }), access, async () => {
      throw new UniqueViolationError('taken', { constraint: 'users_name_key' });
    });
  await expect(met('gone')).rejects.toMatchObject(again);
  await expect(met('ada')).rejects.toThrow(UniqueViolationError);
  const transaction = await store.domain.begin?.({});
  await expect(met('gone', { ...(transaction && { transaction }) })).rejects.toThrow(UniqueViolationError);
  await transaction?.rollback();
});

@Document({ collection: 'odd' })
class Odd {
  @Id('integer') id!: number;
  @Property('string') _f!: string;
}

it('has a name that no property may have then', async () => {
  await using _ = await openStore([Odd]);
  const { store } = _;
  const open = store.open({ name: 'document', entities: compileDomain([Odd]).entities, fenced: true });
  await expect(open).rejects.toThrow(/"_f" is where fences/);
});
