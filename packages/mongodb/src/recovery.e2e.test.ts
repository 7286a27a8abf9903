/** The server dies and comes back under an open store: what is under way fails and says so, and what comes after works. */
import { ConnectionError, Document, Id, Property, Storeweave, Version } from '@storeweave/core';
import { type MongodbServer, startMongodb } from '@storeweave/testing/servers';
import { BSON, Timestamp } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Change } from './changes.js';
import { mongodb } from './mongodb.js';
import type { MongodbStore } from './store.js';

@Document({ collection: 'tasks' })
class Task {
  @Id('integer') id!: number;
  @Property('string') title!: string;
  @Version() version!: number;
}

let server: MongodbServer;
let store: MongodbStore;
let weave: Storeweave;

beforeAll(async () => {
  server = await startMongodb({ ways: ['docker', 'native'] });
  store = mongodb({ url: await server.database('recovery'), serverSelectionTimeoutMs: 4_000, commitRetryMs: 2_000 });
  weave = await Storeweave.open({ entities: [Task], stores: { document: store } });
}, 600_000);

afterAll(async () => {
  await weave?.close();
  await server?.stop();
});

it('fails while the server is gone, and goes on when it is back, in the same process', async () => {
  const tasks = weave.repository(Task);
  await tasks.insert({ id: 1, title: 'before' });
  await server.kill();
  const error = await tasks.find().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConnectionError);
  expect(error).toMatchObject({ isRetryable: true, entity: 'Task' });
  await expect(
    weave.transaction({ retries: 0 }, async (uow) => void uow.create(Task, { id: 2, title: 'lost' })),
  ).rejects.toThrow(ConnectionError);
  await server.restart();
  await tasks.insert({ id: 3, title: 'after' });
  expect((await tasks.find({ where: { id: { in: [2, 3] } } })).map(({ title }) => title)).toEqual(['after']);
});

it('runs a unit of work again whose server was restarted in the middle', async () => {
  let runs = 0;
  await weave.transaction({ retries: 5 }, async (uow) => {
    runs++;
    uow.create(Task, { id: 10, title: `run ${runs}` });
    await uow.flush();
    if (runs > 1) return;
    await server.kill();
    await server.restart();
  });
  expect(runs).toBeGreaterThan(1);
  expect(await weave.repository(Task).findById(10)).toMatchObject({ title: `run ${runs}` });
});

it('follows changes over a restart', async () => {
  const stop = new AbortController();
  const seen: Change<Task>[] = [];
  const following = (async () => {
    for await (const change of store.changes(Task, { signal: stop.signal })) {
      seen.push(change);
      if (change.document?.title === 'last') return;
    }
  })();
  const tasks = weave.repository(Task);
  // The stream begins when the server has opened it.
  for (let id = 100; seen.length === 0 && id < 200; id++) {
    await tasks.insert({ id, title: 'first' });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await server.restart();
  await tasks.insert({ id: 999, title: 'last' });
  await following;
  stop.abort();
  expect(seen.at(-1)).toMatchObject({ kind: 'insert', id: 999 });
});

it('goes on with a server that has lost the last moments of its time', async () => {
  const anHourAhead = new Timestamp({ t: Math.floor(Date.now() / 1_000) + 3_600, i: 1 });
  const token = Buffer.from(BSON.EJSON.stringify({ at: anHourAhead })).toString('base64url');
  store.domain.causality.observe(token);
  expect(await weave.repository(Task).exists({ id: 999 })).toBe(true);
  store.domain.causality.observe(token);
  await weave.transaction(async (uow) => void uow.create(Task, { id: 1_000, title: 'later' }));
  expect(await weave.repository(Task).findById(1_000)).toMatchObject({ title: 'later' });
  expect(store.domain.causality.token()).not.toBe(token);
});
