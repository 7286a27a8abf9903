/** Fences whose unit of work was never decided are taken off, each by itself. */
import { expect, it } from 'vitest';
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
