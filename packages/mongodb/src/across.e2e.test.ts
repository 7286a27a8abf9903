/** Units of work over MongoDB and a coordinator in memory, by the front door: whole or not, also under many at once. */
import { Document, Id, Property, Relational, Storeweave, UniqueViolationError, Version } from '@storeweave/core';
import { diesAt, type MemoryStore, memoryStore } from '@storeweave/testing';
import { sharedServer } from '@storeweave/testing/servers';
import { beforeEach, expect, it } from 'vitest';
import { mongodb } from './mongodb.js';

@Relational({ table: 'accounts' })
class Account {
  @Id('integer') id!: number;
  @Property('integer') balance!: number;
  @Version() version!: number;
}

@Document({ collection: 'wallets' })
class Wallet {
  @Id('integer') id!: number;
  @Property('string', { unique: true }) name!: string;
  @Property('integer') balance!: number;
  @Version() version!: number;
}

let url: string;
let relational: MemoryStore;
beforeEach(async () => {
  url = await (await sharedServer('mongodb')).database('across');
  relational = memoryStore({ capabilities: { commit: { coordinates: true } } });
});

/** One process: all of them share the databases. */
function open(commit: Parameters<typeof Storeweave.open>[0]['commit'] = {}): Promise<Storeweave> {
  return Storeweave.open({
    entities: [Account, Wallet],
    stores: { relational, document: mongodb({ url }) },
    commit: { relay: false, ...commit },
  });
}

it('writes both or none', async () => {
  await using weave = await open();
  await weave.transaction(async (uow) => {
    uow.create(Account, { id: 1, balance: 10 });
    uow.create(Wallet, { id: 1, name: 'ada', balance: 0 });
    uow.create(Wallet, { id: 2, name: 'bob', balance: 0 });
  });
  await weave.transaction(async (uow) => {
    const account = await uow.repository(Account).findOneOrFail({});
    const [ada, bob] = await uow.repository(Wallet).find({ orderBy: { id: 'asc' } });
    if (ada === undefined || bob === undefined) throw new Error('not there');
    account.balance -= 3;
    ada.balance += 3;
    [ada.name, bob.name] = ['bob', 'ada'];
  });
  const taken = weave.transaction(async (uow) => {
    (await uow.repository(Account).findOneOrFail({})).balance = 99;
    uow.create(Wallet, { id: 3, name: 'ada', balance: 0 });
  });
  await expect(taken).rejects.toThrow(UniqueViolationError);
  const wallets = await weave.repository(Wallet).find({ orderBy: { id: 'asc' } });
  expect(wallets.map(({ name, balance, version }) => [name, balance, version])).toEqual([
    ['bob', 3, 2],
    ['ada', 0, 2],
  ]);
  expect((await weave.repository(Account).findOneOrFail({})).balance).toBe(7);
});

it.each([
  ['after', 'fence'],
  ['before', 'apply'],
] as const)('is finished by whoever meets it, when its worker died %s %s', async (moment, step) => {
  await using weave = await open();
  await weave.repository(Wallet).insert({ id: 1, name: 'ada', balance: 0 });
  const dying = await open({ onStep: diesAt(moment, step) });
  const work = dying.transaction({ retries: 0 }, async (uow) => {
    uow.create(Account, { id: 1, balance: 1 });
    (await uow.repository(Wallet).findOneOrFail({})).name = 'eve';
    uow.create(Wallet, { id: 2, name: 'bob', balance: 0 });
  });
  await (step === 'fence' ? expect(work).rejects.toThrow('died') : work);
  const decided = step === 'apply';
  expect((await weave.repository(Wallet).find()).map(({ name }) => name)).toEqual(['ada']);
  expect(await weave.repository(Account).count()).toBe(decided ? 1 : 0);
  // A writer of one store alone meets a fence, and everything is settled before it writes.
  const meeting = weave.repository(Wallet).insert({ id: 3, name: 'eve', balance: 0 });
  await (decided ? expect(meeting).rejects.toThrow(UniqueViolationError) : meeting);
  const names = (await weave.repository(Wallet).find({ orderBy: { id: 'asc' } })).map(({ id, name }) => [id, name]);
  expect(names).toEqual(
    decided
      ? [
          [1, 'eve'],
          [2, 'bob'],
        ]
      : [
          [1, 'ada'],
          [3, 'eve'],
        ],
  );
  await dying.close();
});

it('loses nothing where many move what is there', async () => {
  const weaves = await Promise.all([open(), open(), open()]);
  const [weave] = weaves as [Storeweave, Storeweave, Storeweave];
  await weave.repository(Account).insert([0, 1, 2].map((id) => ({ id, balance: 100 })));
  await weave.repository(Wallet).insert([0, 1, 2].map((id) => ({ id, name: `w${id}`, balance: 100 })));
  const moves = Array.from({ length: 24 }, (_, i) =>
    (weaves[i % 3] as Storeweave).transaction({ retries: 50 }, async (uow) => {
      const account = await uow.repository(Account).findById(i % 3);
      const wallet = await uow.repository(Wallet).findById((i * 2) % 3);
      if (account === null || wallet === null) throw new Error('not there');
      account.balance -= i;
      wallet.balance += i;
    }),
  );
  const results = await Promise.allSettled(moves);
  const failures = results.flatMap((each) => (each.status === 'rejected' ? [each.reason as { code?: string }] : []));
  for (const { code } of failures) expect(['OPTIMISTIC_LOCK', 'FENCED', 'SERIALIZATION_FAILURE']).toContain(code);
  const moved = results.reduce((sum, each, i) => sum + (each.status === 'fulfilled' ? i : 0), 0);
  const sum = (all: readonly { balance: number }[]) => all.reduce((total, { balance }) => total + balance, 0);
  expect(sum(await weave.repository(Account).find())).toBe(300 - moved);
  expect(sum(await weave.repository(Wallet).find())).toBe(300 + moved);
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
  await Promise.all(weaves.map((each) => each.close()));
});
