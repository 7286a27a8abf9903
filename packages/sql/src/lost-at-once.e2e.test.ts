/**
 * A server that ends a connection in the breath in which it says that it is ready: nobody has the client yet, and its
 * error event would end the process. Seen where PostgreSQL was killed while connections were being made.
 */
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { ConnectionError } from '@storeweave/core';
import { sharedPostgres } from '@storeweave/testing/servers';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PgDomain } from './pg-domain.js';
import { type PgPoolLike, poolConnections } from './pg-pool.js';
import { RawSql } from './raw-sql.js';

const READY = Buffer.from('Z\0\0\0\x05I', 'latin1');
const FIELDS = Buffer.from('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0', 'latin1');
const FAREWELL = Buffer.concat([Buffer.from([0x45, 0, 0, 0, FIELDS.length + 4]), FIELDS]);

let proxy: Server;
let url: string;
let isDying = false;
const sockets = new Set<Socket>();

beforeAll(async () => {
  const target = new URL(await (await sharedPostgres()).database('lost_at_once'));
  proxy = createServer((client) => {
    const server = dial(Number(target.port), target.hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.on('data', (data) => server.write(data));
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    server.on('data', (data) => {
      const isReady = data.subarray(-READY.length).equals(READY);
      if (isDying && isReady) client.end(Buffer.concat([data, FAREWELL]));
      else client.write(data);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.');
  url = Object.assign(new URL(target.href), { hostname: '127.0.0.1', port: String(address.port) }).href;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => proxy?.close(resolve));
});

it('is a lost connection to whoever asked, and to nobody else', async () => {
  const domain = new PgDomain(poolConnections(() => new pg.Pool({ connectionString: url }) as unknown as PgPoolLike));
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
