/** The command as a user runs it: a process, a configuration in TypeScript, a real PostgreSQL. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sharedPostgres } from '@storeweave/testing/servers';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { here, start, storeweave } from './process.fixture.js';

const config = here('./fixtures/storeweave.config.fixture.ts');

let url: string;
beforeAll(async () => {
  url = await (await sharedPostgres()).database('cli');
});

describe('schema', () => {
  it('plan shows what is missing, apply makes it, and then nothing is', async () => {
    const env = { PEOPLE_URL: await (await sharedPostgres()).database('cli_schema') };
    const planned = await storeweave(['schema', 'plan', '--check', '--json', '-c', config], env);
    expect(planned.code).toBe(1);
    const { pending, changes } = JSON.parse(planned.out) as { pending: boolean; changes: { store: string }[] };
    expect(pending).toBe(true);
    expect(new Set(changes.map(({ store }) => store))).toEqual(new Set(['relational', 'timeseries']));

    const applied = await storeweave(['schema', 'apply', '-c', config], env);
    expect(applied.out).toMatch(/Applied:\n.*relational/s);
    expect(applied.code).toBe(0);

    const again = await storeweave(['schema', 'plan', '--check', '-c', config], env);
    expect(again).toMatchObject({ code: 0, out: 'The schema matches the metadata.\n' });
  });
});

describe('migration', () => {
  it('is generated, run and reverted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'storeweave-cli-'));
    try {
      const env = { PEOPLE_URL: await (await sharedPostgres()).database('cli_migrations'), PEOPLE_MIGRATIONS: folder };
      const made = await storeweave(['migration', 'generate', 'People', '--json', '-c', config], env);
      expect(made).toMatchObject({ code: 0, err: '' });
      expect((await readdir(folder)).length).toBe(1);
      const ran = await storeweave(['migration', 'run', '--json', '-c', config], env);
      expect(JSON.parse(ran.out)).toEqual({ ran: [expect.stringMatching(/^People\d{13}$/)] });
      const phone = await storeweave(['migration', 'generate', 'Phone', '-c', config], { ...env, PEOPLE_PHONE: '1' });
      expect(phone.out).toMatch(/Phone\.ts\n.*phone/s);
      expect((await storeweave(['migration', 'run', '-c', config], env)).out).toMatch(/^Ran:\n {2}Phone\d{13}\n$/);
      expect((await storeweave(['migration', 'revert', '-c', config], env)).out).toMatch(/^Reverted Phone\d{13}\.\n$/);
      expect((await storeweave(['schema', 'plan', '--check', '-c', config], env)).code).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('move', () => {
  it('copies, verifies, and goes on where it was killed', async () => {
    const server = await sharedPostgres();
    const env = { PEOPLE_URL: await server.database('cli_to'), PEOPLE_OLD_URL: await server.database('cli_from') };
    await storeweave(['schema', 'apply', '-c', config], { PEOPLE_URL: env.PEOPLE_OLD_URL });
    const client = new pg.Client({ connectionString: env.PEOPLE_OLD_URL });
    await client.connect();
    await client.query("insert into people select gen_random_uuid(), 'person ' || n from generate_series(1, 5000) n");
    await client.end();
    const folder = await mkdtemp(join(tmpdir(), 'storeweave-cli-'));
    try {
      const state = join(folder, 'state', 'move.json');
      const args = ['move', 'Person', '--from', 'old', '--to', 'relational', '--state', state, '-c', config];
      await killedOnceItStands([...args, '--page-size', '20'], env, state);
      const moved = await storeweave([...args, '--json'], env);
      expect(moved.code).toBe(0);
      const report = JSON.parse(moved.out) as { isEqual: boolean; entities: { copied: number }[] };
      expect(report).toMatchObject({ isEqual: true, entities: [{ source: 5000, target: 5000, repaired: 0 }] });
      expect(report.entities[0]?.copied).toBeLessThan(5000);
      expect(await readdir(join(folder, 'state'))).toEqual([]);

      const wrong = await storeweave([...args, '--to', 'graph'], env);
      expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('declared for the store "relational"') });
      const online = await storeweave(['move', 'Person', '--online', '-c', config], env);
      expect(online).toMatchObject({ code: 2, err: expect.stringContaining('declares no move of Person') });
      const aimless = await storeweave(['move', 'Person', '-c', config], env);
      expect(aimless).toMatchObject({ code: 2, err: expect.stringContaining('--from') });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** SIGKILL as soon as the file is there. */
async function killedOnceItStands(args: readonly string[], env: NodeJS.ProcessEnv, file: string): Promise<void> {
  const child = start(args, env);
  const over = new Promise((resolve) => child.once('close', resolve));
  while (child.exitCode === null && !existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGKILL');
  await over;
  expect(child.signalCode).toBe('SIGKILL');
}

describe('doctor', () => {
  it('tells version, latency, clock and what is to be done', async () => {
    const told = await storeweave(['doctor', '--json', '-c', config], { PEOPLE_URL: url });
    const { stores, problems } = JSON.parse(told.out) as {
      stores: { store: string; server: { product: string; version: string }; latencyMs: number; clockSkewMs: number }[];
      problems: string[];
    };
    expect(stores.map(({ store }) => store)).toEqual(['relational', 'document', 'graph', 'timeseries']);
    for (const { server, latencyMs, clockSkewMs } of stores) {
      expect(server).toMatchObject({ product: 'PostgreSQL', version: expect.stringMatching(/^\d+\.\d+/) });
      expect(latencyMs).toBeGreaterThan(0);
      expect(Math.abs(clockSkewMs)).toBeLessThan(1000);
    }
    expect(problems).toContainEqual(expect.stringContaining('storeweave schema plan'));
    // Four stores on one server have one problem, not four.
    expect(problems.filter((problem) => problem.includes('fsync')).length).toBeLessThanOrEqual(1);
    expect(told.code).toBe(1);
  });

  it('says which store does not answer, and why', async () => {
    const told = await storeweave(['doctor', '-c', config], { PEOPLE_URL: 'postgres://127.0.0.1:1/nothing' });
    expect(told.code).toBe(1);
    expect(told.out).toMatch(/relational {2,}no answer/);
    expect(told.out).toMatch(/relational.*: .*\(CONNECTION_FAILED\)/);
  });
});

describe('what is not understood', () => {
  it('is exit code 2 with a word about what to do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'storeweave-cli-'));
    try {
      const none = await storeweave(['doctor'], {}, folder);
      expect(none).toMatchObject({ code: 2, out: '', err: expect.stringContaining('storeweave.config.ts') });
      await writeFile(join(folder, 'storeweave.config.mjs'), 'export default { stores: {} };\n');
      const empty = await storeweave(['doctor', '--json'], {}, folder);
      expect(empty.code).toBe(2);
      expect(JSON.parse(empty.err)).toMatchObject({ error: { message: expect.stringContaining('"entities"') } });
      const unknown = await storeweave(['shema'], {}, folder);
      expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('schema') });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('help is no error', async () => {
    const help = await storeweave(['--help']);
    expect(help).toMatchObject({ code: 0, out: expect.stringContaining('doctor') });
  });
});
