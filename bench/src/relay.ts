/**
 * A relay's way through a long journal, engine by engine, beside what the engine's driver does: a plain load of as many rows,
 * and where decided rows are fenced, taking those fences off: `npm run bench -- relay --n 100000`. When the clock begins, the
 * rows are decided and not applied anywhere.
 */
import { InfluxDB } from '@influxdata/influxdb-client';
import { Storeweave, type UnitOfWork } from '@storeweave/core';
import { startInfluxdb, startMongodb, startNeo4j, startPostgres } from '@storeweave/testing/servers';
import { MongoClient, UUID } from 'mongodb';
import neo4j from 'neo4j-driver';
import pg from 'pg';
import { v7 } from 'uuid';
import { entities, Purchase, Receipt, Sale, SalePoint, type Sold } from './commit/model.js';
import { type Places, storesOf } from './commit/places.js';
import { type BenchOptions, type BenchRow, median } from './rounds.js';

/** Rows of a request, and requests at the same time: what the relay does, too. */
const BATCH = 500;
const AT_ONCE = 4;
const MOST_ROUNDS = 3;
/** Between two looks at the memory in use, each of which stops the process for a moment. */
const LOOK_MS = 500;

interface RelayRow extends BenchRow {
  readonly rowsPerSecond: number;
  /** In use, beyond what was before it began, in megabytes. */
  readonly peakHeapMb: number;
}

/** A decided unit of work of one row. */
interface Open {
  readonly unitOfWork: string;
  readonly id: string;
  /** Its number. */
  readonly at: number;
}

interface Engine {
  readonly name: string;
  create(uow: UnitOfWork, sold: Sold): void;
  /** By the driver, a batch of rows. */
  load(rows: readonly Open[]): Promise<void>;
  /** By the driver, what stands there of decided units of work, in the form that `docs/guarantees.md` describes. */
  fence?(rows: readonly Open[]): Promise<void>;
  /** By the driver, what remains to be done about it. Gives the number of rows. */
  unfence?(rows: readonly Open[]): Promise<number>;
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
  const fresh = () => Array.from({ length: n }, (_, at): Open => ({ unitOfWork: v7(), id: v7(), at }));
  const contenders: Record<string, () => Promise<{ ms: number; heapMb: number }>> = {
    'driver, loading': async () => {
      const rows = fresh();
      return timed(() => sideBySide(AT_ONCE, batches(rows), (batch) => engine.load(batch)));
    },
    ...(engine.unfence !== undefined && {
      'driver, taking fences off': async () => {
        const rows = fresh();
        await sideBySide(AT_ONCE, batches(rows), async (batch) => engine.fence?.(batch));
        return timed(() => unfenceAll(engine, rows));
      },
    }),
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
    ratio: Number((middle(contender) / middle('driver, loading')).toFixed(3)),
    rowsPerSecond: Math.round((n / middle(contender)) * 1_000),
    peakHeapMb: Math.round(Math.max(...(results.get(contender) ?? []).map(({ heapMb }) => heapMb))),
  }));
}

/**
 * Decides units of work of one row each, and has every one of them die before it applies: the first by a commit, and the
 * others as copies of what that leaves behind.
 */
async function leaveOpen(engine: Engine, places: Places, n: number): Promise<void> {
  const model: Sold = { id: v7(), at: new Date(), buyer: 'somebody', cents: 987_654 };
  const weave = await Storeweave.open({
    entities,
    stores: storesOf(places),
    commit: {
      relay: false,
      onStep: ({ step, moment }) => {
        if (step === 'apply' && moment === 'before') throw new Error('It is left to the relay.');
      },
    },
  });
  await weave.transaction(async (uow) => {
    uow.create(Purchase, { id: model.id, buyer: model.buyer, cents: model.cents });
    engine.create(uow, model);
  });
  await weave.close();
  const journal = new pg.Client({ connectionString: places.relational.url });
  await journal.connect();
  try {
    const { rows } = await journal.query('select redo from storeweave_journal where redo like $1', [`%${model.id}%`]);
    const { redo } = rows[0] as { redo: string };
    const open = Array.from({ length: n - 1 }, (_, at): Open => ({ unitOfWork: v7(), id: v7(), at }));
    await sideBySide(1, batches(open), async (batch) => {
      await engine.fence?.(batch);
      const copies = batch.map(({ id, at }) =>
        redo
          .replaceAll(model.id, id)
          .replaceAll(String(model.cents), String(at))
          .replaceAll(String(Number(model.at)), String(Number(model.at) + at)),
      );
      const text = 'insert into storeweave_journal (uow, redo) select * from unnest($1::uuid[], $2::text[])';
      await journal.query(text, [batch.map(({ unitOfWork }) => unitOfWork), copies]);
    });
  } finally {
    await journal.end();
  }
}

async function timed(work: () => Promise<unknown>): Promise<{ ms: number; heapMb: number }> {
  const before = heldBytes();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, heldBytes());
  }, LOOK_MS);
  try {
    const began = performance.now();
    await work();
    return { ms: performance.now() - began, heapMb: (peak - before) / 2 ** 20 };
  } finally {
    clearInterval(watch);
  }
}

/** What is in use: garbage says more of what was there before than of what is done now. */
function heldBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}

async function sideBySide<T>(most: number, items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: most }, worker));
}

async function unfenceAll(engine: Engine, rows: readonly Open[]): Promise<void> {
  let count = 0;
  await sideBySide(AT_ONCE, batches(rows), async (batch) => {
    const done = await engine.unfence?.(batch);
    count += done ?? 0;
  });
  if (count !== rows.length) throw new Error(`took the fences off ${count} of ${rows.length} rows`);
}

function* batches(rows: readonly Open[]): Generator<readonly Open[]> {
  for (let at = 0; at < rows.length; at += BATCH) yield rows.slice(at, at + BATCH);
}

async function byMongodb({ document }: Places): Promise<Engine> {
  const client = await MongoClient.connect(document.url);
  const byHand = client.db().collection<Receipted>('by_hand');
  const receipts = client.db().collection<Receipted>('receipts');
  const options = { ordered: false, writeConcern: { w: 'majority', j: true } } as const;
  const row = ({ id, at: cents }: Open) => ({ _id: new UUID(id), buyer: 'somebody', cents });
  return {
    name: 'MongoDB',
    create: (uow, { id, buyer, cents }) => void uow.create(Receipt, { id, buyer, cents }),
    load: async (rows) => {
      await byHand.insertMany(rows.map(row), options);
    },
    fence: async (rows) => {
      const fence = ({ unitOfWork: uow }: Open) => ({ _f: { uow, coordinator: 'relational', op: 'insert' } });
      await receipts.insertMany(
        rows.map((each) => ({ ...row(each), ...fence(each) })),
        options,
      );
    },
    unfence: async (rows) => {
      const units = rows.map(({ unitOfWork }) => unitOfWork);
      const filter = { '_f.uow': { $in: units }, '_f.op': 'insert' };
      return (await receipts.updateMany(filter, { $unset: { _f: '' } }, options)).modifiedCount;
    },
    close: () => client.close(),
  };
}

interface Receipted {
  readonly _id: UUID;
  readonly buyer: string;
  readonly cents: number;
  readonly _f?: { readonly uow: string; readonly coordinator: string; readonly op: string };
}

async function byNeo4j({ graph }: Places): Promise<Engine> {
  const driver = neo4j.driver(graph.url, neo4j.auth.basic(graph.username, graph.password));
  const [byHand, sale] = [`\`${graph.labelPrefix}ByHand\``, `\`${graph.labelPrefix}Sale\``];
  await driver.executeQuery(`CREATE CONSTRAINT IF NOT EXISTS FOR (s:${byHand}) REQUIRE s.id IS UNIQUE`);
  const row = ({ id, at }: Open) => ({ id, buyer: 'somebody', cents: neo4j.int(at) });
  const create = async (label: string, rows: readonly object[]) => {
    await driver.executeQuery(`UNWIND $rows AS row CREATE (s:${label}) SET s = row`, { rows });
  };
  return {
    name: 'Neo4j',
    create: (uow, { id, buyer, cents }) => void uow.create(Sale, { id, buyer, cents }),
    load: (rows) => create(byHand, rows.map(row)),
    fence: (rows) =>
      create(
        sale,
        rows.map((each) => ({ ...row(each), _f: each.unitOfWork, _fc: 'relational', _fo: 'insert' })),
      ),
    unfence: async (rows) => {
      const units = rows.map(({ unitOfWork }) => unitOfWork);
      const { records } = await driver.executeQuery(
        `MATCH (s:${sale}) WHERE s._f IN $units AND s._fo = 'insert' REMOVE s._f, s._fc, s._fo RETURN count(*) AS done`,
        { units },
      );
      return Number(records[0]?.get('done'));
    },
    close: () => driver.close(),
  };
}

function byInfluxdb({ timeseries }: Places): Engine {
  const api = new InfluxDB({ url: timeseries.url, token: timeseries.token });
  const base = Date.now();
  return {
    name: 'InfluxDB',
    create: (uow, { id, at, cents }) => void uow.create(SalePoint, { at, sale: id, cents }),
    load: async (rows) => {
      const points = api.getWriteApi(timeseries.org, `${timeseries.bucketPrefix}timeseries`, 'ms', { maxRetries: 0 });
      points.writeRecords(rows.map(({ id, at }) => `by_hand,sale=${id} cents=${at}i ${base + at}`));
      await points.close();
    },
    close: async () => {},
  };
}
