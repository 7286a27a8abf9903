export { influxdb } from './influxdb.js';
export type { InfluxdbOptions } from './options.js';
export { InfluxdbStore } from './store.js';
