/** A document that a forgotten transaction holds is told from one on which a fence was only left behind. */
import { startMongodb, type TestServer } from '@storeweave/testing/servers';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unwritable, withoutProbes } from './held.js';

describe('documents that their server holds', () => {
  let server: TestServer & { database(name: string): Promise<string> };
  let client: MongoClient;

  beforeAll(async () => {
    server = await startMongodb({ ways: ['docker', 'native'] });
    client = new MongoClient(await server.database('held'));
  });

  afterAll(async () => {
    await client?.close();
    await server?.stop();
  });

  it('are those of an open transaction, and not those with a fence alone', async () => {
    const counters = client.db().collection<{ _id: number; total: number }>('profile_counters');
    await counters.insertMany([1, 2, 3].map((_id) => ({ _id, total: 0, ...(_id < 3 && { _f: { op: 'update' } }) })));
    const session = client.startSession();
    session.startTransaction();
    await counters.updateOne({ _id: 1 }, { $inc: { total: 1 } }, { session });

    expect(await unwritable(client, 1_500)).toEqual(['profile_counters/1']);

    await session.abortTransaction();
    await session.endSession();
    await expect.poll(() => unwritable(client, 1_500), { timeout: 10_000 }).toEqual([]);
    await withoutProbes(client);
    expect(await counters.findOne({ _id: 2 })).toEqual({ _id: 2, total: 0, _f: { op: 'update' } });
  });
});
