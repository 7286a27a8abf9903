import { afterEach, describe, expect, it, vi } from 'vitest';
import { keepServers, sharedPostgres } from './shared.js';

afterEach(() => vi.unstubAllEnvs());

describe('keepServers', () => {
  it('starts nothing that nobody asks for', async () => {
    vi.stubEnv('STOREWEAVE_TEST_SERVERS', undefined);
    const keeper = await keepServers();
    expect(await keeper.stop()).toEqual({ tested: [], notTested: [] });
  });

  it('reports a server that was used, and ends it', async () => {
    vi.stubEnv('STOREWEAVE_TEST_SERVERS', undefined);
    const keeper = await keepServers();
    const { url } = await sharedPostgres();
    expect(url).toMatch(/^postgres:/);
    const report = await keeper.stop();
    expect(report.notTested).toEqual([]);
    expect(report.tested).toEqual([expect.stringMatching(/^PostgreSQL \d+\.\d+ \(/)]);
  });

  it('fails the test that needs a server that cannot be had, and reports it as not tested', async () => {
    vi.stubEnv('STOREWEAVE_TEST_SERVERS', undefined);
    vi.stubEnv('STOREWEAVE_POSTGRES_URL', 'postgres://127.0.0.1:1/nothing');
    const keeper = await keepServers();
    await expect(sharedPostgres()).rejects.toThrow(/STOREWEAVE_POSTGRES_URL is set, but no server answers/);
    const report = await keeper.stop();
    expect(report.tested).toEqual([]);
    expect(report.notTested).toEqual([expect.stringMatching(/^PostgreSQL: STOREWEAVE_POSTGRES_URL is set/)]);
  });
});
