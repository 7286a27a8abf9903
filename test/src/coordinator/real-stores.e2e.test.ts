/**
 * MongoDB decides, beside real servers of every kind: Neo4j is fenced, InfluxDB is written to afterwards, PostgreSQL is
 * prepared. With a relational store bound, that one decides unless another is named.
 */
import {
  Audited,
  AuditLog,
  type CommitOptions,
  Document,
  type EntityClass,
  Field,
  Id,
  Measurement,
  Node,
  Property,
  Relational,
  type StepEvent,
  type Store,
  Storeweave,
  Tag,
  Timestamp,
  Version,
} from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { influxdb } from '@storeweave/influxdb';
import { mongodb } from '@storeweave/mongodb';
import { neo4j } from '@storeweave/neo4j';
import { sharedServer } from '@storeweave/testing/servers';
import { beforeEach, expect, it } from 'vitest';

@Document({ collection: 'orders' })
@Audited()
class Order {
  @Id('integer') id!: number;
  @Property('string', { unique: true }) number!: string;
  @Version() version!: number;
}

@Node()
class Customer {
  @Id('integer') id!: number;
  @Property('string', { unique: true }) name!: string;
  @Version() version!: number;
}

@Measurement({ name: 'sales' })
class Sale {
  @Timestamp() at!: Date;
  @Tag() customer!: string;
  @Field('float') amount!: number;
}

@Relational({ table: 'decided_invoices' })
class Invoice {
  @Id('integer') id!: number;
  @Property('string') text!: string;
  @Version() version!: number;
}

const OURS: readonly EntityClass[] = [Order, Customer, Sale];

let bind: () => Record<'document' | 'graph' | 'timeseries', Store>;
beforeEach(async () => {
  const document = await (await sharedServer('mongodb')).database('decides');
  const { url, username, password, ...graph } = await sharedServer('neo4j');
  const { token, org, ...timeseries } = await sharedServer('influxdb');
  const labelPrefix = await graph.space('decides');
  const bucketPrefix = await timeseries.space('decides');
  bind = () => ({
    document: mongodb({ url: document }),
    graph: neo4j({ url, username, password, labelPrefix }),
    timeseries: influxdb({ url: timeseries.url, token, org, bucketPrefix }),
  });
});

function open(commit: CommitOptions = {}, more: Record<string, Store> = {}): Promise<Storeweave> {
  const entities = more.relational === undefined ? OURS : [...OURS, Invoice];
  return Storeweave.open({ entities, stores: { ...bind(), ...more }, commit: { relay: false, ...commit } });
}

const AT = new Date('2026-01-01T00:00:00Z');

const sell = (weave: Storeweave, id: number, name = `customer ${id}`) =>
  weave.transaction({ retries: 0 }, async (uow) => {
    uow.create(Order, { id, number: `order ${id}` });
    uow.create(Customer, { id, name });
    uow.create(Sale, { at: new Date(AT.getTime() + id), customer: name, amount: id });
    return uow;
  });

const counts = (weave: Storeweave) =>
  Promise.all([Order, Customer, Sale, AuditLog].map((each: EntityClass) => weave.repository(each).count()));

it('is atomic with MongoDB, Neo4j and InfluxDB alone', async () => {
  await using weave = await open();
  const { receipt } = await sell(weave, 1);
  expect(receipt).toMatchObject({ status: 'applied', stores: { graph: 'applied', timeseries: 'applied' } });
  expect(await counts(weave)).toEqual([1, 1, 1, 1]);
  await expect(sell(weave, 2, 'customer 1')).rejects.toThrow(/name/);
  expect(await counts(weave)).toEqual([1, 1, 1, 1]);
  expect(await weave.journal.stats()).toMatchObject({ open: 0, dead: 0 });
});

it.each([
  ['fence', 0],
  ['decide', 1],
] as const)('is finished by another process where its own died after %s', async (step, whole) => {
  const dying = await open({
    onStep: (event: StepEvent) => {
      // What a dead process sends is nothing.
      const isHere = event.step === step && event.moment === 'after';
      if (isHere || ['unfence', 'apply', 'settle', 'done'].includes(event.step)) throw new Error('died');
    },
  });
  await sell(dying, 1).catch(() => undefined);
  await using weave = await open();
  expect((await counts(weave)).slice(1, 3)).toEqual([0, 0]);
  expect((await weave.journal.list()).length).toBe(whole);
  await weave.journal.drain();
  expect(await counts(weave)).toEqual(Array(4).fill(whole));
  await dying.close();
});

it('leaves the decision to PostgreSQL, unless MongoDB is named', async () => {
  const url = await (await sharedServer('postgres')).database('decides');
  const decided: string[] = [];
  const onStep = ({ step, moment, store }: StepEvent) => {
    if (moment === 'after' && (step === 'decide' || step === 'prepare')) decided.push(`${step} ${store}`);
  };
  for (const coordinator of [undefined, 'document']) {
    const options = { onStep, ...(coordinator === undefined ? {} : { coordinator }) };
    await using weave = await open(options, { relational: embedded({ url }).relational });
    const id = coordinator === undefined ? 1 : 2;
    await weave.transaction(async (uow) => {
      uow.create(Order, { id, number: `order ${id}` });
      uow.create(Customer, { id, name: `customer ${id}` });
      uow.create(Invoice, { id, text: 'to pay' });
    });
    expect(await weave.repository(Order).count()).toBe(id);
    expect(await weave.repository(Customer).count()).toBe(id);
    expect(await weave.repository(Invoice).count()).toBe(id);
  }
  expect(decided).toEqual(['decide relational', 'prepare relational', 'decide document']);
});
