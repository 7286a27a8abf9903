import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ChaosPlan, chaosStore, type MemoryStore, memoryStore } from '@storeweave/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConnectionError, DataAccessLog, defineEntity, p, Storeweave } from '../index.js';
import type { LostAccessRecords } from './access-queue.js';

class Patient extends defineEntity({
  name: 'Patient',
  model: 'relational',
  props: { id: p.id(), name: p.string() },
  audited: { reads: true },
}) {}

let weave: Storeweave;
let plan: ChaosPlan;
let store: MemoryStore;
let context: (() => { actor: string }) | undefined;
const lost: LostAccessRecords[] = [];
const listen = (message: unknown) => void lost.push(message as LostAccessRecords);

beforeEach(async () => {
  plan = new ChaosPlan();
  store = memoryStore();
  context = undefined;
  lost.length = 0;
  subscribe('storeweave:audit:lost', listen);
  weave = await Storeweave.open({
    entities: [Patient],
    stores: { relational: chaosStore(store, plan) },
    audit: { context: () => context?.(), accesses: { delayMs: 5, limit: 50 } },
  });
  await weave.repository(Patient).insert([{ name: 'a' }, { name: 'b' }]);
});
afterEach(async () => {
  unsubscribe('storeweave:audit:lost', listen);
  plan.clear();
  await weave.close();
});

const read = () => weave.repository(Patient).find({});
const logs = () => weave.repository(DataAccessLog);

describe('records of reads', () => {
  it('are written together, after a while', async () => {
    for (let at = 0; at < 20; at++) await read();
    await weave.accessLog?.flush();
    expect(await logs().count()).toBe(20);
    const batches = store.calls.filter(({ call, entity }) => call === 'insert' && entity === 'DataAccessLog');
    expect(batches.length).toBeGreaterThan(0);
    expect(batches.length).toBeLessThan(20);
    await read();
    for (let waited = 0; waited < 200 && weave.accessLog?.stats.written !== 21; waited++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(weave.accessLog?.stats).toEqual({ pending: 0, written: 21, lost: 0 });
  });

  it('are tried again where the store was away for a moment', async () => {
    plan.add({ call: 'insert', entity: 'DataAccessLog' });
    expect(await read()).toHaveLength(2);
    await weave.accessLog?.flush();
    expect(await logs().count()).toBe(1);
    expect(lost).toEqual([]);
  });

  it('are not written twice where only the answer was lost', async () => {
    plan.add({ call: 'insert', entity: 'DataAccessLog', when: 'after' });
    await read();
    await weave.accessLog?.flush();
    expect(await logs().count()).toBe(1);
    expect(weave.accessLog?.stats).toEqual({ pending: 0, written: 1, lost: 0 });
  });

  it('are counted and made known where they are lost, and the reads go on', async () => {
    plan.add({ call: 'insert', entity: 'DataAccessLog', times: Number.POSITIVE_INFINITY });
    for (let at = 0; at < 3; at++) expect(await read()).toHaveLength(2);
    await weave.accessLog?.flush();
    expect(weave.accessLog?.stats).toEqual({ pending: 0, written: 0, lost: 3 });
    expect(lost.reduce((sum, { records }) => sum + records, 0)).toBe(3);
    expect(lost.every(({ error }) => error instanceof ConnectionError)).toBe(true);
    plan.clear();
    await read();
    await weave.accessLog?.flush();
    expect(weave.accessLog?.stats).toEqual({ pending: 0, written: 1, lost: 3 });
  });

  it('do not fail a read where the application fails to say who it is', async () => {
    const broken = new Error('no context');
    context = () => {
      throw broken;
    };
    expect(await read()).toHaveLength(2);
    context = () => ({ actor: 'ada' });
    await read();
    await weave.accessLog?.flush();
    expect((await logs().find({})).map(({ actor }) => actor)).toEqual(['ada']);
    expect(lost).toEqual([{ records: 1, error: broken }]);
  });

  it('are dropped where the store cannot keep up, so that memory does not grow', async () => {
    plan.add({ call: 'insert', entity: 'DataAccessLog', delayMs: 200 });
    await read();
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let at = 0; at < 60; at++) expect(await read()).toHaveLength(2);
    expect(weave.accessLog?.stats).toEqual({ pending: 51, written: 0, lost: 10 });
    expect(String(lost[0]?.error)).toMatch(/50 records of reads wait for their store/);
    await weave.accessLog?.flush();
    expect(weave.accessLog?.stats).toEqual({ pending: 0, written: 51, lost: 10 });
  });
});
