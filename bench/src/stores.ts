/**
 * MongoDB, Neo4j and InfluxDB beside the batched use of each official driver by hand, with the same guarantees: commit of
 * new entities and load of many. And one question over four engines: a thousand users with profile, friends and last
 * login, beside four queries by hand that run at once.
 */
import { InfluxDB, Point } from '@influxdata/influxdb-client';
import { Storeweave } from '@storeweave/core';
import { influxdb } from '@storeweave/influxdb';
import { mongodb } from '@storeweave/mongodb';
import { neo4j } from '@storeweave/neo4j';
import { startInfluxdb, startMongodb, startNeo4j, startPostgres } from '@storeweave/testing/servers';
import { typeorm } from '@storeweave/typeorm';
import { MongoClient } from 'mongodb';
import neo4jDriver, { type Driver } from 'neo4j-driver';
import pg from 'pg';
import { v7 } from 'uuid';
import { besideDriver, type Side } from './beside-driver.js';
import { type BenchOptions, type BenchRow, compare } from './rounds.js';
import { entities, Login, Place, Profile, User } from './stores-model.js';

const START = Date.UTC(2026, 0, 1);

interface Hands {
  readonly mongo: MongoClient;
  readonly database: string;
  readonly graph: Driver;
  readonly label: (name: string) => string;
  readonly influx: InfluxDB;
  readonly org: string;
  readonly bucket: string;
  readonly sql: pg.Client;
}

export async function run(options: BenchOptions): Promise<BenchRow[]> {
  const [postgres, mongo, graph, series] = await Promise.all([
    startPostgres(),
    startMongodb(),
    startNeo4j(),
    startInfluxdb(),
  ]);
  try {
    const sqlUrl = await postgres.database('bench_stores');
    const mongoUrl = await mongo.database('bench_stores');
    const labelPrefix = await graph.space('bench_stores');
    const bucketPrefix = await series.space('bench_stores');
    const { url, username, password } = graph;
    const hands: Hands = {
      mongo: await MongoClient.connect(mongoUrl),
      database: new URL(mongoUrl).pathname.slice(1),
      graph: neo4jDriver.driver(url, neo4jDriver.auth.basic(username, password), { disableLosslessIntegers: true }),
      label: (name) => `\`${labelPrefix}${name}\``,
      influx: new InfluxDB({ url: series.url, token: series.token }),
      org: series.org,
      bucket: '',
      sql: new pg.Client({ connectionString: sqlUrl }),
    };
    await hands.sql.connect();
    try {
      await using weave = await Storeweave.open({
        entities,
        atomicity: 'best-effort',
        stores: {
          relational: typeorm({ url: sqlUrl }),
          document: mongodb({ url: mongoUrl }),
          graph: neo4j({ url, username, password, labelPrefix }),
          timeseries: influxdb({ url: series.url, token: series.token, org: series.org, bucketPrefix }),
        },
      });
      const bucket = await bucketOf(hands, bucketPrefix);
      const all = { ...hands, bucket };
      return [
        ...(await documents(weave, all, options)),
        ...(await nodes(weave, all, options)),
        ...(await points(weave, all, options)),
        ...(await overStores(weave, all, options)),
      ];
    } finally {
      await Promise.all([hands.mongo.close(), hands.graph.close(), hands.sql.end()]);
    }
  } finally {
    await Promise.all([postgres, mongo, graph, series].map((server) => server.stop()));
  }
}

/** The bucket that our store has made; by hand the same one is used, under another measurement. */
async function bucketOf({ influx, org }: Hands, prefix: string): Promise<string> {
  const rows = await influx.getQueryApi(org).collectRows<{ name: string }>('buckets()');
  const found = rows.find(({ name }) => name.startsWith(prefix));
  if (found === undefined) throw new Error(`no bucket begins with ${prefix}`);
  return found.name;
}

async function documents(weave: Storeweave, hands: Hands, { rounds }: BenchOptions): Promise<BenchRow[]> {
  const collection = hands.mongo.db(hands.database).collection<{ _id: string }>('by_hand');
  await collection.createIndex({ userId: 1 }, { unique: true });
  const data = (n: number) =>
    Array.from({ length: n }, (_, i) => ({
      id: v7(),
      userId: v7(),
      bio: `bio of number ${i}`,
      visits: i,
      score: i / 7,
      since: new Date(START + i),
      languages: ['en', 'de'],
      address: { city: `city ${i % 100}`, lines: ['one', 'two'] },
    }));
  return besideDriver(
    {
      product: 'mongodb',
      writing: 'commit of new',
      rows: data,
      handWritten: {
        write: (rows) =>
          hands.mongo.withSession(async (session) => {
            const concern = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority' } } as const;
            const documents = rows.map(({ id, ...rest }) => ({ _id: id, ...rest, version: 1 }));
            const insert = async () => void (await collection.insertMany(documents, { session }));
            await session.withTransaction(insert, concern);
            return rows.length;
          }),
        async load() {
          const found = await collection.find({}).toArray();
          return found.map(({ _id, ...rest }) => ({ id: _id, ...rest })).length;
        },
      },
      storeweave: entitiesOf(weave, Profile),
      async clear() {
        await collection.deleteMany({});
        await weave.repository(Profile).delete({});
      },
    },
    rounds,
  );
}

async function nodes(weave: Storeweave, hands: Hands, { rounds }: BenchOptions): Promise<BenchRow[]> {
  const label = hands.label('ByHand');
  const within = <R>(work: (session: ReturnType<Driver['session']>) => Promise<R>) => {
    const session = hands.graph.session();
    return work(session).finally(() => session.close());
  };
  await within((session) => session.run(`CREATE CONSTRAINT IF NOT EXISTS FOR (n:${label}) REQUIRE n.id IS UNIQUE`));
  const data = (n: number) =>
    Array.from({ length: n }, (_, i) => ({
      id: v7(),
      name: `place ${i}`,
      rank: i,
      score: i / 7,
      open: i % 2 === 0,
      since: new Date(START + i),
    }));
  const fields = ['id', 'name', 'rank', 'score', 'open', 'since', 'version'];
  const load = `MATCH (n:${label}) RETURN ${fields.map((field) => `n.${field} AS ${field}`).join(', ')}`;
  return besideDriver(
    {
      product: 'neo4j',
      writing: 'commit of new',
      rows: data,
      handWritten: {
        write: (rows) =>
          within(async (session) => {
            const parameters = {
              rows: rows.map((row) => ({
                ...row,
                rank: neo4jDriver.int(row.rank),
                since: neo4jDriver.types.DateTime.fromStandardDate(row.since),
                version: neo4jDriver.int(1),
              })),
            };
            await session.executeWrite((tx) =>
              tx.run(`UNWIND $rows AS row CREATE (n:${label}) SET n = row`, parameters),
            );
            return rows.length;
          }),
        load: () =>
          within(async (session) => {
            const { records } = await session.executeRead((tx) => tx.run(load));
            return records.map((record) => {
              const row = record.toObject();
              return { ...row, since: (row.since as { toStandardDate(): Date }).toStandardDate() };
            }).length;
          }),
      },
      storeweave: entitiesOf(weave, Place),
      async clear() {
        await within((session) => session.run(`MATCH (n:${label}) DELETE n`));
        await weave.repository(Place).delete({});
      },
    },
    rounds,
  );
}

async function points(weave: Storeweave, hands: Hands, { rounds }: BenchOptions): Promise<BenchRow[]> {
  const { influx, org, bucket } = hands;
  const data = (n: number) =>
    Array.from({ length: n }, (_, i) => ({
      at: new Date(START + i * 1_000),
      userId: `01900000-0000-7000-8000-${String(i % 50).padStart(12, '0')}`,
      seconds: i / 7,
      pages: i % 90,
    }));
  const endOf = (n: number) => new Date(START + n * 1_000);
  return besideDriver(
    {
      product: 'influxdb',
      writing: 'write',
      rows: data,
      handWritten: {
        async write(rows) {
          const once = { batchSize: rows.length + 1, flushInterval: 0, maxRetries: 0 };
          const api = influx.getWriteApi(org, bucket, 'ms', once);
          api.writePoints(
            rows.map(({ at, userId, seconds, pages }) =>
              new Point('by_hand')
                .timestamp(at)
                .tag('user_id', userId)
                .floatField('seconds', seconds)
                .intField('pages', pages),
            ),
          );
          // Throws what the server refused.
          await api.flush();
          await api.close();
          return rows.length;
        },
        async load(n) {
          const range = `start: ${new Date(START).toISOString()}, stop: ${endOf(n).toISOString()}`;
          const found = await influx.getQueryApi(org).collectRows<Record<string, unknown>>(
            `from(bucket: "${bucket}") |> range(${range})
              |> filter(fn: (r) => r._measurement == "by_hand")
              |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`,
          );
          return found.map((row) => ({ ...row, at: new Date(String(row._time)) })).length;
        },
      },
      storeweave: {
        async write(rows) {
          await weave.series(Login).insert(rows);
          return rows.length;
        },
        load: async (n) => (await weave.series(Login).range({ from: new Date(START), to: endOf(n) })).length,
      },
    },
    rounds,
  );
}

/** A thousand users, each with a profile, three friends and a last login. */
async function overStores(weave: Storeweave, hands: Hands, { rounds }: BenchOptions): Promise<BenchRow[]> {
  const n = 1_000;
  const users = Array.from({ length: n }, (_, i) => ({ id: v7(), name: `user ${i}`, email: `${i}@example.org` }));
  const idAt = (i: number) => users[i % n]?.id ?? '';
  await weave.transaction(async (uow) => {
    const created = users.map((user) => uow.create(User, user));
    for (const [i, user] of created.entries()) {
      for (const step of [1, 7, 31]) user.friends.add(created[(i + step) % n] as User);
    }
  });
  await weave.repository(Profile).insert(
    users.map(({ id }, i) => ({
      userId: id,
      bio: `bio ${i}`,
      visits: i,
      score: i / 7,
      since: new Date(START + i),
      languages: ['en'],
      address: { city: 'c', lines: [] },
    })),
  );
  await weave.series(Login).insert(
    Array.from({ length: 3 * n }, (_, i) => ({
      at: new Date(START + i * 1_000),
      userId: idAt(i),
      seconds: i,
      pages: 1,
    })),
  );
  const type = hands.label('KNOWS');
  const user = hands.label('User');
  const byHand = async (): Promise<number> => {
    const ids = users.map(({ id }) => id);
    const session = hands.graph.session();
    const [people, profiles, friends, logins] = await Promise.all([
      hands.sql.query<{ id: string; name: string; email: string }>('select id, name, email from users'),
      hands.mongo
        .db(hands.database)
        .collection('profiles')
        .find({ userId: { $exists: true } })
        .toArray(),
      session.executeRead((tx) =>
        tx.run(`UNWIND $ids AS id MATCH (a:${user} {id: id})-[:${type}]->(b) RETURN id, b.id`, { ids }),
      ),
      hands.influx
        .getQueryApi(hands.org)
        .collectRows<Record<string, unknown>>(
          `from(bucket: "${hands.bucket}") |> range(start: 0) |> filter(fn: (r) => r._measurement == "logins") |> last()`,
        ),
    ]);
    await session.close();
    const named = new Map(people.rows.map((row) => [row.id, row]));
    const profileOf = new Map(profiles.map((row) => [String(row.userId), row]));
    const friendsOf = new Map<string, unknown[]>();
    for (const record of friends.records) {
      const id = String(record.get(0));
      friendsOf.set(id, [...(friendsOf.get(id) ?? []), named.get(String(record.get(1)))]);
    }
    const lastOf = new Map(logins.map((row) => [String(row.user_id ?? row.userId), row]));
    return people.rows
      .map((row) => ({
        ...row,
        profile: profileOf.get(row.id),
        friends: friendsOf.get(row.id),
        last: lastOf.get(row.id),
      }))
      .filter(({ profile, friends: known, last }) => profile !== undefined && known?.length === 3 && last !== undefined)
      .length;
  };
  const ours = async (): Promise<number> => {
    const found = await weave
      .session()
      .repository(User)
      .find({
        populate: ['profile', 'friends', 'logins'],
        related: { logins: { orderBy: { at: 'desc' }, limit: 1 } },
      });
    return found.filter(
      ({ profile, friends, logins }) => profile.isLoaded && friends.get().length === 3 && logins.isLoaded,
    ).length;
  };
  return compare(
    'four stores: users with profile, friends, last login',
    n,
    [
      { name: 'hand-written', run: byHand },
      { name: 'storeweave', run: ours },
    ],
    { rounds, warmUp: 3 },
  );
}

/** New entities in one unit of work, and all of them again. */
function entitiesOf<T extends object>(weave: Storeweave, entity: new () => T): Side<object> {
  return {
    write: (rows) =>
      weave.transaction(async (uow) => {
        for (const row of rows) uow.create(entity, row as never);
        return rows.length;
      }),
    load: async () => (await weave.session().repository(entity).find()).length,
  };
}
