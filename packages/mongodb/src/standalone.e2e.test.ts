/** A server without transactions: refused unless it is accepted, and then nothing pretends to be all or nothing. */
import {
  CapabilityError,
  ConfigurationError,
  compileDomain,
  Document,
  Id,
  Property,
  Storeweave,
} from '@storeweave/core';
import { type MongodbServer, startMongodb } from '@storeweave/testing/servers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mongodb } from './mongodb.js';

@Document({ collection: 'leaves' })
class Leaf {
  @Id('integer') id!: number;
  @Property('string', { unique: true }) name!: string;
}

@Document({ collection: 'roots' })
class Root {
  @Id('integer') id!: number;
}

let server: MongodbServer;
beforeAll(async () => {
  server = await startMongodb({ ways: ['docker', 'native'], standalone: true });
}, 600_000);
afterAll(() => server?.stop());

it('is refused, with what to do', async () => {
  const document = mongodb({ url: await server.database('refused') });
  const error = await Storeweave.open({ entities: [Leaf], stores: { document } }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(String(error)).toMatch(/standalone server without transactions.*rs\.initiate.*standalone: 'accept'/);
});

it('can be accepted, and claims no transactions', async () => {
  const document = mongodb({ url: await server.database('accepted'), standalone: 'accept' });
  await using weave = await Storeweave.open({ entities: [Leaf, Root], stores: { document } });
  expect(document.capabilities.transactions).toBeUndefined();
  expect(document.capabilities.commit).toBeUndefined();
  expect(document.deployment).toMatchObject({ kind: 'standalone', transactions: false });
  await weave.transaction(async (uow) => void uow.create(Leaf, { id: 1, name: 'a' }));
  await weave.repository(Leaf).insert([
    { id: 2, name: 'b' },
    { id: 3, name: 'c' },
  ]);
  await weave.transaction(async (uow) => {
    for (const leaf of await uow.repository(Leaf).find()) leaf.name += '!';
  });
  expect((await weave.repository(Leaf).find({ orderBy: { id: 'asc' } })).map(({ name }) => name)).toEqual([
    'a!',
    'b!',
    'c!',
  ]);
  const both = weave.transaction(async (uow) => {
    uow.create(Leaf, { id: 4, name: 'd' });
    uow.create(Root, { id: 4 });
  });
  await expect(both).rejects.toThrow(ConfigurationError);
  expect(await weave.repository(Leaf).count()).toBe(3);
  await expect(document.changes(Leaf).next()).rejects.toThrow(CapabilityError);
});

it('takes no part in units of work over several stores', async () => {
  const document = mongodb({ url: await server.database('fenced'), standalone: 'accept' });
  const { entities } = compileDomain([Root]);
  await expect(document.open({ name: 'document', entities, fenced: true })).rejects.toThrow(
    /cannot take part in units of work over several stores: it is a standalone server/,
  );
  await document.close();
});
