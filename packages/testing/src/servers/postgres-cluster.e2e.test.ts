import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './postgres-client.js';
import { type PostgresCluster, startPostgresCluster, startPostgresShards } from './postgres-cluster.js';

const eventually = async (ask: () => Promise<string | undefined>, expected: string) => {
  for (let i = 0; i < 200; i++) {
    if ((await ask().catch(() => undefined)) === expected) return;
    await sleep(50);
  }
  expect(await ask()).toBe(expected);
};

describe('startPostgresCluster', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await startPostgresCluster();
  });
  afterAll(() => cluster.stop());

  it('has standbys that take over what the primary commits, and no writes', async () => {
    await ask(cluster.primary.url, 'create table t as select 42 as n');
    expect(cluster.standbys.length).toBe(2);
    for (const { url } of cluster.standbys) {
      await eventually(() => ask(url, 'select n from t'), '42');
      await expect(ask(url, 'insert into t values (1)')).rejects.toThrow(/read-only/);
    }
  });

  it('lags by hand, exactly', async () => {
    const [standby] = cluster.standbys;
    if (standby === undefined) throw new Error('no standby');
    await ask(standby.url, 'select pg_wal_replay_pause()');
    await ask(cluster.primary.url, 'insert into t values (43)');
    await sleep(200);
    expect(await ask(standby.url, 'select max(n) from t')).toBe('42');
    await ask(standby.url, 'select pg_wal_replay_resume()');
    await eventually(() => ask(standby.url, 'select max(n) from t'), '43');
  });

  it('goes on with a standby when the primary is killed', async () => {
    const [, heir] = cluster.standbys;
    if (heir === undefined) throw new Error('no standby');
    await eventually(() => ask(heir.url, 'select max(n) from t'), '43');
    await cluster.primary.kill();
    await cluster.promote(heir);
    await ask(heir.url, 'insert into t values (44)');
    expect(await ask(heir.url, 'select count(*) from t')).toBe('3');
  });
});

describe('startPostgresShards', () => {
  it('starts servers that know nothing of each other', async () => {
    const shards = await startPostgresShards(2);
    try {
      expect(new Set(shards.map(({ url }) => url)).size).toBe(2);
      await ask(shards[0]?.url ?? '', 'create table t (n int)');
      await expect(ask(shards[1]?.url ?? '', 'select * from t')).rejects.toThrow(/does not exist/);
    } finally {
      await Promise.all(shards.map((shard) => shard.stop()));
    }
  });
});
