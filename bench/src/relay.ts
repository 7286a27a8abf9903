/**
 * A relay's way through a long journal, engine by engine, beside a plain load of as many rows by the engine's driver:
 * `npm run bench -- relay --n 100000`. The rows are decided and not applied anywhere when the clock begins.
 */
import { InfluxDB } from '@influxdata/influxdb-client';
import { Storeweave, type UnitOfWork } from '@storeweave/core';
import { startInfluxdb, startMongodb, startNeo4j, startPostgres } from '@storeweave/testing/servers';
import { MongoClient } from 'mongodb';
import neo4j from 'neo4j-driver';
import { v7 } from 'uuid';
import { entities, Purchase, Receipt, Sale, SalePoint } from './commit/model.js';
import { type Places, storesOf } from './commit/places.js';
import { type BenchOptions, type BenchRow, median } from './rounds.js';

/** Rows of a request, and requests at the same time: what the relay does, too. */
const BATCH = 500;
const AT_ONCE = 4;
const WRITERS = 32;
const MOST_ROUNDS = 3;

interface RelayRow extends BenchRow {
  readonly rowsPerSecond: number;
  /** More than before it began, in megabytes. */
  readonly peakHeapMb: number;
}

interface Engine {
  readonly name: string;
  create(uow: UnitOfWork, id: string, n: number): void;
  /** By the driver, a batch of rows. */
  load(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export async function run({ rounds, n = 2_000 }: BenchOptions): Promise<RelayRow[]> {
  const servers = await Promise.all([startPostgres(), startMongodb(), startNeo4j(), startInfluxdb()]);
  const [postgres, mongo, graph, series] = servers;
  try {
    const { url, username, password } = graph;
    const places: Places = {
      relational: { url: await postgres.database('bench_relay') },
      document: { url: await mongo.database('bench_relay') },
      graph: { url, username, password, labelPrefix: await graph.space('bench_relay') },
      timeseries: {
        url: series.url,
        token: series.token,
        org: series.org,
        bucketPrefix: await series.space('bench_relay'),
      },
    };
    // Makes what is written to.
    await (await Storeweave.open({ entities, stores: storesOf(places) })).close();
    const rows: RelayRow[] = [];
    for (const engine of [await byMongodb(places), await byNeo4j(places), byInfluxdb(places)]) {
      rows.push(...(await measure(engine, places, n, Math.min(rounds, MOST_ROUNDS))));
      await engine.close();
    }
    return rows;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function measure(engine: Engine, places: Places, n: number, rounds: number): Promise<RelayRow[]> {
  const contenders = {
    'by the driver': async () => {
      const ids = Array.from({ length: n }, () => v7());
      return timed(() => sideBySide(AT_ONCE, batches(ids), (batch) => engine.load(batch)));
    },
    'storeweave, a relay': async () => {
      await leaveOpen(engine, places, n);
      await using weave = await Storeweave.open({ entities, stores: storesOf(places), commit: { relay: false } });
      return await timed(async () => {
        const { finished, failed, error } = await weave.journal.drain();
        if (finished !== n) throw new Error(`finished ${finished} of ${n}, failed ${failed}`, { cause: error });
      });
    },
  };
  const results = new Map<string, { ms: number; heapMb: number }[]>();
  for (let round = 0; round < rounds; round++) {
    const order = Object.entries(contenders);
    for (const [name, contend] of round % 2 === 0 ? order : order.toReversed()) {
      results.set(name, [...(results.get(name) ?? []), await contend()]);
    }
  }
  const middle = (name: string) => median((results.get(name) ?? []).map(({ ms }) => ms));
  return Object.keys(contenders).map((contender) => ({
    bench: `relay, ${engine.name}`,
    n,
    contender,
    medianMs: Number(middle(contender).toFixed(1)),
    ratio: Number((middle(contender) / middle('by the driver')).toFixed(3)),
    rowsPerSecond: Math.round((n / middle(contender)) * 1_000),
    peakHeapMb: Math.round(Math.max(...(results.get(contender) ?? []).map(({ heapMb }) => heapMb))),
  }));
}

/** Decides units of work of one row each, and has every one of them die before it applies. */
async function leaveOpen(engine: Engine, places: Places, n: number): Promise<void> {
  await using weave = await Storeweave.open({
    entities,
    stores: storesOf(places),
    commit: {
      relay: false,
      onStep: ({ step, moment }) => {
        if (step === 'apply' && moment === 'before') throw new Error('It is left to the relay.');
      },
    },
  });
  await sideBySide(WRITERS, Array.from({ length: n }).keys(), (at) =>
    weave.transaction(async (uow) => {
      const id = v7();
      uow.create(Purchase, { id, buyer: 'somebody', cents: at });
      engine.create(uow, id, at);
    }),
  );
}

async function timed(work: () => Promise<unknown>): Promise<{ ms: number; heapMb: number }> {
  (globalThis as { gc?: () => void }).gc?.();
  const before = process.memoryUsage().heapUsed;
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().heapUsed);
  }, 20);
  try {
    const began = performance.now();
    await work();
    return { ms: performance.now() - began, heapMb: (peak - before) / 2 ** 20 };
  } finally {
    clearInterval(watch);
  }
}

async function sideBySide<T>(most: number, items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: most }, worker));
}

function* batches(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += BATCH) yield ids.slice(at, at + BATCH);
}

async function byMongodb({ document }: Places): Promise<Engine> {
  const client = await MongoClient.connect(document.url);
  const rows = client.db().collection<{ _id: string; buyer: string; cents: number }>('by_hand');
  return {
    name: 'MongoDB',
    create: (uow, id, cents) => void uow.create(Receipt, { id, buyer: 'somebody', cents }),
    load: async (ids) => {
      const options = { ordered: false, writeConcern: { w: 'majority', j: true } } as const;
      await rows.insertMany(
        ids.map((_id, cents) => ({ _id, buyer: 'somebody', cents })),
        options,
      );
    },
    close: () => client.close(),
  };
}

async function byNeo4j({ graph }: Places): Promise<Engine> {
  const driver = neo4j.driver(graph.url, neo4j.auth.basic(graph.username, graph.password));
  const label = `\`${graph.labelPrefix}ByHand\``;
  await driver.executeQuery(`CREATE CONSTRAINT IF NOT EXISTS FOR (s:${label}) REQUIRE s.id IS UNIQUE`);
  return {
    name: 'Neo4j',
    create: (uow, id, cents) => void uow.create(Sale, { id, buyer: 'somebody', cents }),
    load: async (ids) => {
      const rows = ids.map((id, cents) => ({ id, buyer: 'somebody', cents: neo4j.int(cents) }));
      await driver.executeQuery(`UNWIND $rows AS row CREATE (s:${label}) SET s = row`, { rows });
    },
    close: () => driver.close(),
  };
}

function byInfluxdb({ timeseries }: Places): Engine {
  const api = new InfluxDB({ url: timeseries.url, token: timeseries.token });
  const base = Date.now();
  return {
    name: 'InfluxDB',
    create: (uow, id, n) => void uow.create(SalePoint, { at: new Date(base + n), sale: id, cents: n }),
    load: async (ids) => {
      const points = api.getWriteApi(timeseries.org, `${timeseries.bucketPrefix}timeseries`, 'ms', { maxRetries: 0 });
      points.writeRecords(ids.map((id, n) => `by_hand,sale=${id} cents=${n}i ${base + n}`));
      await points.close();
    },
    close: async () => {},
  };
}
