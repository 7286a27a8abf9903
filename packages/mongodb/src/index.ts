/** `@storeweave/mongodb`. */
export type { Change, ChangesOptions } from './changes.js';
export type { Deployment } from './connection.js';
export { type MongodbOptions, mongodb } from './mongodb.js';
export { type MongodbNative, MongodbStore } from './store.js';
