/** The kinds of servers that tests can ask for; a new kind is a row here and a file beside this one. */
import { type InfluxdbServer, startInfluxdb } from './influxdb.js';
import { type MariadbServer, startMariadb } from './mariadb.js';
import { type MongodbServer, startMongodb } from './mongodb.js';
import { type Neo4jServer, startNeo4j } from './neo4j.js';
import { type PostgresServer, startPostgres } from './postgres.js';
import { type RedisServer, startRedis } from './redis.js';
import type { TestServer } from './server.js';

/** What `sharedServer` and the keeper give for each kind. */
export interface Kinds {
  readonly influxdb: InfluxdbServer;
  readonly mariadb: MariadbServer;
  readonly mongodb: MongodbServer;
  readonly neo4j: Neo4jServer;
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
}

export type ServerKind = keyof Kinds;

interface Kind<S extends TestServer> {
  /** For reports. */
  readonly title: string;
  start(): Promise<S>;
  /** The server's method that gives a test an empty room of its own, by a name and as a string. */
  readonly room: string & keyof S;
}

export const kinds: { readonly [K in ServerKind]: Kind<Kinds[K]> } = {
  influxdb: { title: 'InfluxDB', start: startInfluxdb, room: 'space' },
  mariadb: { title: 'MariaDB', start: startMariadb, room: 'database' },
  mongodb: { title: 'MongoDB', start: startMongodb, room: 'database' },
  neo4j: { title: 'Neo4j', start: startNeo4j, room: 'space' },
  postgres: { title: 'PostgreSQL', start: startPostgres, room: 'database' },
  redis: { title: 'Redis', start: startRedis, room: 'space' },
};
