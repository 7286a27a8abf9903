/** The coordinator's own writes in a commit over several databases: sent beside the fences, refused with them. */
import { expect, it } from 'vitest';
import { OptimisticLockError } from '../../errors/errors.js';
import { Storeweave } from '../../weave/storeweave.js';
import {
  Account,
  contents,
  makeStores,
  NOTHING,
  open,
  Profile,
  type Stores,
  Visit,
  WHOLE,
  writeAll,
} from './across.fixture.js';

/** Resolves when both have come. */
function meeting(): { comes(who: 'write' | 'fence'): Promise<void> } {
  const missing = new Set(['write', 'fence']);
  let tell: () => void = () => {};
  const all = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return {
    comes: (who) => {
      missing.delete(who);
      if (missing.size === 0) tell();
      return all;
    },
  };
}

/** From now on the coordinator's writes and the fences wait for each other. */
function letMeet({ relational, document }: Stores): void {
  const { comes } = meeting();
  const { participant } = document;
  const fence = participant?.fence?.bind(participant);
  if (participant === undefined || fence === undefined) throw new Error('The store takes no fences.');
  participant.fence = async (...args) => {
    await comes('fence');
    return fence(...args);
  };
  const write = relational.write.bind(relational);
  relational.write = async (...args) => {
    await comes('write');
    return write(...args);
  };
}

it('go beside the fences', async () => {
  const stores = makeStores();
  const weave = await open(stores);
  letMeet(stores);
  await weave.transaction(async (uow) => writeAll(uow));
  await weave.close();
  expect(await contents(stores)).toEqual(WHOLE);
});

it('come before the fences where a hook looks at the stages of the commit', async () => {
  const stores = makeStores();
  const names: string[] = [];
  const weave = await Storeweave.open({
    entities: [Account, Profile, Visit],
    stores: { ...stores },
    hooks: [{ beforeFence: () => void names.push('fence') }],
    commit: { relay: false },
  });
  const { relational } = stores;
  const write = relational.write.bind(relational);
  relational.write = async (batch, access) => {
    names.push('write');
    return write(batch, access);
  };
  await weave.transaction(async (uow) => writeAll(uow));
  await weave.close();
  expect(names).toEqual(['write', 'fence']);
});

it('take the fences with them where they are refused', async () => {
  const stores = makeStores();
  const weave = await open(stores);
  await weave.transaction(async (uow) => uow.create(Account, { name: 'Ada' }));
  const [stale] = await weave.repository(Account).find();
  if (stale === undefined) throw new Error('not there');
  await weave.repository(Account).update({ name: 'Ada' }, { name: 'Bob' });
  const late = weave.transaction(async (uow) => {
    uow.add(stale);
    stale.name = 'late';
    uow.create(Profile, { nick: 'ada' });
  });
  await expect(late).rejects.toThrow(OptimisticLockError);
  // Nothing holds its unique value any more.
  await weave.repository(Profile).insert({ nick: 'ada' });
  await weave.close();
  expect(await contents(stores)).toEqual({ ...NOTHING, accounts: ['Bob'], profiles: ['ada: -'] });
});
