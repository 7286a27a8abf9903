export { PostgresDocumentStore } from './documents/document-store.js';
export { PostgresGraphStore } from './graph/graph-store.js';
export type { PostgresStoreOptions } from './model-store.js';
export {
  type PostgresOptions,
  type PostgresStores,
  postgres,
  postgresDocuments,
  postgresGraph,
  postgresSeries,
} from './postgres.js';
export type { PartitionUnit } from './series/ranges.js';
export { type PostgresSeriesOptions, PostgresSeriesStore } from './series/series-store.js';
