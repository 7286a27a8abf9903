/** Units of work that MongoDB decides, by the front door: whole or not, whenever their process dies, and under many at once. */
import { CommitUnknownError, Document, Id, Node, Property, Storeweave, Version } from '@storeweave/core';
import { diesAt, type MemoryStore, memoryStore } from '@storeweave/testing';
import { sharedServer } from '@storeweave/testing/servers';
import { beforeEach, expect, it } from 'vitest';
import { mongodb } from '../mongodb.js';

@Document({ collection: 'accounts' })
class Account {
  @Id('integer') id!: number;
  @Property('integer') balance!: number;
  @Version() version!: number;
}

@Node()
class Person {
  @Id('integer') id!: number;
  @Property('string', { unique: true }) name!: string;
  @Property('integer') balance!: number;
  @Version() version!: number;
}

let url: string;
let graph: MemoryStore;
beforeEach(async () => {
  url = await (await sharedServer('mongodb')).database('deciding');
  graph = memoryStore({ capabilities: { commit: { coordinates: false, participates: 'fence' } } });
});

/** One process: all of them share the databases. */
function open(commit: Parameters<typeof Storeweave.open>[0]['commit'] = {}): Promise<Storeweave> {
  return Storeweave.open({
    entities: [Account, Person],
    stores: { graph, document: mongodb({ url }) },
    commit: { relay: false, ...commit },
  });
}

const names = async (weave: Storeweave) =>
  (await weave.repository(Person).find({ orderBy: { id: 'asc' } })).map(({ name }) => name);

it('writes to both or to none, and says so', async () => {
  await using weave = await open();
  await using other = await open();
  const { receipt } = await weave.transaction(async (uow) => {
    uow.create(Account, { id: 1, balance: 10 });
    uow.create(Person, { id: 1, name: 'ada', balance: 0 });
    return uow;
  });
  expect(receipt).toMatchObject({ status: 'applied', stores: { graph: 'applied' } });
  const taken = weave.transaction(async (uow) => {
    (await uow.repository(Account).findOneOrFail({})).balance = 99;
    uow.create(Person, { id: 2, name: 'ada', balance: 0 });
  });
  await expect(taken).rejects.toThrow(/name/);
  const stale = weave.transaction({ retries: 0 }, async (uow) => {
    const account = await uow.repository(Account).findOneOrFail({});
    (await uow.repository(Person).findOneOrFail({})).balance = 5;
    await other.repository(Account).update({ id: 1 }, { balance: 11 });
    account.balance = 12;
  });
  await expect(stale).rejects.toThrow();
  expect(await weave.repository(Account).find()).toMatchObject([{ balance: 11 }]);
  expect(await weave.repository(Person).find()).toMatchObject([{ name: 'ada', balance: 0, version: 1 }]);
  expect((await weave.journal.stats()).open).toBe(0);
});

it.each([
  ['after', 'claim'],
  ['after', 'fence'],
  ['after', 'decide'],
  ['before', 'apply'],
] as const)('is whole or absent where its process dies %s %s', async (moment, step) => {
  await using weave = await open();
  await weave.repository(Person).insert({ id: 1, name: 'ada', balance: 0 });
  const dying = await open({ onStep: diesAt(moment, step) });
  const work = dying.transaction({ retries: 0, awaitMs: 500 }, async (uow) => {
    uow.create(Account, { id: 1, balance: 1 });
    (await uow.repository(Person).findOneOrFail({})).name = 'eve';
    uow.create(Person, { id: 2, name: 'bob', balance: 0 });
  });
  await work.catch((error: unknown) => expect(error).not.toBeInstanceOf(CommitUnknownError));
  await weave.journal.drain();
  const isDecided = step === 'decide' || step === 'apply';
  expect(await weave.repository(Account).count()).toBe(isDecided ? 1 : 0);
  expect(await names(weave)).toEqual(isDecided ? ['eve', 'bob'] : ['ada']);
  await dying.close();
});

it('loses nothing where many move what is there, and settled readers see it all', async () => {
  const weaves = await Promise.all([open(), open()]);
  const [weave, other] = weaves as [Storeweave, Storeweave];
  await weave.repository(Account).insert([0, 1, 2].map((id) => ({ id, balance: 100 })));
  await weave.repository(Person).insert([0, 1, 2].map((id) => ({ id, name: `p${id}`, balance: 100 })));
  const results = Promise.allSettled(
    Array.from({ length: 16 }, (_, i) =>
      (weaves[i % 2] as Storeweave).transaction({ retries: 50 }, async (uow) => {
        const account = await uow.repository(Account).findById(i % 3);
        const person = await uow.repository(Person).findById((i * 2) % 3);
        if (account === null || person === null) throw new Error('not there');
        account.balance -= i;
        person.balance += i;
      }),
    ),
  );
  const sum = (all: readonly { balance: number }[]) => all.reduce((total, { balance }) => total + balance, 0);
  const totals = await other.settled(async (reader) => [
    sum(await reader.repository(Account).find()),
    sum(await reader.repository(Person).find()),
  ]);
  expect(totals[0] ?? 0).toBe(600 - (totals[1] ?? 0));
  const ended = await results;
  const failures = ended.flatMap((each) =>
    each.status === 'rejected' ? [(each.reason as { code?: string }).code] : [],
  );
  for (const code of failures) expect(['OPTIMISTIC_LOCK', 'FENCED', 'SERIALIZATION_FAILURE']).toContain(code);
  expect(failures.length).toBeLessThan(16);
  const moved = ended.reduce((total, each, i) => total + (each.status === 'fulfilled' ? i : 0), 0);
  expect(sum(await weave.repository(Account).find())).toBe(300 - moved);
  expect(sum(await weave.repository(Person).find())).toBe(300 + moved);
  await Promise.all(weaves.map((each) => each.close()));
});
