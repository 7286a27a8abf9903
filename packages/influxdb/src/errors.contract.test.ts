/** Every way in which the server can fail a call, and the error that the caller gets for it. */
import { getEventListeners } from 'node:events';
import {
  AbortedError,
  CheckViolationError,
  ConfigurationError,
  ConnectionError,
  compileDomain,
  Field,
  InvalidValueError,
  Measurement,
  type Row,
  SchemaError,
  StoreBusyError,
  StoreError,
  type StoreweaveError,
  Tag,
  TimeoutError,
  Timestamp,
} from '@storeweave/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from './connection.js';
import { influxdb } from './influxdb.js';
import type { InfluxdbOptions } from './options.js';
import { proxyTo, type TroubleProxy } from './proxy.fixture.js';
import { Beat, everything, insert, model, openStore, serverOptions, Trace } from './store.fixture.js';
import type { InfluxdbStore } from './store.js';

const beat = model(Beat);
const trace = model(Trace);
const rows = (n: number, from = 0): Row[] => Array.from({ length: n }, (_, i) => [from + i, 's', i]);

async function failure<E>(of: abstract new (...args: never[]) => E, work: Promise<unknown>): Promise<E> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(of);
  return error as E;
}

describe('a call that fails', () => {
  let options: InfluxdbOptions;
  let proxy: TroubleProxy;
  let store: InfluxdbStore;
  beforeAll(async () => {
    const direct = await serverOptions('errors');
    proxy = await proxyTo(direct.url);
    options = { ...direct, url: proxy.url };
    store = await openStore(options);
  });
  afterAll(async () => {
    await store.close();
    await proxy.close();
  });
  beforeEach(async () => {
    proxy.on('', () => undefined);
    await store.bulk({ op: 'deleteWhere', entity: beat, where: { op: 'and', conditions: [] } }, {});
    proxy.passed.length = 0;
  });

  it('with a wrong token, organisation or address', async () => {
    const open = (change: Partial<InfluxdbOptions>) =>
      influxdb({ ...options, ...change }).open({ name: 't', entities: [] });
    const error = await failure(ConfigurationError, open({ token: 'wrong' }));
    expect(error.message).toMatch(/token is not valid/);
    expect(error.message).not.toContain('wrong');
    await failure(ConfigurationError, open({ org: 'nobody' }));
    await failure(ConnectionError, open({ url: 'http://127.0.0.1:1' }));
    expect(() => influxdb({ ...options, token: '' })).toThrow(ConfigurationError);
  });

  it('without its bucket', async () => {
    const bare = influxdb({ ...options, bucketPrefix: 'nowhere_' });
    await bare.open({ name: 'timeseries', entities: [beat] });
    const error = await failure(SchemaError, insert(bare, beat, rows(1)));
    expect(error).toMatchObject({ entity: 'Beat', store: 'timeseries' });
    expect(error.message).toMatch(/schema\.apply/);
    await failure(SchemaError, everything(bare, beat));
    await bare.close();
  });

  it('for a value whose field has another type on the server: the points are named, the others kept', async () => {
    const entityOf = (type: 'float' | 'string') => {
      class Clash {
        declare at: Date;
        declare source: string;
        declare value: unknown;
      }
      Timestamp()(Clash.prototype as never, 'at' as never);
      Tag()(Clash.prototype as never, 'source' as never);
      (Field(type, { nullable: true }) as unknown as (target: object, name: string) => void)(Clash.prototype, 'value');
      (Measurement() as unknown as (target: unknown) => void)(Clash);
      return compileDomain([Clash]).of(Clash);
    };
    const [before, after] = [entityOf('float'), entityOf('string')];
    const old = await openStore(options, [before]);
    await insert(old, before, [[0, 's', 1]]);
    await old.close();
    const now = influxdb(options);
    await now.open({ name: 'timeseries', entities: [after] });
    const error = await failure(
      SchemaError,
      insert(now, after, [
        [1, 's', 'x'],
        [2, 's', null],
        [2, 't', 'y'],
      ]),
    );
    expect(error.key).toEqual([
      [1, 's'],
      [2, 't'],
    ]);
    expect(error.message).toMatch(/2 of 3 points of Clash/);
    expect(error.message).toMatch(/1970-01-01T00:00:00.002Z, source="t"/);
    expect(await now.count(after, undefined, {})).toBe(2);
    await now.close();
  });

  it('for points beyond the retention: named, and nothing of the batch is sent', async () => {
    const now = Date.now();
    const error = await failure(
      CheckViolationError,
      insert(store, trace, [
        [now, 's', 1],
        [now - 2 * 86_400_000, 's', 2],
      ]),
    );
    expect(error.key).toEqual([[now - 2 * 86_400_000, 's']]);
    expect(proxy.passed).toEqual([]);
  });

  it('for points that only the server finds too old: named', async () => {
    const forever = compileDomain([Trace]).of(Trace);
    const unaware = influxdb(options);
    // As with a clock that is behind, this side does not know.
    const blind = { ...forever, annotations: new Map([['retention', '9000w']]) };
    await unaware.open({ name: 'timeseries', entities: [blind] });
    const now = Date.now();
    const error = await failure(
      CheckViolationError,
      insert(unaware, blind, [
        [now, 's', 1],
        [now - 2 * 86_400_000, 's', 2],
      ]),
    );
    expect(error.key).toEqual([[now - 2 * 86_400_000, 's']]);
    expect(await everything(store, trace)).toEqual([[now, 's', 1]]);
    await unaware.close();
  });

  it('is sent again when the server said so, and no sooner', async () => {
    proxy.on('/api/v2/write', (n) => (n === 0 ? { status: 429, headers: { 'retry-after': '1' } } : undefined));
    const began = Date.now();
    await insert(store, beat, rows(3));
    expect(Date.now() - began).toBeGreaterThanOrEqual(950);
    expect(await store.count(beat, undefined, {})).toBe(3);
  });

  it.each([
    [429, StoreBusyError],
    [503, ConnectionError],
  ] as const)('with %i again and again, when the retries are used up', async (status, kind) => {
    const impatient = await openStore({ ...options, retries: 1 });
    let asked = 0;
    proxy.on('/api/v2/write', () => {
      asked++;
      return { status };
    });
    await failure<StoreweaveError>(kind, insert(impatient, beat, rows(1)));
    expect(asked).toBe(2);
    await impatient.close();
  });

  it('with what the server does not explain', async () => {
    proxy.on('/api/v2/query', () => ({ status: 500, message: 'internal error' }));
    const error = await failure(StoreError, everything(store, beat));
    expect(error.message).toMatch(/could not read points of Beat: internal error/);
    proxy.on('/api/v2/query', () => ({ status: 504 }));
    await failure(ConnectionError, everything(store, beat));
  });

  it('for being too large is cut in two until it fits, and a point that never fits is named', async () => {
    proxy.on('/api/v2/write', (n) => (n === 0 ? { status: 413 } : undefined));
    await insert(store, beat, rows(200));
    expect(proxy.passed.filter(({ path }) => path.startsWith('/api/v2/write')).length).toBe(2);
    expect(await store.count(beat, undefined, {})).toBe(200);
    proxy.on('/api/v2/write', () => ({ status: 413 }));
    const error = await failure(InvalidValueError, insert(store, beat, [[7, 's', 1]]));
    expect(error.key).toEqual([7, 's']);
  });

  it('by a broken connection is made once more: it is the same point, or the same question', async () => {
    proxy.on('/api/v2/write', (n) => (n === 0 ? 'reset' : undefined));
    await insert(store, beat, rows(2));
    proxy.on('/api/v2/write', (n) => (n === 0 ? 'reset after' : undefined));
    await insert(store, beat, rows(2, 1));
    proxy.on('/api/v2/query', (n) => (n === 0 ? 'reset' : undefined));
    expect(await store.count(beat, undefined, {})).toBe(3);
    proxy.on('/api/v2/write', () => 'reset');
    const error = await failure(ConnectionError, insert(store, beat, rows(1)));
    expect(error.isRetryable).toBe(true);
  });

  it('by its time limit, by the signal, or by a server that falls silent', async () => {
    for (const path of ['/api/v2/write', '/api/v2/query']) {
      proxy.on(path, () => 'hang');
      const work = (access: object, on = store) =>
        path.endsWith('write')
          ? on.write({ op: 'insert', entity: beat, fields: beat.fields, rows: rows(1) }, access)
          : on.read({ entity: beat, fields: beat.fields }, access);
      await failure(TimeoutError, work({ timeoutMs: 50 }));
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('enough')), 50);
      const error = await failure(AbortedError, work({ signal: controller.signal }));
      expect(error.cause).toMatchObject({ message: 'enough' });
      await failure(AbortedError, work({ signal: AbortSignal.abort() }));
      const impatient = influxdb({ ...options, timeoutMs: 100 });
      await failure(TimeoutError, work({}, impatient));
      await impatient.close();
    }
  });

  it('by its time limit, however many requests it takes', async () => {
    const slow = await openStore({ ...options, batchBytes: 100 });
    proxy.on('/api/v2/write', () => 'slow');
    const batch = { op: 'insert', entity: beat, fields: beat.fields, rows: rows(400) } as const;
    const began = Date.now();
    await failure(TimeoutError, slow.write(batch, { timeoutMs: 300 }));
    expect(Date.now() - began).toBeLessThan(2_000);
    await slow.close();
  });

  it('while it waits for the server to be less busy, by the signal', async () => {
    proxy.on('/api/v2/write', () => ({ status: 429, headers: { 'retry-after': '20' } }));
    await failure(
      AbortedError,
      store.write(
        { op: 'insert', entity: beat, fields: beat.fields, rows: rows(1) },
        { signal: AbortSignal.timeout(50) },
      ),
    );
  });

  it('by a signal that is used for many calls, and on which none of them leaves anything', async () => {
    const { signal } = new AbortController();
    const batch = { op: 'insert', entity: beat, fields: beat.fields, rows: rows(1) } as const;
    let hung = 0;
    proxy.on('/api/v2/write', () => {
      hung = getEventListeners(signal, 'abort').length;
      return undefined;
    });
    await store.write(batch, { signal, timeoutMs: 60_000 });
    expect(hung).toBeGreaterThan(0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('a write that resolved', () => {
  it('was acknowledged: no request of it is left when it returns, and every point is there', async () => {
    const direct = await serverOptions('acknowledged');
    const proxy = await proxyTo(direct.url);
    // So small that the batch is cut many times.
    const store = await openStore({ ...direct, url: proxy.url, batchBytes: 1_000 });
    proxy.passed.length = 0;
    const result = await insert(store, beat, rows(5_000));
    const sent = proxy.passed.length;
    expect(result.count).toBe(5_000);
    expect(sent).toBeGreaterThan(100);
    expect(await store.count(beat, undefined, {})).toBe(5_000);
    expect(proxy.passed.filter(({ path }) => path.startsWith('/api/v2/write')).length).toBe(sent);
    // A part that fails fails the whole: the caller is told, and never that all is well.
    proxy.on('/api/v2/write', (n) => (n === 7 ? { status: 500 } : undefined));
    await failure(StoreError, insert(store, beat, rows(5_000, 10_000)));
    await store.close();
    await proxy.close();
  });

  it('waits where more is written than the server takes at once', async () => {
    const direct = await serverOptions('pressure');
    const proxy = await proxyTo(direct.url);
    const store = await openStore({ ...direct, url: proxy.url, connections: 2 });
    await Promise.all(Array.from({ length: 40 }, (_, i) => insert(store, beat, rows(10, i * 10))));
    expect(await store.count(beat, undefined, {})).toBe(400);
    expect(proxy.mostAtOnce).toBe(2);
    await store.close();
    await proxy.close();
  });
});

describe('a query that fails while it runs', () => {
  it('is an error, whether the server has begun to answer with a good status or not', async () => {
    const connection = new Connection(await serverOptions('middle'));
    const flux = `import "array"
import "generate"
array.from(rows: [{x: 1}]) |> yield(name: "good")
generate.from(count: 20000, fn: (n) => n, start: 2021-01-01T00:00:00Z, stop: 2021-01-02T00:00:00Z)
  |> map(fn: (r) => ({r with v: if r._value > 15000 then die(msg: "half way") else r._value}))
  |> yield(name: "bad")`;
    const query = connection.query(flux, { header: () => {}, row: () => {} }, { doing: 'try it', access: {} });
    expect((await failure(StoreError, query)).message).toMatch(/half way/);
    connection.close();
  });
});
