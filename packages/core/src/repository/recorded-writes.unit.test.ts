import { ChaosPlan, chaosStore, memoryStore } from '@storeweave/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AuditLog, defineEntity, p, SerializationError, Storeweave } from '../index.js';

class Order extends defineEntity({
  name: 'Order',
  model: 'relational',
  props: { id: p.id(), number: p.integer({ unique: true }), state: p.string(), version: p.version() },
  audited: { reads: true },
}) {}

let weave: Storeweave;
let plan: ChaosPlan;
beforeEach(async () => {
  plan = new ChaosPlan();
  weave = await Storeweave.open({ entities: [Order], stores: { relational: chaosStore(memoryStore(), plan) } });
});
afterEach(async () => {
  plan.clear();
  await weave.close();
});

const orders = () => weave.repository(Order);
const told = async () =>
  (await weave.repository(AuditLog).find({ orderBy: { id: 'asc' } })).map(({ operation, before, after }) =>
    [operation, before?.state ?? '-', after?.state ?? '-'].join(' '),
  );
/** Until the call that is held up has come. */
const met = async () => {
  while (plan.met.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
};

it('changes exactly the rows that are on record, whatever comes in between', async () => {
  await orders().insert({ number: 1, state: 'new' });
  plan.add({ call: 'bulk', entity: 'Order', delayMs: 150 });
  const update = orders().update({ state: 'new' }, { state: 'old' });
  await met();
  await orders().insert({ number: 2, state: 'new' });
  expect(await update).toBe(1);
  expect((await orders().find({ orderBy: { number: 'asc' } })).map(({ state }) => state)).toEqual(['old', 'new']);
  expect((await told()).sort()).toEqual(['insert - new', 'insert - new', 'update new old']);
});

it('does an upsert again where someone else inserts the same key in between', async () => {
  plan.add({ call: 'insert', entity: 'Order', delayMs: 150 });
  const upsert = orders().upsert({ number: 1, state: 'mine' }, { on: ['number'] });
  await met();
  await orders().insert({ number: 1, state: 'theirs' });
  expect(await upsert).toBe(1);
  expect(await told()).toEqual(['insert - theirs', 'update theirs mine']);
  expect((await orders().find({})).map(({ version }) => version)).toEqual([2]);
});

it('gives up an upsert inside a unit of work that is not to be done again', async () => {
  plan.add({ call: 'insert', entity: 'Order', delayMs: 150 });
  const work = weave.transaction({ retries: 0 }, () =>
    orders().upsert({ number: 1, state: 'mine' }, { on: ['number'] }),
  );
  await met();
  await orders().insert({ number: 1, state: 'theirs' });
  await expect(work).rejects.toBeInstanceOf(SerializationError);
  expect(await told()).toEqual(['insert - theirs']);
});

it('notes no reads that are part of a write', async () => {
  await orders().insert({ number: 1, state: 'new' });
  await orders().update({}, { state: 'old' });
  await orders().upsert({ number: 1, state: 'mine' }, { on: ['number'] });
  await orders().delete({});
  await weave.accessLog?.flush();
  expect(weave.accessLog?.stats.written).toBe(0);
});

it('writes nothing for a filter that matches nothing', async () => {
  await orders().insert({ number: 1, state: 'new' });
  expect(await orders().update({ state: 'none' }, { state: 'old' })).toBe(0);
  expect(await orders().delete({ number: { in: [] } })).toBe(0);
  expect(await orders().upsert([])).toBe(0);
  expect(await orders().insert([])).toEqual([]);
  expect(await told()).toEqual(['insert - new']);
});

it('is waited for when everything is closed', async () => {
  await orders().insert({ number: 1, state: 'new' });
  plan.add({ call: 'bulk', entity: 'Order', delayMs: 100 });
  const update = orders().update({}, { state: 'old' });
  await met();
  await weave.close();
  expect(await update).toBe(1);
});
