import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from './postgres.js';
import { sharedPostgres } from './shared.js';

const query = async (url: string, text: string) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
};

describe('startPostgres', () => {
  let server: PostgresServer;
  afterAll(() => server.stop());

  it('starts a server of its own, and keeps committed rows over SIGKILL and restart', async () => {
    server = await startPostgres({ ways: ['native'] });
    expect(Number.parseInt(server.version, 10)).toBeGreaterThanOrEqual(15);
    const url = await server.database('Kept rows!');
    await query(url, 'create table t (n int)');
    await query(url, 'insert into t values (42)');
    await server.kill();
    await expect(query(url, 'select 1')).rejects.toThrow();
    await server.restart();
    expect(await query(url, 'select n from t')).toEqual([{ n: 42 }]);
  });

  it('isolates databases', async () => {
    const [one, two] = await Promise.all([server.database('same'), server.database('same')]);
    await query(one, 'create table t (n int)');
    await expect(query(two, 'select * from t')).rejects.toThrow(/does not exist/);
  });
});

describe('an interrupted run', () => {
  it('leaves neither server nor folder behind', async () => {
    const script = `
      import { startPostgres } from '@storeweave/testing/servers';
      const server = await startPostgres({ ways: ['native'] });
      const pg = (await import('pg')).default;
      const client = new pg.Client(server.url);
      await client.connect();
      const { rows } = await client.query("select current_setting('data_directory') as folder, (select pg_backend_pid()) as pid");
      console.log(JSON.stringify(rows[0]));
      setInterval(() => {}, 1000);`;
    const child = spawn(
      process.execPath,
      ['--conditions=@storeweave/source', '--import', 'tsx', '--input-type=module', '-e', script],
      { cwd: new URL('.', import.meta.url), stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const line = await new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))));
    const { folder } = JSON.parse(line) as { folder: string };
    expect(existsSync(folder)).toBe(true);
    child.kill('SIGKILL');
    for (let i = 0; i < 100 && existsSync(folder); i++) await sleep(100);
    expect(existsSync(folder)).toBe(false);
  });
});

describe('sharedPostgres', () => {
  it('gives every caller the same server', async () => {
    const [one, two] = await Promise.all([sharedPostgres(), sharedPostgres()]);
    expect(one.url).toBe(two.url);
    expect(await query(await one.database('shared'), 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});
