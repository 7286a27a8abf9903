/** What the check before a decision finds, and what it costs. */
import {
  CapabilityError,
  CheckViolationError,
  ConnectionError,
  compileDomain,
  type EntityModel,
  Field,
  InvalidValueError,
  Measurement,
  NotNullViolationError,
  type Row,
  SchemaError,
  Tag,
  Timestamp,
  type WriteBatch,
} from '@storeweave/core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { influxdb } from './influxdb.js';
import type { InfluxdbOptions } from './options.js';
import { proxyTo, type TroubleProxy } from './proxy.fixture.js';
import { Beat, everything, insert, model, openStore, Sample, serverOptions, Trace } from './store.fixture.js';
import type { InfluxdbStore } from './store.js';

const beat = model(Beat);

let options: InfluxdbOptions;
let proxy: TroubleProxy;
let store: InfluxdbStore;
beforeAll(async () => {
  const direct = await serverOptions('participant');
  proxy = await proxyTo(direct.url);
  options = { ...direct, url: proxy.url };
  store = await openStore(options);
});
afterAll(async () => {
  await store?.close();
  await proxy?.close();
});
beforeEach(() => {
  proxy.on('', () => undefined);
  proxy.passed.length = 0;
});

const points = (entity: EntityModel, ...rows: Row[]): WriteBatch => ({
  op: 'insert',
  entity,
  fields: entity.fields,
  rows,
});
const check = (...batches: WriteBatch[]) => store.participant.check(batches, {});

/** The same measurement with a value of this type: two of them are two versions of one class. */
function readings(type: 'float' | 'string'): EntityModel {
  class Reading {
    declare at: Date;
    declare source: string;
    declare value: unknown;
  }
  Timestamp()(Reading.prototype as never, 'at' as never);
  Tag()(Reading.prototype as never, 'source' as never);
  Field(type)(Reading.prototype as never, 'value' as never);
  Measurement({ name: 'readings of all' })(Reading as never);
  return compileDomain([Reading]).of(Reading);
}

it('takes points that can be written, and writes none', async () => {
  await check(points(beat, [1_000, 's', 1], [2_000, 's', 2]));
  expect(await everything(store, beat)).toEqual([]);
  expect(proxy.passed.filter(({ path }) => path.includes('/write'))).toEqual([]);
  expect(await store.participant.owners()).toEqual([]);
  expect(store.capabilities.commit).toEqual({ coordinates: false, participates: 'append' });
});

it('refuses to change or delete points', async () => {
  const change: WriteBatch = {
    op: 'update',
    entity: beat,
    fields: beat.fields.slice(2),
    rows: [[1]],
    keys: [[1, 's']],
  };
  await expect(check(change)).rejects.toThrow(CapabilityError);
  await expect(check({ op: 'delete', entity: beat, keys: [[1, 's']] })).rejects.toThrow(
    /cannot be deleted in a unit of/,
  );
  expect(proxy.passed).toEqual([]);
});

it('finds what the server could not keep', async () => {
  await expect(check(points(beat, [1_000, 's', null]))).rejects.toThrow(NotNullViolationError);
  await expect(check(points(beat, [9e15, 's', 1]))).rejects.toThrow(InvalidValueError);
  await expect(check(points(model(Trace), [1_000, 's', 1]))).rejects.toThrow(CheckViolationError);
  expect(proxy.passed).toEqual([]);
});

it('finds a field that has another type on the server, before anything is decided', async () => {
  const [before, after] = [readings('float'), readings('string')];
  await insert(store, before, [[1_000, 's', 1.5]]);
  await check(points(before, [2_000, 's', 2.5]));
  const error = await check(points(beat, [3_000, 's', 3]), points(after, [2_000, 's', 'many'])).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SchemaError);
  expect(error).toMatchObject({ entity: 'Reading', property: 'value', store: 'timeseries' });
  expect(String(error)).toMatch(/has points of type float.*kept as string/);
  // So it is not for nothing:
  await expect(insert(store, after, [[2_000, 's', 'many']])).rejects.toThrow(SchemaError);
  expect(await everything(store, before)).toEqual([[1_000, 's', 1.5]]);
});

it('asks once for each measurement, and not again for a while', async () => {
  const other = await openStore(options);
  proxy.passed.length = 0;
  const batches = [
    points(beat, ...Array.from({ length: 1_000 }, (_, i): Row => [i, 's', i])),
    points(model(Sample), [1n, 'p', 1, 1, null, null, null, null, null, null]),
    points(beat, [5_000, 's', 1]),
  ];
  await other.participant.check(batches, {});
  expect(proxy.passed).toHaveLength(2);
  await other.participant.check(batches, {});
  expect(proxy.passed).toHaveLength(2);
  await other.close();
});

it('fails while the server cannot be asked, and does not remember it', async () => {
  const other = await openStore(options);
  proxy.on('/query', () => 'reset');
  await expect(other.participant.check([points(beat, [1, 's', 1])], {})).rejects.toThrow(ConnectionError);
  proxy.on('', () => undefined);
  await other.participant.check([points(beat, [1, 's', 1])], {});
  await other.close();
});

it('finds that the bucket is not there', async () => {
  const bare = influxdb({ ...options, bucketPrefix: 'nowhere_' });
  await bare.open({ name: 'timeseries', entities: [beat] });
  await expect(bare.participant.check([points(beat, [1, 's', 1])], {})).rejects.toThrow(SchemaError);
  await bare.close();
});
