/** `@storeweave/testing/servers`: real servers for tests, found or started without any set-up. */
export { type CommitFate, CommitProxy } from './servers/commit-proxy.js';
export { type InfluxdbServer, startInfluxdb } from './servers/influxdb.js';
export type { ServerKind } from './servers/kinds.js';
export { type MariadbServer, startMariadb } from './servers/mariadb.js';
export { type MongodbOptions, type MongodbServer, startMongodb } from './servers/mongodb.js';
export { type Neo4jServer, startNeo4j } from './servers/neo4j.js';
export { type PostgresOptions, type PostgresServer, startPostgres } from './servers/postgres.js';
export {
  type PostgresCluster,
  type PostgresClusterOptions,
  startPostgresCluster,
  startPostgresShards,
} from './servers/postgres-cluster.js';
export { type RareServer, whyNot } from './servers/prerequisites.js';
export { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from './servers/redis.js';
export type { ServerOptions, ServerWay, TestServer } from './servers/server.js';
export {
  keepServers,
  type ServerKeeper,
  type ServerReport,
  type Shared,
  sharedPostgres,
  sharedServer,
} from './servers/shared.js';
export { TcpProxy } from './servers/tcp-proxy.js';
