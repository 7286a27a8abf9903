/** The README's code, run. */

// #region entities
import { count, Field, Measurement, mean, percentile, Storeweave, Tag, Timestamp } from '@storeweave/core';
import { influxdb } from '@storeweave/influxdb';
import { sharedServer } from '@storeweave/testing/servers';
import { expect, it } from 'vitest';

@Measurement({ retention: '90d' })
class Departure {
  @Timestamp() at!: Date;
  @Tag() airport!: string;
  @Tag() carrier!: string;
  @Field('float') delay!: number;
  @Field('string', { nullable: true }) remark!: string | null;
}
// #endregion entities

it('is as the README says', async () => {
  const { url, token, org, space } = await sharedServer('influxdb');
  const bucketPrefix = await space('readme');
  // #region open
  const timeseries = influxdb({ url, token, org, bucketPrefix });
  const weave = await Storeweave.open({ entities: [Departure], stores: { timeseries } });
  // #endregion open
  const now = Date.now();
  const today = new Date(Math.floor(now / 86_400_000) * 86_400_000);
  const points = Array.from({ length: 100 }, (_, i) => ({
    at: new Date(today.getTime() - i * 600_000),
    airport: i % 2 === 0 ? 'BER' : 'CDG',
    carrier: 'SW',
    delay: i,
    remark: null,
  }));
  // #region use
  await weave.series(Departure).insert(points); // resolves when the server has acknowledged every point
  const windows = await weave.series(Departure).window({
    to: today,
    every: '1d',
    groupBy: ['airport'],
    select: { flights: count(), mean: mean('delay'), p95: percentile('delay', 95) },
  });
  const newest = await weave.series(Departure).last(3, { per: ['airport'] });
  // #endregion use
  expect(windows.map(({ airport, flights }) => [airport, flights])).toEqual([
    ['BER', 49],
    ['CDG', 50],
  ]);
  expect(newest.length).toBe(6);
  expect(weave.native('timeseries')).toBe(timeseries.native({}));
  await weave.close();
});
