/** The naive chain: one engine after the other, each commit awaited, and nothing said of what happens in between. */
import { InfluxDB, Point, type WriteApi } from '@influxdata/influxdb-client';
import { type Collection, MongoClient } from 'mongodb';
import neo4j, { type Driver } from 'neo4j-driver';
import pg from 'pg';
import type { Sold } from './model.js';
import type { Places } from './places.js';

export class ByHand {
  private constructor(
    private readonly sql: pg.Pool,
    private readonly mongo: MongoClient,
    private readonly receipts: Collection<{ _id: string; buyer: string; cents: number }>,
    private readonly graph: Driver,
    private readonly label: string,
    private readonly points: WriteApi,
  ) {}

  static async open({ relational, document, graph, timeseries }: Places, bucket: string): Promise<ByHand> {
    const sql = new pg.Pool({ connectionString: relational.url, max: 20 });
    await sql.query(
      'create table if not exists by_hand (id uuid primary key, buyer text not null, cents int not null)',
    );
    const mongo = await MongoClient.connect(document.url);
    const driver = neo4j.driver(graph.url, neo4j.auth.basic(graph.username, graph.password));
    const label = `\`${graph.labelPrefix}ByHand\``;
    await driver.executeQuery(`CREATE CONSTRAINT IF NOT EXISTS FOR (s:${label}) REQUIRE s.id IS UNIQUE`);
    const api = new InfluxDB({ url: timeseries.url, token: timeseries.token });
    const points = api.getWriteApi(timeseries.org, bucket, 'ms', { maxRetries: 0 });
    return new ByHand(sql, mongo, mongo.db().collection('by_hand'), driver, label, points);
  }

  async commit({ id, at, buyer, cents }: Sold, engines: number): Promise<void> {
    const client = await this.sql.connect();
    try {
      await client.query('begin');
      await client.query('insert into by_hand values ($1, $2, $3)', [id, buyer, cents]);
      await client.query('commit');
    } finally {
      client.release();
    }
    await this.receipts.insertOne({ _id: id, buyer, cents }, { writeConcern: { w: 'majority' } });
    if (engines > 2) {
      const session = this.graph.session();
      try {
        await session.executeWrite((work) => work.run(`CREATE (:${this.label} $all)`, { all: { id, buyer, cents } }));
      } finally {
        await session.close();
      }
    }
    if (engines > 3) {
      this.points.writePoint(new Point('by_hand').tag('sale', id).intField('cents', cents).timestamp(at));
      await this.points.flush();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.sql.end(), this.mongo.close(), this.graph.close(), this.points.close()]);
  }
}
