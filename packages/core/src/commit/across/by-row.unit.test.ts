/** A deletion by filter in a unit of work over several databases: what matched when it was asked for must still match. */
import { expect, it } from 'vitest';
import { OptimisticLockError } from '../../errors/errors.js';
import { Account, contents, makeStores, open, Profile } from './across.fixture.js';

it('deletes no row that somebody has changed before it was fenced', async () => {
  const stores = makeStores();
  const other = await open(stores);
  await other.transaction((uow) => void uow.create(Profile, { nick: 'ada', about: 'old' }));
  let isFirst = true;
  const weave = await open(stores, {
    onStep: async ({ step, moment }) => {
      if (step !== 'fence' || moment !== 'before' || !isFirst) return;
      isFirst = false;
      await other.transaction((uow) => uow.repository(Profile).update({ nick: 'ada' }, { about: 'new' }));
    },
  });
  const run = () =>
    weave.transaction(async (uow) => {
      uow.create(Account, { name: 'Ada' });
      return uow.repository(Profile).delete({ about: 'old' });
    });
  await expect(run()).rejects.toThrow(OptimisticLockError);
  expect(await contents(stores)).toEqual({ accounts: [], profiles: ['ada: new'], visits: 0 });
  expect(await run()).toBe(0);
  expect(await contents(stores)).toEqual({ accounts: ['Ada'], profiles: ['ada: new'], visits: 0 });
  await weave.close();
  await other.close();
});
