/** `@storeweave/neo4j`: the graph model on Neo4j. */
export { decodeDecimal, encodeDecimal } from './decimal.js';
export { type Neo4jOptions, neo4j } from './neo4j.js';
export type { Neo4jStore } from './store.js';
