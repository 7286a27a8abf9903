/** Two units of work that lock the same rows of two databases in opposite order: no database sees that they never end. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DeadlockError } from '../../errors/errors.js';
import type { Storeweave } from '../../weave/storeweave.js';
import { Account, contents, makeStores, open, Profile, type Stores } from './across.fixture.js';

let stores: Stores;
let weave: Storeweave;

beforeEach(async () => {
  stores = makeStores();
  weave = await open(stores, { waitMs: 100 });
  await weave.transaction((uow) => {
    uow.create(Account, { name: 'first' });
    uow.create(Profile, { nick: 'first' });
  });
});
afterEach(() => weave.close());

/** Both change both rows, the one first what the other changes last, and wait for each other in between. */
async function cross(retries: number) {
  let arrived = 0;
  let meet: () => void = () => {};
  const met = new Promise<void>((resolve) => {
    meet = resolve;
  });
  const meeting = async () => {
    arrived += 1;
    if (arrived === 2) meet();
    await met;
  };
  const run = (name: string, isForward: boolean) =>
    weave.transaction({ retries }, async (uow) => {
      const account = await uow.repository(Account).findOneOrFail({ where: { name: { ne: '' } } });
      const profile = await uow.repository(Profile).findOneOrFail({ where: { nick: 'first' } });
      const steps = [() => Object.assign(account, { name }), () => Object.assign(profile, { about: name })];
      for (const step of isForward ? steps : steps.reverse()) {
        step();
        await uow.flush();
        await meeting();
      }
    });
  return Promise.allSettled([run('one', true), run('other', false)]);
}

it('ends for one of them with an error that is worth another try', async () => {
  const results = await cross(0);
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as DeadlockError] : []));
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.filter((error) => error instanceof DeadlockError)).not.toHaveLength(0);
  for (const error of failed.filter((each) => each instanceof DeadlockError)) {
    expect(error).toMatchObject({ isRetryable: true, code: 'DEADLOCK' });
    expect(error.message).toMatch(/several databases locked.*waitMs/);
  }
});

it('is got over by trying again', async () => {
  const results = await cross(5);
  expect(results.map(({ status }) => status)).toStrictEqual(['fulfilled', 'fulfilled']);
  const { accounts, profiles } = await contents(stores);
  expect(profiles).toStrictEqual([`first: ${accounts[0]}`]);
});
