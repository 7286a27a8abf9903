/** `@storeweave/testing/servers`: real servers for tests, found or started without any set-up. */
export { type PostgresOptions, type PostgresServer, type PostgresWay, startPostgres } from './servers/postgres.js';
export {
  keepServers,
  type ServerKeeper,
  type ServerReport,
  type SharedPostgres,
  sharedPostgres,
} from './servers/shared.js';
