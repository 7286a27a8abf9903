/**
 * Looks into the servers by their own clients, never through Storeweave, so that a mistake in its reading cannot hide one
 * in its writing. Nothing is filtered here: a placeholder that Storeweave would pass over is seen.
 */
import { InfluxDB } from '@influxdata/influxdb-client';
import { type Document, MongoClient } from 'mongodb';
import neo4j, { type Driver } from 'neo4j-driver';
import pg from 'pg';
import type { RowStore } from '../model.js';
import type { Rooms } from '../rooms.js';
import { unwritable, withoutProbes } from './held.js';
import type { CounterRow, Observation, RowsSeen, SlotRow } from './observation.js';

export class Looker {
  readonly #mongo: MongoClient;
  readonly #neo4j: Driver | undefined;

  constructor(private readonly rooms: Rooms) {
    this.#mongo = new MongoClient(rooms.document || 'mongodb://127.0.0.1:1/none', { serverSelectionTimeoutMS: 10_000 });
    const { url, username, password } = rooms.graph;
    if (url !== '')
      this.#neo4j = neo4j.driver(url, neo4j.auth.basic(username, password), { disableLosslessIntegers: true });
  }

  /** Slots, leftovers, and what units of this round and later ones have left. */
  async look(since: number): Promise<Observation> {
    const { stores } = this.rooms;
    const looks: Record<RowStore, () => Promise<RowsSeen>> = {
      relational: () => this.#postgres(this.rooms.relational, 'account', since),
      archive: () => this.#postgres(this.rooms.archive, 'ledger', since),
      document: () => this.#documents(since),
      graph: () => this.#nodes(since),
    };
    const rows = stores.filter((store) => store !== 'timeseries');
    const [seen, links, points, records] = await Promise.all([
      Promise.all(rows.map((store) => looks[store]())),
      stores.includes('graph') ? this.#links(since) : [],
      stores.includes('timeseries') ? this.#points(since) : new Map<string, number>(),
      this.#records(since),
    ]);
    return { rows: new Map(rows.map((store, at) => [store, seen[at] as RowsSeen])), links, points, records };
  }

  /** Documents and collections that their server lets nobody write. */
  async held(patienceMs: number): Promise<string[]> {
    return this.rooms.document === '' ? [] : unwritable(this.#mongo, patienceMs);
  }

  async freed(): Promise<void> {
    if (this.rooms.document !== '') await withoutProbes(this.#mongo);
  }

  async close(): Promise<void> {
    await Promise.all([this.#mongo.close(), this.#neo4j?.close()]);
  }

  async #postgres(connectionString: string, name: string, since: number): Promise<RowsSeen> {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
    client.on('error', () => {});
    await client.connect();
    try {
      const rows = await client.query<SlotRow>(`select id, units, name, version from ${name}s`);
      const counters = await client.query<CounterRow>(`select id, shelf, total, last, version from ${name}_counters`);
      const found = await client.query<{ id: string }>(`select id from ${name}_marks where round >= $1`, [since]);
      const prepared = await client.query<{ gid: string }>(
        'select gid from pg_prepared_xacts where database = current_database()',
      );
      const leftovers = prepared.rows.map(({ gid }) => `prepared transaction ${gid}`);
      const journal = await client.query<{ there: boolean }>(
        `select to_regclass('storeweave_journal') is not null as there`,
      );
      if (journal.rows[0]?.there === true) {
        const open = await client.query<{ uow: string; dead: boolean; error: string | null }>(
          'select uow, dead, error from storeweave_journal where not done',
        );
        for (const { uow, dead, error } of open.rows) {
          leftovers.push(`${dead ? 'dead' : 'open'} journal row ${uow} (${error ?? 'no error'})`);
        }
      }
      return { slots: rows.rows, counters: counters.rows, marks: found.rows.map(({ id }) => id), leftovers };
    } finally {
      await client.end();
    }
  }

  async #records(since: number): Promise<Map<string, string[]>> {
    const client = new pg.Client({ connectionString: this.rooms.relational, connectionTimeoutMillis: 10_000 });
    client.on('error', () => {});
    await client.connect();
    try {
      const { rows } = await client.query<{ actor: string; record: string }>(
        `select actor, concat_ws(' ', entity, key, operation, coalesce(after->>'units', before->>'units')) as record
         from audit_logs where reason::int >= $1`,
        [since],
      );
      const records = new Map<string, string[]>();
      for (const { actor, record } of rows) records.set(actor, [...(records.get(actor) ?? []), record]);
      return records;
    } finally {
      await client.end();
    }
  }

  async #documents(since: number): Promise<RowsSeen> {
    const db = this.#mongo.db();
    const all = await db.collection('profiles').find().toArray();
    const marks = await db
      .collection('profile_marks')
      .find({ $or: [{ round: { $gte: since } }, { _f: { $exists: true } }] })
      .toArray();
    const counters = await db.collection('profile_counters').find().toArray();
    const leftovers = [...all, ...marks, ...counters]
      .filter((each) => '_f' in each)
      .map((each) => `fence ${JSON.stringify(each)}`);
    return {
      slots: all.filter(({ _f }) => _f?.op !== 'insert' && _f?.op !== 'reserve').map(slotOf),
      counters: counters.map(counterOf),
      marks: marks.filter(({ _f }) => _f === undefined).map(({ _id }) => String(_id)),
      leftovers,
    };
  }

  async #nodes(since: number): Promise<RowsSeen> {
    const { labelPrefix } = this.rooms.graph;
    const [slots, counters, marks, fenced, held] = await Promise.all([
      this.#cypher(`MATCH (n:\`${labelPrefix}Person\`) WHERE n._f IS NULL OR NOT n._fo IN ['insert', 'reserve']
        RETURN n.id AS id, n.units AS units, n.name AS name, n.version AS version`),
      this.#cypher(`MATCH (n:\`${labelPrefix}PersonCounter\`)
        RETURN n.id AS id, n.shelf AS shelf, n.total AS total, n.last AS last, n.version AS version`),
      this.#cypher(
        `MATCH (n:\`${labelPrefix}PersonMark\`) WHERE n._f IS NULL AND n.round >= $since RETURN n.id AS id`,
        { since },
      ),
      this.#cypher(
        'MATCH (n) WHERE n._f IS NOT NULL AND any(l IN labels(n) WHERE l STARTS WITH $labelPrefix) RETURN n',
        {
          labelPrefix,
        },
      ),
      this.#cypher('MATCH ()-[n]->() WHERE n._f IS NOT NULL AND type(n) STARTS WITH $labelPrefix RETURN n', {
        labelPrefix,
      }),
    ]);
    return {
      slots: slots as unknown as SlotRow[],
      counters: counters as unknown as CounterRow[],
      marks: marks.map(({ id }) => String(id)),
      leftovers: [...fenced, ...held].map(
        ({ n }) => `fence ${JSON.stringify((n as { properties: unknown }).properties)}`,
      ),
    };
  }

  async #links(since: number): Promise<string[]> {
    const { labelPrefix } = this.rooms.graph;
    const text = `MATCH ()-[r:\`${labelPrefix}LINK\`]->() WHERE r._f IS NULL AND r.round >= $since RETURN r.id AS id`;
    return (await this.#cypher(text, { since })).map(({ id }) => String(id));
  }

  async #cypher(text: string, parameters: Record<string, unknown> = {}): Promise<Record<string, unknown>[]> {
    if (this.#neo4j === undefined) return [];
    const { records } = await this.#neo4j.executeQuery(text, parameters);
    return records.map((record) => record.toObject());
  }

  async #points(since: number): Promise<Map<string, number>> {
    const { url, token, org, bucketPrefix } = this.rooms.timeseries;
    const query = new InfluxDB({ url, token }).getQueryApi(org);
    const flux = `from(bucket: "${bucketPrefix}timeseries") |> range(start: 0)
      |> filter(fn: (r) => r._measurement == "visits" and r._field == "round" and r._value >= ${since})
      |> group(columns: ["unit"]) |> count()`;
    const rows = await query.collectRows<{ unit: string; _value: number }>(flux);
    return new Map(rows.map(({ unit, _value }) => [unit, _value]));
  }
}

function counterOf({ _id, shelf, total, last, version }: Document): CounterRow {
  return {
    id: Number(_id),
    shelf: Number(shelf),
    total: Number(total),
    last: last === null || last === undefined ? null : String(last),
    version: Number(version),
  };
}

function slotOf({ _id, units, name, version }: Document): SlotRow {
  return { id: Number(_id), units: String(units), name: String(name), version: Number(version) };
}
