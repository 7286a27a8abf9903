/** The server dies and comes back: calls fail with an error that says so, then work again, and nothing acknowledged is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionError } from '@storeweave/core';
import { type InfluxdbServer, startInfluxdb } from '@storeweave/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Beat, everything, insert, model, openStore } from './store.fixture.js';
import type { InfluxdbStore } from './store.js';

const beat = model(Beat);

describe('a server that is killed and started again', () => {
  let server: InfluxdbServer;
  let store: InfluxdbStore;
  beforeAll(async () => {
    server = await startInfluxdb({ ways: ['docker', 'native'] });
    store = await openStore({ ...server, bucketPrefix: await server.space('recovery') });
  });
  afterAll(async () => {
    await store?.close();
    await server?.stop();
  });

  it('keeps every point of a write that resolved, and none is asked for twice', async () => {
    const acknowledged = new Set<number>();
    let isOver = false;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let i = 0; !isOver; i++) {
        const rows = Array.from({ length: 50 }, (_, j) => [writer * 10_000_000 + i * 50 + j, `w${writer}`, j]);
        try {
          await insert(store, beat, rows);
          for (const [at] of rows) acknowledged.add(at as number);
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionError);
          await sleep(20);
        }
      }
    });
    for (let kill = 0; kill < 2; kill++) {
      await sleep(300);
      await server.kill();
      await expect(store.count(beat, undefined, {})).rejects.toBeInstanceOf(ConnectionError);
      await server.restart();
    }
    await sleep(200);
    isOver = true;
    await Promise.all(writers);
    const found = new Set((await everything(store, beat)).map(([at]) => at as number));
    expect(acknowledged.size).toBeGreaterThan(500);
    expect([...acknowledged].filter((at) => !found.has(at))).toEqual([]);
  });
});
