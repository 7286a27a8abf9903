/** Series of entities that live elsewhere: the cases of the contract that need another model, with the memory store for it. */
import { memoryStore } from '@storeweave/testing';
import { runContract } from '@storeweave/testing/contract';
import { sharedServer } from '@storeweave/testing/servers';
import { expect, it } from 'vitest';
import { influxdb } from './influxdb.js';

it('series belong to entities of other stores', async () => {
  const { url, token, org, space } = await sharedServer('influxdb');
  const report = await runContract({
    open: async () => ({
      relational: memoryStore(),
      document: memoryStore(),
      graph: memoryStore(),
      timeseries: influxdb({ url, token, org, bucketPrefix: await space('beside') }),
    }),
    only: 'to timeseries',
  });
  expect(report.failed).toEqual([]);
  expect(report.passed.length).toBeGreaterThan(5);
});
