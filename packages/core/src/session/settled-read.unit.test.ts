/** What a settled read makes of records that come and go while it looks. */
import { expect, it } from 'vitest';
import { Account, makeStores, open, Profile } from '../commit/across/across.fixture.js';
import { ConnectionError } from '../errors/errors.js';

it('does not take for absent what came after its first look and is on its way out again', async () => {
  const stores = makeStores();
  const writer = await open(stores);
  const weave = await open(stores);
  const { participant } = stores.document;
  const { owners, apply } = participant ?? {};
  let isLeaving = false;
  const leave = async () => {
    isLeaving = true;
    const down = { value: () => Promise.reject(new ConnectionError('document is down')), configurable: true };
    Object.defineProperties(participant, { apply: down, applyMany: down });
    await writer.transaction({ await: 'decided' }, async (uow) => {
      uow.remove(await uow.repository(Account).find());
      uow.remove(await uow.repository(Profile).find());
    });
    // The store is up again, and nobody has applied it yet.
    await expect.poll(() => writer.journal.stats()).toMatchObject({ open: 1 });
    Object.defineProperties(participant, { apply: { value: apply }, applyMany: { value: undefined } });
  };
  Object.defineProperty(participant, 'owners', {
    value: async (...args: Parameters<NonNullable<typeof owners>>) => {
      const found = (await owners?.apply(participant, args)) ?? [];
      if (!isLeaving) await leave();
      return found;
    },
  });
  let reads = 0;
  const [accounts, profiles] = await weave.settled(async (reader) => {
    const before = await reader.repository(Account).find();
    if (reads++ === 0) {
      await writer.transaction(async (uow) => {
        uow.create(Account, { name: 'Ada' });
        uow.create(Profile, { nick: 'ada' });
      });
      await expect.poll(() => writer.journal.stats()).toMatchObject({ open: 0 });
    }
    return [before, await reader.repository(Profile).find()];
  });
  expect(isLeaving).toBe(true);
  expect([accounts?.length, profiles?.length]).toEqual([0, 0]);
  await writer.close();
  await weave.close();
});
