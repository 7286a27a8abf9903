/**
 * Looks into the databases as somebody would who has never heard of Storeweave: by their own clients, with nothing of
 * ours in between. The only place where names of tables, collections and system fields are written by hand.
 */
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { InfluxDB } from '@influxdata/influxdb-client';
import { MongoClient, UUID } from 'mongodb';
import neo4j, { isInt } from 'neo4j-driver';
import type { Balance } from './model.js';
import type { Places } from './places.js';
import type { Parties } from './transfer.js';

/** A fence, as it stands on a record. */
export interface Fence {
  readonly unitOfWork: string;
  /** `insert`: a placeholder that no typed read shows. `update`: the record is as it was, until its unit is decided. */
  readonly op: string;
}

export interface Seen {
  /** Rows of PostgreSQL. */
  readonly accounts: readonly Balance[];
  /** Units of work that were decided and are not known to be applied everywhere. */
  readonly journal: readonly string[];
  /** Documents of MongoDB; there is one. */
  readonly ledgers: readonly { readonly balances: readonly Balance[]; readonly fence?: Fence }[];
  /** Relationships of Neo4j. */
  readonly payments: readonly { readonly cents: number; readonly fence?: Fence }[];
  /** Points of InfluxDB. */
  readonly points: readonly number[];
}

/** No process may have the embedded database open. */
export async function lookFromOutside(places: Places, parties: Parties): Promise<Seen> {
  const [rows, ledgers, payments, points] = await Promise.all([
    askPostgres(places),
    askMongodb(places, parties),
    askNeo4j(places, parties),
    askInfluxdb(places),
  ]);
  return { ...rows, ledgers, payments, points };
}

async function askPostgres({ folder }: Places): Promise<Pick<Seen, 'accounts' | 'journal'>> {
  const client = await PGlite.create(join(folder, 'postgres'));
  try {
    const accounts = await client.query<Balance>('select owner, cents from accounts order by owner');
    const journal = await client.query<{ uow: string }>('select uow from storeweave_journal where not done');
    return { accounts: accounts.rows, journal: journal.rows.map(({ uow }) => uow) };
  } finally {
    await client.close();
  }
}

interface LedgerDocument {
  readonly balances: readonly Balance[];
  readonly _f?: { readonly uow: string; readonly op: string };
}

async function askMongodb({ mongodb }: Places, { ledger }: Parties): Promise<Seen['ledgers']> {
  const client = await MongoClient.connect(mongodb.url);
  try {
    const found = await client
      .db()
      .collection('ledgers')
      .find<LedgerDocument>({ _id: new UUID(ledger) as never })
      .toArray();
    return found.map(({ balances, _f }) => ({ balances, ...(_f && { fence: { unitOfWork: _f.uow, op: _f.op } }) }));
  } finally {
    await client.close();
  }
}

async function askNeo4j({ neo4j: access }: Places, { payer }: Parties): Promise<Seen['payments']> {
  const driver = neo4j.driver(access.url, neo4j.auth.basic(access.username, access.password));
  try {
    const { records } = await driver.executeQuery(
      `MATCH ({id: $payer})-[paid:${access.labelPrefix}PAID]->()
       RETURN paid.cents AS cents, paid._f AS uow, paid._fo AS op ORDER BY paid.id`,
      { payer },
    );
    return records.map((record) => {
      const { cents, uow, op } = record.toObject() as Record<string, unknown>;
      const fence = typeof uow === 'string' ? { fence: { unitOfWork: uow, op: String(op) } } : {};
      return { cents: isInt(cents) ? cents.toNumber() : Number(cents), ...fence };
    });
  } finally {
    await driver.close();
  }
}

async function askInfluxdb({ influxdb: { url, token, org, bucketPrefix } }: Places): Promise<Seen['points']> {
  const query = `from(bucket: "${bucketPrefix}timeseries") |> range(start: 0)
    |> filter(fn: (r) => r._measurement == "payments" and r._field == "cents") |> group() |> sort(columns: ["_time"])`;
  const rows = await new InfluxDB({ url, token }).getQueryApi(org).collectRows<{ _value: number }>(query);
  return rows.map((row) => row._value);
}
