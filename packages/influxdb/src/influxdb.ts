/** The door of the package: a store for measurements on an InfluxDB 2. */
import type { InfluxdbOptions } from './options.js';
import { InfluxdbStore } from './store.js';

/**
 * A time-series store on an InfluxDB 2.
 *
 * ```ts
 * await Storeweave.open({ entities, stores: { timeseries: influxdb({ url, token, org: 'acme' }), … } });
 * ```
 *
 * @throws ConfigurationError where url, token or org are empty.
 */
export function influxdb(options: InfluxdbOptions): InfluxdbStore {
  return new InfluxdbStore(options);
}
