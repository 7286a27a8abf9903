/** `@storeweave/mongodb`. */
export type { Deployment } from './connection.js';
export { type MongodbOptions, mongodb } from './mongodb.js';
export { type MongodbNative, MongodbStore } from './store.js';
