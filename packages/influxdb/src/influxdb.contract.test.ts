/** The contract suite on a real InfluxDB 2. */
import { contract } from '@storeweave/testing/contract';
import { sharedServer } from '@storeweave/testing/servers';
import * as vitest from 'vitest';
import { influxdb } from './influxdb.js';

async function emptyStore() {
  const { url, token, org, space } = await sharedServer('influxdb');
  const bucketPrefix = await space('contract');
  return () => ({ timeseries: influxdb({ url, token, org, bucketPrefix }) });
}

contract(
  'influxdb',
  {
    open: async () => (await emptyStore())(),
    reopenable: async () => {
      const open = await emptyStore();
      return async () => open();
    },
  },
  vitest,
);
