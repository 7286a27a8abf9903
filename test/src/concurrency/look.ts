/** Reads the lists by the servers' own clients; what Storeweave hides is seen, and a fence that is left is an error. */
import { MongoClient } from 'mongodb';
import neo4j from 'neo4j-driver';
import pg from 'pg';
import type { History } from './history.js';
import type { Place, Side } from './model.js';

interface Seen {
  readonly id: number;
  readonly tokens: string;
  readonly version: number;
  readonly fence?: unknown;
}

export async function lookAt(place: Place): Promise<History['lists']> {
  const looks: Record<Side, () => Promise<readonly Seen[]>> = {
    relational: () => rows(place.relational),
    document: () => documents(place.document),
    graph: () => nodes(place),
  };
  const lists: Record<string, readonly string[]> = {};
  for (const side of place.sides) {
    for (const { id, tokens, version, fence } of await looks[side]()) {
      const list = tokens.split(',').slice(0, -1);
      if (fence !== undefined && fence !== null)
        throw new Error(`${side} ${id} has a fence left: ${JSON.stringify(fence)}`);
      if (version !== list.length + 1)
        throw new Error(`${side} ${id} has version ${version} after ${list.length} appends.`);
      lists[`${side} ${id}`] = list;
    }
  }
  return lists;
}

async function rows(connectionString: string): Promise<readonly Seen[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const open = await client.query('select uow from storeweave_journal where not done');
    if (open.rows.length > 0) throw new Error(`The journal has open rows: ${JSON.stringify(open.rows)}`);
    return (await client.query<Seen>('select id, tokens, version from registers')).rows;
  } finally {
    await client.end();
  }
}

async function documents(url: string): Promise<readonly Seen[]> {
  const client = new MongoClient(url);
  try {
    const found = await client.db().collection('registers').find().toArray();
    return found.map(({ _id, tokens, version, _f }) => ({ id: Number(_id), tokens, version, fence: _f }));
  } finally {
    await client.close();
  }
}

async function nodes({ graph }: Place): Promise<readonly Seen[]> {
  if (graph === undefined) return [];
  const { url, username = '', password = '', labelPrefix = '' } = graph;
  const driver = neo4j.driver(url, neo4j.auth.basic(username, password), { disableLosslessIntegers: true });
  try {
    const { records } = await driver.executeQuery(
      `MATCH (n:\`${labelPrefix}Register\`) RETURN n.id AS id, n.tokens AS tokens, n.version AS version, n._f AS fence`,
    );
    return records.map((record) => record.toObject() as unknown as Seen);
  } finally {
    await driver.close();
  }
}
