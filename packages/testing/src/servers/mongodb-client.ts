/** The few commands that the harness itself sends. The driver is loaded when a MongoDB is asked for, and not before. */
import type { MongoClient } from 'mongodb';

/** Whether a server answers there that takes writes; errors of any kind are a no. */
export async function mongodbAnswers(url: string): Promise<boolean> {
  try {
    return await withClient(url, async (client) => {
      const hello = await client.db('admin').command({ hello: 1 });
      return hello.isWritablePrimary === true;
    });
  } catch {
    return false;
  }
}

export function mongodbVersion(url: string): Promise<string> {
  return withClient(url, async (client) => String((await client.db('admin').command({ buildInfo: 1 })).version));
}

/** Makes a replica set of the one server that answers at this address, and waits until it is the primary. */
export async function initiate(url: string, host: string): Promise<void> {
  await withClient(url, async (client) => {
    const admin = client.db('admin');
    await admin.command({ replSetInitiate: { _id: 'storeweave', members: [{ _id: 0, host }] } });
    for (let i = 0; i < 600; i++) {
      if ((await admin.command({ hello: 1 })).isWritablePrimary === true) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
}

/** The server's URL with a database in it. It may name several hosts, and is no URL as others know it then. */
export function databaseUrl(url: string, database: string): string {
  const [, server = url, query = ''] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)\/?[^?]*(\?.*)?$/.exec(url) ?? [];
  return `${server}/${database}${query}`;
}

export function dropDatabase(url: string): Promise<unknown> {
  return withClient(url, (client) => client.db().dropDatabase());
}

async function withClient<R>(url: string, work: (client: MongoClient) => Promise<R>): Promise<R> {
  const { MongoClient } = await import('mongodb');
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 3_000 });
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.close();
  }
}
