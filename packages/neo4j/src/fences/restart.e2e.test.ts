/** A server that is killed between a fence and its end: the fence is there when it comes back, and so is the work. */
import { type EntityModel, From, Id, Node, Property, type Ref, Relationship, To, Version } from '@storeweave/core';
import { type Neo4jServer, startNeo4j } from '@storeweave/testing/servers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../servers.fixture.js';
import { Bench, unit } from './bench.fixture.js';

@Node({ label: 'Port' })
class Port {
  @Id('integer') id!: number;
  @Property('integer') ships!: number;
  @Version() version!: number;
}

@Relationship({ type: 'ROUTE' })
class Route {
  @Id('integer') id!: number;
  @From(() => Port) from!: Ref<Port>;
  @To(() => Port) to!: Ref<Port>;
}

let server: Neo4jServer;
let bench: Bench;
let port: EntityModel;
let route: EntityModel;

beforeAll(async () => {
  server = await startNeo4j({ ways: ['docker', 'native'] });
  const { url, username, password } = server;
  const opened = await openStore([Port, Route], {
    fenced: true,
    url,
    username,
    password,
    acquireTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
  });
  bench = new Bench(opened);
  port = opened.of(Port);
  route = opened.of(Route);
}, 120_000);
afterAll(async () => {
  await bench?.store.close();
  await server?.stop();
});

it('keeps fences over the death of the server, and ends them either way', async () => {
  const ports = (...ids: number[]) => bench.insert(port, ...ids.map((id) => ({ id, ships: 0, version: 1 })));
  const routeTo = (id: number) =>
    bench.insert(route, {
      id,
      [route.endpoints?.from.fields[0]?.name ?? '']: 1,
      [route.endpoints?.to.fields[0]?.name ?? '']: id,
    });
  await bench.write(ports(1, 2, 3));
  const [decided, refused] = [unit(), unit()];
  const first = [ports(4), routeTo(4), bench.update(port, [[1]], { ships: 5, version: 2 }, 1), bench.remove(port, [3])];
  const second = [ports(5), routeTo(5), bench.update(port, [[2]], { ships: 9, version: 2 }, 1)];
  await bench.fenced(decided, ...first);
  await bench.fenced(refused, ...second);
  await server.kill();
  await expect(bench.apply(decided, ...first)).rejects.toThrow();
  await expect(bench.fence(unit(), ports(6))).rejects.toThrow();
  await server.restart();
  expect((await bench.owners()).map(({ unitOfWork }) => unitOfWork).sort()).toEqual(
    [decided, refused].map(({ unitOfWork }) => unitOfWork).sort(),
  );
  expect(await bench.rows(port, 'id', 'ships')).toEqual([
    [1, 0],
    [2, 0],
    [3, 0],
  ]);
  await bench.apply(decided, ...first);
  await server.kill();
  await server.restart();
  await bench.apply(decided, ...first);
  await bench.participant.unfenceAll(refused, {});
  expect(await bench.rows(port, 'id', 'ships', 'version')).toEqual([
    [1, 5, 2],
    [2, 0, 1],
    [4, 0, 1],
  ]);
  expect(await bench.rows(route, 'id')).toEqual([[4]]);
  expect((await bench.stored()).marked).toBe(0);
}, 180_000);
