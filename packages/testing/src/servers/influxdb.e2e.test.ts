import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InfluxdbServer, startInfluxdb } from './influxdb.js';
import { removeSpace } from './influxdb-client.js';

describe('startInfluxdb', () => {
  let server: InfluxdbServer;
  beforeAll(async () => {
    server = await startInfluxdb({ ways: ['native'] });
  });
  afterAll(() => server.stop());

  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Token ${server.token}`, 'content-type': 'application/json' };
    const response = await fetch(new URL(path, server.url), { ...init, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status}: ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as Record<string, { id: string; name: string }[]>);
  };
  const names = async () => (await ask('/api/v2/buckets?limit=100'))?.buckets?.map(({ name }) => name) ?? [];
  const make = async (name: string) => {
    const orgs = await ask(`/api/v2/orgs?org=${server.org}`);
    await ask('/api/v2/buckets', {
      method: 'POST',
      body: JSON.stringify({ name, orgID: orgs?.orgs?.[0]?.id, retentionRules: [] }),
    });
  };

  it('keeps what was acknowledged over SIGKILL and restart', async () => {
    expect(server.version).toMatch(/^2\./);
    const name = `${await server.space('Kept!')}points`;
    await make(name);
    const bucket = encodeURIComponent(name);
    await ask(`/api/v2/write?org=${server.org}&bucket=${bucket}`, { method: 'POST', body: 'm value=42 1' });
    await server.kill();
    await expect(ask('/health')).rejects.toThrow();
    await server.restart();
    const query = encodeURIComponent('SELECT value FROM m');
    expect(JSON.stringify(await ask(`/query?db=${bucket}&q=${query}`))).toContain('42');
  });

  it('gives each test a space of its own, and removes one with its buckets', async () => {
    const [one, two] = [await server.space('same'), await server.space('same')];
    expect(one).not.toBe(two);
    await make(`${one}a`);
    await make(`${two}b`);
    await removeSpace(server, one);
    expect(await names()).not.toContain(`${one}a`);
    expect(await names()).toContain(`${two}b`);
  });
});
