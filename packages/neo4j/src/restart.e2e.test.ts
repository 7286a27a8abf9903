/** A server that dies and comes back: what was committed is there, and the same store goes on without being reopened. */
import { type Collection, ConnectionError, Id, Node, Property, Related, Storeweave } from '@storeweave/core';
import { type Neo4jServer, startNeo4j } from '@storeweave/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neo4j } from './neo4j.js';

@Node({ label: 'Station' })
class Station {
  @Id('string') code!: string;
  @Property('integer') platforms!: number;
  @Related(() => Station, 'LINE') next!: Collection<Station>;
}

describe('a server that is killed and started again', () => {
  let server: Neo4jServer;
  let weave: Storeweave;

  beforeAll(async () => {
    server = await startNeo4j({ ways: ['docker', 'native'] });
    const { url, username, password } = server;
    weave = await Storeweave.open({
      entities: [Station],
      stores: { graph: neo4j({ url, username, password, acquireTimeoutMs: 5_000, connectTimeoutMs: 2_000 }) },
    });
  }, 120_000);
  afterAll(async () => {
    await weave?.close();
    await server?.stop();
  });

  const create = (code: string) =>
    weave.transaction({ retries: 0 }, async (uow) => void uow.create(Station, { code, platforms: 1 }));

  it('says so while it is away, keeps what was committed, and is used again without a new store', async () => {
    await create('before');
    await expect(
      weave.transaction({ retries: 0 }, async (uow) => {
        uow.create(Station, { code: 'lost', platforms: 1 });
        await uow.flush();
        await server.kill();
      }),
    ).rejects.toThrow();
    await expect(create('away')).rejects.toThrow(ConnectionError);
    await expect(weave.repository(Station).find()).rejects.toThrow(ConnectionError);
    await server.restart();
    // As applications do: transaction() tries again by itself where the connection was lost.
    await weave.transaction(async (uow) => {
      const before = await uow.repository(Station).findOneOrFail({ where: { code: 'before' } });
      before.next.add(uow.create(Station, { code: 'after', platforms: 2 }));
    });
    const found = await weave.repository(Station).find({ orderBy: { code: 'asc' } });
    expect(found.map(({ code }) => code)).toEqual(['after', 'before']);
    const neighbours = await weave.graph(Station).neighbours('before', { via: 'next' });
    expect(neighbours.map(({ code }) => code)).toEqual(['after']);
  }, 120_000);

  it('is refused with a wrong password, an address where nobody is, and a database that is not there', async () => {
    const { url, username, password } = server;
    const open = (options: Parameters<typeof neo4j>[0]) =>
      Storeweave.open({ entities: [Station], stores: { graph: neo4j({ connectTimeoutMs: 1_000, ...options }) } });
    await expect(open({ url, username, password: 'wrong' })).rejects.toThrow(/username, password/);
    await expect(open({ url: 'bolt://127.0.0.1:1', username, password })).rejects.toThrow(ConnectionError);
    await expect(open({ url, username, password, database: 'nowhere' })).rejects.toThrow(/nowhere/);
  }, 60_000);
});
