/** Fences whose unit of work was never decided are taken off, each by itself. */
import { expect, it } from 'vitest';
import { TimeoutError } from '../../errors/errors.js';
import { Account, contents, dying, makeStores, open, Profile } from './across.fixture.js';

it('takes off the fences of one although those of another cannot be settled', async () => {
  const stores = makeStores();
  const left: string[] = [];
  for (const nick of ['ada', 'bob']) {
    const { listener, died } = dying('decide', 'before');
    const dead = await open(stores, { onStep: listener });
    const work = dead.transaction(async (uow) => {
      left.push(uow.id);
      uow.create(Account, { name: nick });
      uow.create(Profile, { nick });
    });
    work.catch(() => {});
    await died;
    stores.relational.domain.abandonAll();
  }
  let isFirst = true;
  const weave = await open(stores, {
    onStep: ({ step, moment }) => {
      if (step !== 'settle' || moment !== 'before' || !isFirst) return;
      isFirst = false;
      throw new Error('the coordinator does not answer');
    },
  });
  const report = await weave.journal.drain();
  expect(report).toMatchObject({ finished: 0, failed: 1, error: { message: 'the coordinator does not answer' } });
  const owners = await stores.document.participant?.owners?.(10, {});
  expect(owners?.map(({ unitOfWork }) => unitOfWork)).toEqual([expect.toBeOneOf(left)]);
  await weave.journal.drain();
  expect(await stores.document.participant?.owners?.(10, {})).toEqual([]);
  await weave.close();
  expect(await contents(stores)).toEqual({ accounts: [], profiles: [], visits: 0 });
});

it('waits for no store without a limit, whoever meets the fence', async () => {
  const stores = makeStores();
  const { listener, died } = dying('decide', 'before');
  const dead = await open(stores, { onStep: listener });
  dead
    .transaction(async (uow) => uow.create(Profile, { nick: 'ada' }) && uow.create(Account, { name: 'ada' }))
    .catch(() => {});
  await died;
  stores.relational.domain.abandonAll();
  const limits: (number | undefined)[] = [];
  const { participant } = stores.document;
  const { unfenceAll } = participant ?? {};
  Object.defineProperty(participant, 'unfenceAll', {
    value: (...args: Parameters<NonNullable<typeof unfenceAll>>) => {
      limits.push(args[1].timeoutMs);
      // As a store does where somebody who is dead has locked what is to be changed.
      return limits.length < 3 ? Promise.reject(new TimeoutError('locked')) : unfenceAll?.apply(participant, args);
    },
  });
  const weave = await open(stores);
  await expect(weave.repository(Profile).find({ consistency: 'settled' })).rejects.toThrow(TimeoutError);
  await weave.transaction(async (uow) => uow.create(Profile, { nick: 'ada' }) && uow.create(Account, { name: 'bob' }));
  expect(limits.length).toBeGreaterThanOrEqual(3);
  expect(limits.every((limit) => limit !== undefined && limit <= 15_000)).toBe(true);
  await weave.close();
  expect((await contents(stores)).accounts).toEqual(['bob']);
});
