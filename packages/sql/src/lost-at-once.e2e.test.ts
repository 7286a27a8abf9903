/**
 * A server that ends a connection in the breath in which it says that it is ready: nobody has the client yet, and its
 * error event would end the process. Seen where PostgreSQL was killed while connections were being made.
 */
import type { Socket } from 'node:net';
import { ConnectionError } from '@storeweave/core';
import { sharedPostgres, TcpProxy } from '@storeweave/testing/servers';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PgDomain } from './pg-domain.js';
import { type PgPoolLike, poolConnections } from './pg-pool.js';
import { RawSql } from './raw-sql.js';

const READY = Buffer.from('Z\0\0\0\x05I', 'latin1');
const FIELDS = Buffer.from('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0', 'latin1');
const FAREWELL = Buffer.concat([Buffer.from([0x45, 0, 0, 0, FIELDS.length + 4]), FIELDS]);

let isDying = false;

class DyingServer extends TcpProxy {
  protected join(client: Socket, server: Socket): void {
    client.on('data', (data) => server.write(data));
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    server.on('data', (data) => {
      const isReady = data.subarray(-READY.length).equals(READY);
      if (isDying && isReady) client.end(Buffer.concat([data, FAREWELL]));
      else client.write(data);
    });
  }
}

let proxy: DyingServer;
beforeAll(async () => {
  proxy = await new DyingServer(await (await sharedPostgres()).database('lost_at_once')).listen();
});
afterAll(() => proxy?.close());

it('is a lost connection to whoever asked, and to nobody else', async () => {
  const domain = new PgDomain(
    poolConnections(() => new pg.Pool({ connectionString: proxy.url }) as unknown as PgPoolLike),
  );
  const sql = new RawSql(domain);
  await domain.open();
  // The one connection of the pool is taken, so that another is made.
  const transaction = await domain.begin({});
  isDying = true;
  await expect(sql.sql('select 1', [], {})).rejects.toThrow(ConnectionError);
  isDying = false;
  await transaction.rollback();
  expect(await sql.sql('select 1 as one', [], {})).toEqual([{ one: 1 }]);
  await domain.close();
});
