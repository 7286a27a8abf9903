/**
 * A commit over two, three and four engines beside the naive chain by hand, which guarantees nothing: until it is decided,
 * until it is applied, and with sixteen writers at a time; directly, and through proxies that make each trip two
 * milliseconds long. And a commit to one engine, where four are bound, beside one where nothing else is.
 */
import { Storeweave, type UnitOfWork } from '@storeweave/core';
import { startInfluxdb, startMongodb, startNeo4j, startPostgres } from '@storeweave/testing/servers';
import { typeorm } from '@storeweave/typeorm';
import pg from 'pg';
import { v7 } from 'uuid';
import { ByHand } from './commit/by-hand.js';
import { type CommitRow, single, together } from './commit/measure.js';
import { entities, Purchase, Receipt, Sale, SalePoint, type Sold } from './commit/model.js';
import { type Places, storesOf, type Way, wayTo } from './commit/places.js';
import type { BenchOptions } from './rounds.js';

const CALLS = 100;
const WRITERS = 16;

export async function run({ rounds }: BenchOptions): Promise<CommitRow[]> {
  const servers = await Promise.all([startPostgres(), startMongodb(), startNeo4j(), startInfluxdb()]);
  const [postgres, mongo, graph, series] = servers;
  try {
    const { url, username, password } = graph;
    const places: Places = {
      relational: { url: await postgres.database('bench_commit') },
      document: { url: await mongo.database('bench_commit') },
      graph: { url, username, password, labelPrefix: await graph.space('bench_commit') },
      timeseries: {
        url: series.url,
        token: series.token,
        org: series.org,
        bucketPrefix: await series.space('bench_commit'),
      },
    };
    return [
      ...(await overEngines('loopback', places, { places }, rounds)),
      ...(await overEngines('2 ms trips', places, await wayTo(places, 1), rounds)),
      ...(await overOne(places, rounds)),
    ];
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function overEngines(
  what: string,
  directly: Places,
  { places, trips, close }: Partial<Way> & Pick<Way, 'places'>,
  rounds: number,
): Promise<CommitRow[]> {
  const weave = await Storeweave.open({ entities, stores: storesOf(places) });
  const hands = await ByHand.open(places, `${places.timeseries.bucketPrefix}timeseries`);
  const rows: CommitRow[] = [];
  const sql = new pg.Client({ connectionString: directly.relational.url });
  await sql.connect();
  const around = { quiet: () => quiet(sql), trips };
  try {
    for (const engines of [2, 3, 4]) {
      const byHand = { name: 'by hand', commit: () => hands.commit(sold(), engines) };
      const until = (moment: 'decided' | 'applied') => ({
        name: `storeweave, ${moment}`,
        commit: () => weave.transaction({ await: moment, retries: 0 }, (uow) => create(uow, sold(), engines)),
      });
      const bench = `${engines} engines, ${what}`;
      rows.push(
        ...(await single(bench, [byHand, until('decided'), until('applied')], rounds * CALLS, around)),
        ...(await together(
          `${bench}, ${WRITERS} writers`,
          [byHand, until('applied')],
          { writers: WRITERS, n: 10 * WRITERS, turns: rounds },
          around,
        )),
      );
    }
    return rows;
  } finally {
    await Promise.all([hands.close(), weave.close(), sql.end()]);
    await close?.();
  }
}

/** With 50 rounds, 5,000 pairs. */
async function overOne(places: Places, rounds: number): Promise<CommitRow[]> {
  await using one = await Storeweave.open({ entities: [Purchase], stores: { relational: typeorm(places.relational) } });
  await using four = await Storeweave.open({ entities, stores: storesOf(places) });
  const committer = (name: string, weave: Storeweave) => ({
    name,
    commit: () => weave.transaction((uow) => create(uow, sold(), 1)),
  });
  const committers = [committer('nothing else bound', one), committer('four engines bound', four)];
  return await single('1 engine, loopback', committers, rounds * CALLS, { quiet: async () => {} });
}

function sold(): Sold {
  return { id: v7(), at: new Date(), buyer: 'somebody', cents: 1_999 };
}

function create(uow: UnitOfWork, { id, at, buyer, cents }: Sold, engines: number): void {
  uow.create(Purchase, { id, buyer, cents });
  if (engines > 1) uow.create(Receipt, { id, buyer, cents });
  if (engines > 2) uow.create(Sale, { id, buyer, cents });
  if (engines > 3) uow.create(SalePoint, { at, sale: id, cents });
}

/** What is decided is applied and marked before the next one is timed. Asked past the proxies, whose trips are counted. */
async function quiet(sql: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await sql.query<{ open: boolean }>('select exists (select from storeweave_journal) as open');
    if (rows[0]?.open !== true) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
