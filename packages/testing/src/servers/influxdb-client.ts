/** The few requests that the harness itself makes of an InfluxDB: is it there, set it up, remove what tests made. */
import { randomBytes } from 'node:crypto';
import { ConfigurationError } from '@storeweave/core';

/** How to reach a server and what to show it. */
export interface InfluxdbAccess {
  readonly url: string;
  /** May do everything in the organisation. */
  readonly token: string;
  readonly org: string;
}

/** True where an InfluxDB says that it is ready. */
export async function influxdAnswers(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(2_000) });
    return response.ok && ((await response.json()) as { status?: string }).status === 'pass';
  } catch {
    return false;
  }
}

/** As the server says it: `2.7.12`. */
export async function influxdbVersion(url: string): Promise<string> {
  const response = await fetch(new URL('/health', url));
  return ((await response.json()) as { version?: string }).version?.replace(/^v/, '') ?? 'unknown';
}

/** First-time setup of a new server: an organisation and a token made for this run. */
export async function setUpInfluxdb(url: string): Promise<InfluxdbAccess> {
  const [token, password] = [randomBytes(24).toString('hex'), randomBytes(16).toString('hex')];
  const org = 'storeweave';
  const response = await fetch(new URL('/api/v2/setup', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'storeweave', password, org, bucket: 'first', token }),
  });
  if (response.ok) return { url, token, org };
  throw new ConfigurationError(`InfluxDB could not be set up: ${response.status} ${await response.text()}`);
}

/** Removes every bucket whose name begins with the prefix. */
export async function removeSpace({ url, token, org }: InfluxdbAccess, prefix: string): Promise<void> {
  const headers = { authorization: `Token ${token}` };
  for (;;) {
    const listed = await fetch(new URL(`/api/v2/buckets?limit=100&org=${encodeURIComponent(org)}`, url), { headers });
    const { buckets = [] } = (await listed.json()) as { buckets?: { id: string; name: string }[] };
    const own = buckets.filter(({ name }) => name.startsWith(prefix));
    if (own.length === 0) return;
    for (const { id } of own) await fetch(new URL(`/api/v2/buckets/${id}`, url), { method: 'DELETE', headers });
  }
}
