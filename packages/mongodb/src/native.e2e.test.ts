/** The driver's own objects inside and outside of a running unit of work. */
import { type Defaults, Document, Id, identity, optional, Property, Storeweave } from '@storeweave/core';
import { sharedServer } from '@storeweave/testing/servers';
import { MongoClient } from 'mongodb';
import { expect, it } from 'vitest';
import { mongodb } from './mongodb.js';
import type { MongodbNative } from './store.js';

@Document({ collection: 'pages' })
class Page {
  declare readonly [identity]: 'slug';
  declare readonly [optional]: Defaults<'views'>;
  @Id('string') slug!: string;
  @Property('integer', { default: 0 }) views!: number;
}

it('gives the driver enlisted in the running transaction', async () => {
  const url = await (await sharedServer('mongodb')).database('native');
  await using weave = await Storeweave.open({ entities: [Page], stores: { document: mongodb({ url }) } });
  await weave.repository(Page).insert({ slug: 'home', views: 1 });
  const outside = weave.native('document') as MongodbNative;
  expect(outside.client).toBeInstanceOf(MongoClient);
  expect(outside.session).toBeUndefined();
  const pages = outside.db.collection<{ _id: string; views: number }>('pages');

  const gaveUp = weave.transaction(async (uow) => {
    uow.create(Page, { slug: 'new', views: 5 });
    await uow.flush();
    const { db, session } = (await uow.native('document')) as MongodbNative;
    const own = db.collection<{ _id: string; views: number }>('pages');
    expect(session?.inTransaction()).toBe(true);
    // It sees what the unit of work wrote, and the unit of work what it writes; nobody else does.
    expect(await own.findOne({ _id: 'new' }, { session })).toMatchObject({ views: 5 });
    await own.updateOne({ _id: 'home' }, { $inc: { views: 10 } }, { session });
    expect(await uow.repository(Page).findOne({ where: { views: 11 } })).toMatchObject({ slug: 'home' });
    expect(await pages.findOne({ _id: 'home' })).toMatchObject({ views: 1 });
    throw new Error('gave up');
  });
  await expect(gaveUp).rejects.toThrow('gave up');
  expect(await pages.find().toArray()).toEqual([{ _id: 'home', views: 1 }]);

  await weave.transaction(async (uow) => {
    const { db, session } = (await uow.native('document')) as MongodbNative;
    await db.collection('pages').updateOne({ views: 1 }, { $set: { views: 2 } }, { session });
  });
  expect(await weave.repository(Page).find()).toMatchObject([{ slug: 'home', views: 2 }]);
});

it('uses a client of the application, and leaves it open', async () => {
  const url = await (await sharedServer('mongodb')).database('shared_client');
  const client = await MongoClient.connect(url);
  const weave = await Storeweave.open({ entities: [Page], stores: { document: mongodb({ client }) } });
  await weave.repository(Page).insert({ slug: 'home' });
  await weave.close();
  expect(await client.db().collection('pages').countDocuments()).toBe(1);
  await client.close();
});

it('has not forgotten what another process was told', async () => {
  const url = await (await sharedServer('mongodb')).database('causal');
  const [writer, reader] = [mongodb({ url }), mongodb({ url })];
  await using weave = await Storeweave.open({ entities: [Page], stores: { document: writer } });
  await using other = await Storeweave.open({ entities: [Page], stores: { document: reader } });
  expect(await weave.causalToken()).toBeUndefined();
  await weave.repository(Page).insert({ slug: 'home' });
  const token = await weave.causalToken();
  expect(token).toMatch(/^[\w-]+$/);
  await other.observe(token ?? '');
  expect(await other.repository(Page).count()).toBe(1);
  await expect(other.observe('nonsense')).rejects.toThrow(/causal token/);
  await expect(reader.causality.observe('nonsense')).rejects.toThrow(/causal token/);
  const uow = await weave.transaction(async (unit) => {
    unit.create(Page, { slug: 'next' });
    return unit;
  });
  await other.observe(uow.receipt?.causalToken ?? '');
  expect(await other.repository(Page).count()).toBe(2);
});
