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
import { type BenchOptions, type BenchRow, compare } from './rounds.js';
import { entities, Login, Place, Profile, User } from './stores-model.js';

const START = Date.UTC(2026, 0, 1);
const SIZES = [1_000, 10_000];

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
  const byHand = (rows: ReturnType<typeof data>) =>
    hands.mongo.withSession(async (session) => {
      const concern = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority' } } as const;
      const documents = rows.map(({ id, ...rest }) => ({ _id: id, ...rest, version: 1 }));
      await session.withTransaction(async () => void (await collection.insertMany(documents, { session })), concern);
      return rows.length;
    });
  const clear = async () => {
    await collection.deleteMany({});
    await weave.repository(Profile).delete({});
  };
  const rows: BenchRow[] = [];
  let current: ReturnType<typeof data> = [];
  for (const n of SIZES) {
    const prepare = async () => {
      current = data(n);
    };
    rows.push(
      ...(await compare(
        'mongodb: commit of new',
        n,
        [
          { name: 'hand-written', prepare, run: () => byHand(current), clean: clear },
          { name: 'storeweave', prepare, run: () => commit(weave, Profile, current), clean: clear },
        ],
        { rounds, warmUp: 3 },
      )),
    );
  }
  await byHand(current);
  await weave.repository(Profile).insert(current);
  rows.push(
    ...(await compare(
      'mongodb: load',
      current.length,
      [
        {
          name: 'hand-written',
          run: async () => {
            const found = await collection.find({}).toArray();
            return found.map(({ _id, ...rest }) => ({ id: _id, ...rest })).length;
          },
        },
        { name: 'storeweave', run: async () => (await weave.session().repository(Profile).find()).length },
      ],
      { rounds, warmUp: 3 },
    )),
  );
  await clear();
  return rows;
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
  const byHand = (rows: ReturnType<typeof data>) =>
    within(async (session) => {
      const parameters = {
        rows: rows.map((row) => ({
          ...row,
          rank: neo4jDriver.int(row.rank),
          since: neo4jDriver.types.DateTime.fromStandardDate(row.since),
          version: neo4jDriver.int(1),
        })),
      };
      await session.executeWrite((tx) => tx.run(`UNWIND $rows AS row CREATE (n:${label}) SET n = row`, parameters));
      return rows.length;
    });
  const clear = async () => {
    await within((session) => session.run(`MATCH (n:${label}) DELETE n`));
    await weave.repository(Place).delete({});
  };
  const rows: BenchRow[] = [];
  let current: ReturnType<typeof data> = [];
  for (const n of SIZES) {
    const prepare = async () => {
      current = data(n);
    };
    rows.push(
      ...(await compare(
        'neo4j: commit of new',
        n,
        [
          { name: 'hand-written', prepare, run: () => byHand(current), clean: clear },
          { name: 'storeweave', prepare, run: () => commit(weave, Place, current), clean: clear },
        ],
        { rounds, warmUp: 3 },
      )),
    );
  }
  await byHand(current);
  await weave.repository(Place).insert(current);
  const fields = ['id', 'name', 'rank', 'score', 'open', 'since', 'version'];
  const load = `MATCH (n:${label}) RETURN ${fields.map((field) => `n.${field} AS ${field}`).join(', ')}`;
  rows.push(
    ...(await compare(
      'neo4j: load',
      current.length,
      [
        {
          name: 'hand-written',
          run: () =>
            within(async (session) => {
              const { records } = await session.executeRead((tx) => tx.run(load));
              return records.map((record) => {
                const row = record.toObject();
                return { ...row, since: (row.since as { toStandardDate(): Date }).toStandardDate() };
              }).length;
            }),
        },
        { name: 'storeweave', run: async () => (await weave.session().repository(Place).find()).length },
      ],
      { rounds, warmUp: 3 },
    )),
  );
  await clear();
  return rows;
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
  const byHand = async (rows: ReturnType<typeof data>) => {
    const api = influx.getWriteApi(org, bucket, 'ms', { batchSize: rows.length + 1, flushInterval: 0, maxRetries: 0 });
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
  };
  const rows: BenchRow[] = [];
  let current: ReturnType<typeof data> = [];
  for (const n of SIZES) {
    const prepare = async () => {
      current = data(n);
    };
    rows.push(
      ...(await compare(
        'influxdb: write',
        n,
        [
          { name: 'hand-written', prepare, run: () => byHand(current) },
          {
            name: 'storeweave',
            prepare,
            run: async () => {
              await weave.series(Login).insert(current);
              return current.length;
            },
          },
        ],
        { rounds, warmUp: 3 },
      )),
    );
  }
  const end = new Date(START + current.length * 1_000).toISOString();
  const flux = `from(bucket: "${bucket}") |> range(start: ${new Date(START).toISOString()}, stop: ${end})
    |> filter(fn: (r) => r._measurement == "by_hand")
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`;
  rows.push(
    ...(await compare(
      'influxdb: load',
      current.length,
      [
        {
          name: 'hand-written',
          run: async () => {
            const found = await influx.getQueryApi(org).collectRows<Record<string, unknown>>(flux);
            return found.map((row) => ({ ...row, at: new Date(String(row._time)) })).length;
          },
        },
        {
          name: 'storeweave',
          run: async () =>
            (
              await weave.series(Login).range({ from: new Date(START), to: new Date(Date.parse(end)) })
            ).length,
        },
      ],
      { rounds, warmUp: 3 },
    )),
  );
  return rows;
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

function commit<T extends object>(weave: Storeweave, entity: new () => T, rows: readonly object[]): Promise<number> {
  return weave.transaction(async (uow) => {
    for (const row of rows) uow.create(entity, row as never);
    return rows.length;
  });
}
