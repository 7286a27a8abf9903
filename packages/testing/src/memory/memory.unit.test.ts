import assert from 'node:assert/strict';
import {
  AbortedError,
  compileDomain,
  DeadlockError,
  type EntityModel,
  InvalidStateError,
  type Row,
  SerializationError,
  TimeoutError,
  UniqueViolationError,
  windowGrid,
} from '@storeweave/core';
import { beforeEach, describe, it } from 'vitest';
import { RelationalCountry, RelationalTicket } from '../contract/domain/keys.js';
import { Depot, Road } from '../contract/domain/network.js';
import { Reading } from '../contract/domain/readings.js';
import { memoryDomain } from './domain.js';
import { type MemoryStore, memoryStore } from './store.js';

const domain = compileDomain([RelationalCountry, RelationalTicket, Depot, Road, Reading]);
const country = domain.of(RelationalCountry);
const ticket = domain.of(RelationalTicket);
const code = field(country, 'code');
const name = field(country, 'name');
const version = field(country, 'version');

function field(entity: EntityModel, property: string) {
  const found = entity.fieldsByName.get(property);
  assert.ok(found);
  return found;
}

const insert = (store: MemoryStore, rows: Row[], transaction?: Awaited<ReturnType<typeof begin>>) =>
  store.write({ op: 'insert', entity: country, fields: [code, name, version], rows }, { transaction });
const names = async (store: MemoryStore, transaction?: Awaited<ReturnType<typeof begin>>) =>
  (
    await store.read(
      { entity: country, fields: [name], order: [{ on: { field: code }, direction: 'asc', nulls: 'last' }] },
      { transaction },
    )
  ).map(([each]) => each);
const begin = (store: MemoryStore, options: Parameters<NonNullable<MemoryStore['domain']['begin']>>[0] = {}) => {
  const { begin: start } = store.domain;
  assert.ok(start);
  return start(options);
};
const rename = (
  store: MemoryStore,
  key: string,
  to: string,
  transaction?: Awaited<ReturnType<typeof begin>>,
  access = {},
) =>
  store.write(
    { op: 'update', entity: country, fields: [name], rows: [[to]], keys: [[key]] },
    { transaction, ...access },
  );

describe('memory store', () => {
  let store: MemoryStore;
  beforeEach(() => {
    store = memoryStore();
  });

  it('counts every call with its rows', async () => {
    await insert(store, [
      ['fr', 'France', 1],
      ['de', 'Deutschland', 1],
    ]);
    await names(store);
    assert.deepEqual(store.calls, [
      { call: 'insert', entity: 'RelationalCountry', rows: 2 },
      { call: 'read', entity: 'RelationalCountry', rows: 2 },
    ]);
  });

  it('keeps nothing of a batch that fails', async () => {
    await insert(store, [['fr', 'France', 1]]);
    await assert.rejects(
      insert(store, [
        ['de', 'Deutschland', 1],
        ['fr', 'again', 1],
      ]),
      UniqueViolationError,
    );
    assert.deepEqual(await names(store), ['France']);
  });

  it('reports rows with another version as missed, and leaves undefined alone', async () => {
    await insert(store, [
      ['a', 'A', 1],
      ['b', 'B', 5],
    ]);
    const result = await store.write(
      {
        op: 'update',
        entity: country,
        fields: [name, version],
        rows: [
          ['A2', undefined],
          ['B2', 2],
          ['C2', 2],
        ],
        keys: [['a'], ['b'], ['c']],
        versions: [1, 1, 1],
      },
      {},
    );
    assert.deepEqual(result, { count: 1, missed: [1, 2] });
    assert.deepEqual(
      await store.read(
        { entity: country, fields: [name, version], where: { op: 'eq', on: { field: code }, value: 'a' } },
        {},
      ),
      [['A2', 1]],
    );
  });

  it('returns what sequences made, and does not give numbers back', async () => {
    const add = (transaction?: Awaited<ReturnType<typeof begin>>) =>
      store.write(
        { op: 'insert', entity: ticket, fields: [field(ticket, 'subject')], rows: [['x']], returning: ticket.ids },
        { transaction },
      );
    assert.deepEqual((await add()).returned, [[1]]);
    const transaction = await begin(store);
    assert.deepEqual((await add(transaction)).returned, [[2]]);
    await transaction.rollback();
    assert.deepEqual((await add()).returned, [[3]]);
  });

  it('hides what is not committed, and takes it back', async () => {
    const transaction = await begin(store);
    await insert(store, [['a', 'A', 1]], transaction);
    assert.deepEqual(await names(store), []);
    assert.deepEqual(await names(store, transaction), ['A']);
    await transaction.rollback();
    assert.deepEqual(await names(store), []);
    await assert.rejects(names(store, transaction), InvalidStateError);
  });

  it('goes back to savepoints', async () => {
    const transaction = await begin(store);
    await insert(store, [['a', 'A', 1]], transaction);
    await transaction.savepoint?.('s1');
    await insert(store, [['b', 'B', 1]], transaction);
    await transaction.savepoint?.('s2');
    await rename(store, 'a', 'changed', transaction);
    await transaction.rollbackTo?.('s2');
    assert.deepEqual(await names(store, transaction), ['A', 'B']);
    await transaction.rollbackTo?.('s1');
    await transaction.commit();
    assert.deepEqual(await names(store), ['A']);
  });

  it('commits several stores of one domain together', async () => {
    const shared = memoryDomain();
    const [one, two] = [memoryStore({ domain: shared }), memoryStore({ domain: shared })];
    const transaction = await begin(one);
    await insert(one, [['a', 'A', 1]], transaction);
    await two.write({ op: 'insert', entity: ticket, fields: ticket.fields, rows: [[7, 'x']] }, { transaction });
    await transaction.rollback();
    assert.equal(await two.count?.(ticket, undefined, {}), 0);
    assert.deepEqual(await names(one), []);
  });

  it('makes a second writer of a row wait, and read committed then sees the first', async () => {
    await insert(store, [['a', 'A', 1]]);
    const first = await begin(store);
    await rename(store, 'a', 'first', first);
    const second = store.bulk?.(
      {
        op: 'updateWhere',
        entity: country,
        where: { op: 'eq', on: { field: name }, value: 'A' },
        set: [{ field: name, value: 'second' }],
        increment: [],
      },
      {},
    );
    await first.commit();
    assert.equal(await second, 0);
    assert.deepEqual(await names(store), ['first']);
  });

  it('makes a second writer of a unique key wait for the outcome of the first', async () => {
    const first = await begin(store);
    await insert(store, [['a', 'A', 1]], first);
    const second = insert(store, [['a', 'again', 1]]);
    await first.rollback();
    assert.equal((await second).count, 1);
  });

  it('finds a deadlock', async () => {
    await insert(store, [
      ['a', 'A', 1],
      ['b', 'B', 1],
    ]);
    const [one, two] = [await begin(store), await begin(store)];
    await rename(store, 'a', 'one', one);
    await rename(store, 'b', 'two', two);
    const waits = rename(store, 'b', 'one', one);
    await assert.rejects(rename(store, 'a', 'two', two), DeadlockError);
    await two.rollback();
    await waits;
    await one.commit();
    assert.deepEqual(await names(store), ['one', 'one']);
  });

  it('keeps a snapshot for repeatable read, and refuses to write over a later change', async () => {
    await insert(store, [['a', 'A', 1]]);
    const transaction = await begin(store, { isolation: 'repeatable read' });
    await rename(store, 'a', 'changed');
    await insert(store, [['b', 'B', 1]]);
    assert.deepEqual(await names(store, transaction), ['A']);
    await assert.rejects(rename(store, 'a', 'mine', transaction), SerializationError);
  });

  it('ends a wait by its limit or signal, and a transaction by its own', async () => {
    await insert(store, [['a', 'A', 1]]);
    const holder = await begin(store, { label: 'the holder' });
    await rename(store, 'a', 'held', holder);
    await assert.rejects(
      rename(store, 'a', 'late', undefined, { timeoutMs: 10 }),
      (error: Error) => error instanceof TimeoutError && /the holder/.test(error.message),
    );
    await assert.rejects(rename(store, 'a', 'late', undefined, { signal: AbortSignal.timeout(10) }), AbortedError);
    await holder.rollback();
    const short = await begin(store, { timeoutMs: 10 });
    await rename(store, 'a', 'short', short);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await assert.rejects(short.commit(), TimeoutError);
    assert.deepEqual(await names(store), ['A']);
  });

  it('does only what it claims', async () => {
    const poor = memoryStore({
      capabilities: { transactions: undefined, bulkWrites: false, upsert: false, rowLocks: false },
      without: ['count', 'graph'],
    });
    assert.equal(poor.domain.begin, undefined);
    assert.equal(poor.bulk, undefined);
    assert.equal(poor.count, undefined);
    assert.equal(poor.graph, undefined);
    await insert(poor, [['a', 'A', 1]]);
    await assert.rejects(poor.read({ entity: country, fields: [name], lock: 'update' }, {}), /rowLocks/);
    await assert.rejects(
      poor.write(
        {
          op: 'insert',
          entity: country,
          fields: [code, name, version],
          rows: [['a', 'B', 1]],
          onConflict: { do: 'ignore' },
        },
        {},
      ),
      /upsert/,
    );
  });

  it('plans and applies a schema', async () => {
    await store.open({ name: 'relational', entities: [country, ticket] });
    const plan = await store.schema?.plan({});
    assert.deepEqual(
      plan?.map(({ summary }) => summary),
      ['create table relational/countries', 'create table relational/tickets'],
    );
    await store.schema?.apply(plan ?? [], {});
    assert.deepEqual(await store.schema?.plan({}), []);
    await store.close();
    await store.open({ name: 'relational', entities: [country] });
    assert.deepEqual(
      (await store.schema?.plan({}))?.map(({ kind, destructive }) => [kind, destructive]),
      [['drop', true]],
    );
  });

  it('walks a graph', async () => {
    const depot = domain.of(Depot);
    const road = domain.of(Road);
    const roads: Row[] = [
      ['1', 'a', 'b', 5, true],
      ['2', 'b', 'c', 5, true],
      ['3', 'c', 'a', 5, true],
      ['4', 'a', 'c', 50, false],
    ];
    const fields = ['id', 'from', 'to', 'km', 'open'].map((each) => field(road, each));
    await store.write({ op: 'insert', entity: road, fields, rows: roads }, {});
    const step = { relationship: road, direction: 'out' as const };
    const walk = { from: depot, keys: [['a']], steps: [step], minDepth: 1, maxDepth: 5, unique: 'vertices' as const };
    const reached = async (spec: object) =>
      (await store.graph?.traverse({ ...walk, ...spec }, {}))
        ?.map((path) => `${path.vertices.at(-1)?.key[0]}${path.depth}`)
        .sort();
    assert.deepEqual(await reached({}), ['b1', 'c1']);
    assert.deepEqual(
      await reached({ steps: [{ ...step, where: { op: 'eq', on: { field: field(road, 'open') }, value: true } }] }),
      ['b1', 'c2'],
    );
    assert.deepEqual(await reached({ minDepth: 2, unique: 'paths' }), ['c2']);
    const ends = { from: { entity: 'Depot', key: ['c'] }, to: { entity: 'Depot', key: ['b'] }, maxDepth: 5 };
    const path = await store.graph?.shortestPath({ ...ends, steps: [step] }, {});
    assert.deepEqual(
      path?.vertices.map(({ key }) => key[0]),
      ['c', 'a', 'b'],
    );
    assert.deepEqual(
      path?.edges.map(({ key }) => key[0]),
      ['3', '1'],
    );
    assert.equal(await store.graph?.shortestPath({ ...ends, steps: [step], maxDepth: 1 }, {}), undefined);
    assert.equal((await store.graph?.shortestPath({ ...ends, steps: [{ ...step, direction: 'both' }] }, {}))?.depth, 1);
  });

  it('fills gaps of windows', async () => {
    const reading = domain.of(Reading);
    const fields = ['at', 'depot', 'sensor', 'celsius', 'samples'].map((each) => field(reading, each));
    const rows: Row[] = [
      [0, 'a', 's', 10, 1],
      [1_000, 'a', 's', 30, 1],
      [40_000, 'a', 's', 50, 1],
    ];
    await store.write({ op: 'insert', entity: reading, fields, rows }, {});
    const run = async (fill: 'none' | 'null' | 'previous' | 'linear') =>
      (
        await store.series?.window(
          {
            entity: reading,
            from: 0,
            to: 50_000,
            every: { ms: 10_000 },
            groupBy: [],
            columns: [{ alias: 'mean', function: 'mean', field: field(reading, 'celsius') }],
            fill,
            order: 'asc',
          },
          {},
        )
      )?.map(({ start, values }) => [start, values[0]]);
    assert.deepEqual(await run('none'), [
      [0, 20],
      [40_000, 50],
    ]);
    assert.deepEqual(await run('null'), [
      [0, 20],
      [10_000, null],
      [20_000, null],
      [30_000, null],
      [40_000, 50],
    ]);
    assert.deepEqual(
      (await run('previous'))?.map(([, value]) => value),
      [20, 20, 20, 20, 50],
    );
    assert.deepEqual(
      (await run('linear'))?.map(([, value]) => value),
      [20, 27.5, 35, 42.5, 50],
    );
  });
});

describe('calendar windows', () => {
  const iso = (ms: number) => new Date(ms).toISOString();

  it('follow the clock of a zone over the change to summer time', () => {
    const days = windowGrid({ calendar: 'day', count: 1, timeZone: 'Europe/Berlin' });
    const start = days.startOf(Date.parse('2001-03-25T12:00:00Z'));
    assert.equal(iso(start), '2001-03-24T23:00:00.000Z');
    assert.equal(iso(days.next(start)), '2001-03-25T22:00:00.000Z');
  });

  it('begin weeks on Monday, months on the first and years in January', () => {
    const at = Date.parse('2001-02-15T08:30:00Z');
    const start = (calendar: 'week' | 'month' | 'year') =>
      iso(windowGrid({ calendar, count: 1, timeZone: 'UTC' }).startOf(at));
    assert.equal(start('week'), '2001-02-12T00:00:00.000Z');
    assert.equal(start('month'), '2001-02-01T00:00:00.000Z');
    assert.equal(start('year'), '2001-01-01T00:00:00.000Z');
  });

  it('begin a day at the change where midnight does not exist', () => {
    const days = windowGrid({ calendar: 'day', count: 1, timeZone: 'America/Sao_Paulo' });
    assert.equal(iso(days.startOf(Date.parse('2001-10-14T12:00:00Z'))), '2001-10-14T03:00:00.000Z');
  });
});
