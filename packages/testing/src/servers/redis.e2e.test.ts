import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from './redis.js';
import { redisAsk } from './redis-client.js';

describe('startRedis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ ways: ['native'] });
  });
  afterAll(() => server.stop());

  it('keeps what it has over SIGKILL and restart', async () => {
    expect(server.version).toMatch(/^\d+\.\d+/);
    const key = `${await server.space('kept')}key`;
    expect(await redisAsk(server.url, ['SET', key, 'värde'])).toBe('OK');
    await server.kill();
    await expect(redisAsk(server.url, ['PING'])).rejects.toThrow();
    await server.restart();
    expect(await redisAsk(server.url, ['EXISTS', key])).toBe('1');
  });

  it('gives each test a space of its own', async () => {
    expect(await server.space('a')).not.toBe(await server.space('a'));
  });

  it('says what it refuses', async () => {
    await expect(redisAsk(server.url, ['NONSENSE'])).rejects.toThrow(/unknown command/);
  });
});

describe('startRedisCluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.stop());

  it('is whole, and stays so when a master is killed', async () => {
    expect(cluster.nodes.length).toBe(6);
    const [first] = cluster.nodes;
    const state = async (at: number) => String(await redisAsk(cluster.nodes[at]?.url ?? '', ['CLUSTER', 'NODES']));
    expect((await state(1)).match(/ master | myself,master /g)?.length).toBe(3);
    await first?.kill();
    const isMended = (info: string) => /cluster_state:ok/.test(info) && /cluster_slots_ok:16384/.test(info);
    const info = async () => String(await redisAsk(cluster.nodes[1]?.url ?? '', ['CLUSTER', 'INFO']));
    for (let i = 0; i < 600 && !(/master,fail/.test(await state(1)) && isMended(await info())); i++) await sleep(50);
    expect(await state(1)).toMatch(/master,fail/);
    expect(isMended(await info())).toBe(true);
  });
});
