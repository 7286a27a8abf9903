import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type MongodbServer, startMongodb } from './mongodb.js';
import { databaseUrl } from './mongodb-client.js';

describe('startMongodb', () => {
  let server: MongodbServer;
  beforeAll(async () => {
    server = await startMongodb({ ways: ['docker', 'native'] });
  }, 600_000);
  afterAll(() => server?.stop());

  async function ask<R>(url: string, work: (client: MongoClient) => Promise<R>): Promise<R> {
    const client = await MongoClient.connect(url);
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  it('gives empty databases of their own, on a server with transactions', async () => {
    const [a, b] = [await server.database('Some Test'), await server.database('Some Test')];
    expect(a).not.toBe(b);
    expect(a).toMatch(/\/some_test_[0-9a-f]{12}/);
    await ask(a, async (client) => {
      await client.withSession((session) =>
        session.withTransaction(() => client.db().collection('c').insertOne({}, { session })),
      );
      expect(await client.db().collection('c').countDocuments()).toBe(1);
    });
    expect(await ask(b, (client) => client.db().listCollections().toArray())).toEqual([]);
  });

  it('comes back at the same address after a kill', async () => {
    await server.kill();
    await expect(MongoClient.connect(server.url, { serverSelectionTimeoutMS: 300 })).rejects.toThrow();
    await server.restart();
    expect(await ask(server.url, (client) => client.db('admin').command({ ping: 1 }))).toMatchObject({ ok: 1 });
  });

  it('refuses a URL that was given and does not answer', async () => {
    vi.stubEnv('STOREWEAVE_MONGODB_URL', 'mongodb://127.0.0.1:1/');
    await expect(startMongodb()).rejects.toThrow(/STOREWEAVE_MONGODB_URL is set, but no server answers/);
    vi.unstubAllEnvs();
  });
});

describe('databaseUrl', () => {
  it.each([
    ['mongodb://h:1', 'mongodb://h:1/x'],
    ['mongodb://h:1/', 'mongodb://h:1/x'],
    ['mongodb://u:p@a:1,b:2/old?replicaSet=r', 'mongodb://u:p@a:1,b:2/x?replicaSet=r'],
    ['mongodb+srv://h/?w=1', 'mongodb+srv://h/x?w=1'],
  ])('%s', (url, expected) => expect(databaseUrl(url, 'x')).toBe(expected));
});
