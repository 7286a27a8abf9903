import { contract } from '@storeweave/testing/contract';
import { sharedServer } from '@storeweave/testing/servers';
import * as vitest from 'vitest';
import { neo4j } from './neo4j.js';

/** One application on the server: its stores see no other's labels. */
async function space() {
  const server = await sharedServer('neo4j');
  const labelPrefix = await server.space('contract');
  const { url, username, password } = server;
  return async () => ({ graph: neo4j({ url, username, password, labelPrefix }) });
}

contract('neo4j', { open: async () => (await space())(), reopenable: space }, vitest);
