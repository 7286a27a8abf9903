/** The example as its user runs it, killed in the middle of a commit, on the engines that teams run. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { sharedServer } from '@storeweave/testing/servers';
import { expect, test } from 'vitest';
import type { Story } from './show.js';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** Standard output of the example, which is to succeed. */
async function run(args: readonly string[]): Promise<string> {
  const [mongodb, neo4j, influxdb] = await Promise.all([
    sharedServer('mongodb'),
    sharedServer('neo4j'),
    sharedServer('influxdb'),
  ]);
  const servers = {
    STOREWEAVE_MONGODB_URL: mongodb.url,
    STOREWEAVE_NEO4J_URL: neo4j.url,
    STOREWEAVE_NEO4J_USERNAME: neo4j.username,
    STOREWEAVE_NEO4J_PASSWORD: neo4j.password,
    STOREWEAVE_INFLUXDB_URL: influxdb.url,
    STOREWEAVE_INFLUXDB_TOKEN: influxdb.token,
    STOREWEAVE_INFLUXDB_ORG: influxdb.org,
  };
  const child = spawn(process.execPath, ['--conditions=@storeweave/source', '--import', 'tsx', MAIN, ...args], {
    env: { ...process.env, ...servers },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    said.out += String(text);
  });
  child.stderr.on('data', (text) => {
    said.err += String(text);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, err: said.err }).toEqual({ code: 0, err: expect.any(String) });
  return said.out;
}

test('a transfer is half done where its process is killed, and whole or absent after the restart', async () => {
  const { stories } = JSON.parse(await run(['--kill', 'fence,apply', '--json'])) as { stories: Story[] };
  expect(stories.map(({ kill, outcome }) => [kill, outcome])).toEqual([
    ['fence', 'absent'],
    ['apply', 'whole'],
  ]);
  const [fenced, applied] = stories.map(({ found }) => found);
  const accounts = (ada: number) => [
    { owner: 'Ada', cents: ada },
    { owner: 'Bob', cents: 10_000 - ada },
  ];
  const fence = (op: string) => ({ unitOfWork: expect.any(String), op });
  expect(fenced).toEqual({
    accounts: accounts(10_000),
    journal: [],
    ledgers: [{ balances: accounts(10_000), fence: fence('update') }],
    payments: [{ cents: 500, fence: fence('insert') }],
    points: [],
  });
  expect(applied).toEqual({
    accounts: accounts(9_000),
    journal: [applied?.payments[0]?.fence?.unitOfWork],
    ledgers: [{ balances: accounts(9_000) }],
    payments: [{ cents: 1_000, fence: fence('insert') }],
    points: [],
  });
}, 900_000);

test('left alone, it says so in a table', async () => {
  const out = await run([]);
  expect(out).toMatch(/PostgreSQL .*Ada {2}95\.00 {3}Bob {3}5\.00/);
  expect(out).toContain('The transfer is whole: four databases tell the same.');
}, 300_000);
