import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MariadbServer, startMariadb } from './mariadb.js';
import { mariadbAnswers } from './mariadb-client.js';

describe('startMariadb', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await startMariadb({ ways: ['native'] });
  });
  afterAll(() => server.stop());

  it('answers with its version, dies by SIGKILL, and comes back on the same port', async () => {
    expect(server.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(server.url).toMatch(/^mysql:\/\/storeweave:[0-9a-f]+@127\.0\.0\.1:\d+$/);
    await server.kill();
    expect(await mariadbAnswers(server.url)).toBeUndefined();
    await server.restart();
    expect(await mariadbAnswers(server.url)).toBe(server.version);
  });
});
