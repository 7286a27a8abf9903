/** Commits over several transaction domains, with faults at every step: wholly there or wholly not, whatever happens. */
import { describe, expect, it } from 'vitest';
import {
  CapabilityError,
  InvalidStateError,
  OptimisticLockError,
  SerializationError,
  UniqueViolationError,
} from '../../errors/errors.js';
import {
  Account,
  contents,
  drain,
  dying,
  makeStores,
  NOTHING,
  open,
  Profile,
  Visit,
  WHOLE,
  writeAll,
} from './across.fixture.js';

describe('a unit of work over three databases', () => {
  it('is there as a whole, and its receipt says so', async () => {
    const stores = makeStores();
    const weave = await open(stores);
    const uow = await weave.transaction(async (unit) => {
      writeAll(unit);
      return unit;
    });
    expect(uow.receipt).toMatchObject({
      id: uow.id,
      status: 'applied',
      stores: { document: 'applied', timeseries: 'applied' },
      rows: 3,
    });
    await weave.close();
    expect(await contents(stores)).toEqual(WHOLE);
  });

  it('changes, deletes and inserts after flushes in between, which its own reads see', async () => {
    const stores = makeStores();
    const weave = await open(stores);
    await weave.transaction(async (uow) => {
      writeAll(uow);
      uow.create(Profile, { nick: 'bob' });
      expect(await uow.repository(Profile).count()).toBe(2);
    });
    await weave.transaction(async (uow) => {
      const [account] = await uow.repository(Account).find();
      const [ada, bob] = await uow.repository(Profile).find({ orderBy: { nick: 'asc' } });
      if (account === undefined || ada === undefined || bob === undefined) throw new Error('not there');
      account.name = 'Ada L.';
      ada.about = 'y';
      expect(await uow.repository(Profile).count({ about: 'y' })).toBe(1);
      ada.about = 'z';
      uow.remove(bob);
      await uow.repository(Profile).insert({ nick: 'eve' });
      await uow.repository(Visit).insert({ page: '/b', at: new Date(1), seconds: 2 });
    });
    const [ada] = await weave.repository(Profile).find({ where: { nick: 'ada' } });
    expect(ada?.version).toBe(3);
    await weave.close();
    expect(await contents(stores)).toEqual({ accounts: ['Ada L.'], profiles: ['ada: z', 'eve: -'], visits: 2 });
  });

  it('is refused as a whole by a constraint or version of a participant', async () => {
    const stores = makeStores();
    const weave = await open(stores);
    await weave.transaction(async (uow) => uow.create(Profile, { nick: 'ada' }));
    const [stale] = await weave.repository(Profile).find();
    if (stale === undefined) throw new Error('not there');
    await expect(weave.transaction(async (uow) => writeAll(uow))).rejects.toThrow(UniqueViolationError);
    await weave.transaction(async (uow) => {
      const [fresh] = await uow.repository(Profile).find();
      if (fresh !== undefined) fresh.about = 'changed';
    });
    const late = weave.transaction(async (uow) => {
      uow.add(stale);
      stale.about = 'late';
      uow.create(Account, { name: 'Ada' });
    });
    await expect(late).rejects.toThrow(OptimisticLockError);
    await weave.close();
    expect(await contents(stores)).toEqual({ ...NOTHING, profiles: ['ada: changed'] });
  });

  it('may change rows by a filter, in whatever order', async () => {
    const stores = makeStores();
    const weave = await open(stores);
    await weave.repository(Profile).insert([{ nick: 'ada' }, { nick: 'bob' }, { nick: 'eve' }]);
    await weave.transaction(async (uow) => {
      const profiles = uow.repository(Profile);
      expect(await profiles.update({ nick: { in: ['ada', 'bob'] } }, { about: 'bulk' })).toBe(2);
      expect(await profiles.count({ about: 'bulk' })).toBe(2);
      expect(await profiles.delete({ nick: 'eve' })).toBe(1);
      await profiles.upsert([{ nick: 'bob', about: 'again' }, { nick: 'new' }], { on: ['nick'] });
      uow.create(Account, { name: 'Ada' });
    });
    await weave.transaction(async (uow) => {
      uow.create(Account, { name: 'Bob' });
      expect(await uow.repository(Profile).update({ nick: 'ada' }, { about: 'later' })).toBe(1);
    });
    const [ada] = await weave.repository(Profile).find({ where: { nick: 'ada' } });
    expect(ada?.version).toBe(3);
    await weave.close();
    expect(await contents(stores)).toEqual({
      accounts: ['Ada', 'Bob'],
      profiles: ['ada: later', 'bob: again', 'new: -'],
      visits: 0,
    });
  });

  it('refuses what cannot be repeated after the decision, and keeps nothing', async () => {
    const stores = makeStores();
    const weave = await open(stores);
    await weave.transaction(async (uow) => uow.create(Profile, { nick: 'ada', about: 'x' }));
    const bulk = weave.transaction(async (uow) => {
      uow.create(Account, { name: 'Ada' });
      await uow.documents(Profile).patch({ nick: 'ada' }, { set: { about: 'patched' } });
    });
    await expect(bulk).rejects.toThrow(CapabilityError);
    const native = weave.transaction(async (uow) => {
      uow.create(Account, { name: 'Ada' });
      await uow.native('document');
    });
    await expect(native).rejects.toThrow(/native work/);
    await weave.close();
    expect(await contents(stores)).toEqual({ ...NOTHING, profiles: ['ada: x'] });
  });

  it('keeps several writes of points together, though their store has no transactions', async () => {
    const stores = makeStores();
    const weave = await open(stores);
    await weave.transaction(async (uow) => {
      await uow.series(Visit).insert({ page: '/a', at: new Date(1), seconds: 1 });
      await uow.series(Visit).insert({ page: '/b', at: new Date(2), seconds: 2 });
      uow.create(Visit, { page: '/c', at: new Date(3), seconds: 3 });
      expect(await uow.repository(Visit).count()).toBe(0);
    });
    const failing = weave.transaction(async (uow) => {
      await uow.series(Visit).insert({ page: '/d', at: new Date(4), seconds: 4 });
      uow.create(Account, { name: 'Ada' });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    for (const first of ['points', 'account']) {
      const mixed = weave.transaction(async (uow) => {
        if (first === 'points') await uow.repository(Visit).delete({ page: '/a' });
        uow.create(Account, { name: 'Ada' });
        await uow.flush();
        if (first === 'account') await uow.repository(Visit).delete({ page: '/a' });
      });
      await expect(mixed).rejects.toThrow(CapabilityError);
    }
    await weave.close();
    expect(await contents(stores)).toEqual({ ...NOTHING, visits: 2 });
  });

  it('pays nothing where one database is written to', async () => {
    const stores = makeStores();
    const steps: string[] = [];
    const weave = await open(stores, { onStep: ({ step }) => void steps.push(step) });
    await weave.transaction(async (uow) => uow.create(Account, { name: 'Ada' }));
    await weave.transaction(async (uow) => uow.create(Profile, { nick: 'ada' }));
    await weave.transaction(async (uow) => uow.create(Visit, { page: '/', at: new Date(0), seconds: 1 }));
    expect(steps).toEqual([]);
    await weave.close();
    expect(await contents(stores)).toEqual({ accounts: ['Ada'], profiles: ['ada: -'], visits: 1 });
  });
});

describe('a session that does not wait for applying', () => {
  it('waits for it where it next looks, and only there', async () => {
    const stores = makeStores();
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const weave = await open(stores, {
      onStep: ({ step, moment }) => (step === 'apply' && moment === 'before' ? held : undefined),
    });
    await using session = weave.session({ await: 'decided' });
    session.create(Account, { name: 'Ada' });
    session.create(Profile, { nick: 'ada' });
    expect(await session.commit()).toMatchObject({ status: 'pending', stores: { document: 'pending' } });
    expect(await session.repository(Account).count()).toBe(1);
    expect(await weave.repository(Profile).count()).toBe(0);
    const count = session.repository(Profile).count();
    release();
    expect(await count).toBe(1);
    await weave.close();
  });

  it('is told the truth where applying takes longer than it waits', async () => {
    const stores = makeStores();
    const { listener } = dying('apply', 'before');
    const weave = await open(stores, { onStep: listener });
    const uow = await weave.transaction({ awaitMs: 20 }, async (unit) => {
      writeAll(unit);
      return unit;
    });
    expect(uow.receipt).toMatchObject({ status: 'pending', stores: { document: 'pending', timeseries: 'pending' } });
    await drain(stores);
    expect(await contents(stores)).toEqual(WHOLE);
  });
});

describe('a guarded entity', () => {
  for (const withOther of [true, false]) {
    it(`refuses the commit where it has changed, ${withOther ? 'with' : 'without'} another database`, async () => {
      const stores = makeStores();
      const weave = await open(stores);
      const other = await open(stores);
      await weave.repository(Profile).insert([{ nick: 'ada' }, { nick: 'bob' }]);
      const guarded = (meanwhile: () => Promise<unknown>) =>
        weave.transaction(async (uow) => {
          const [ada] = await uow.repository(Profile).find({ where: { nick: 'ada' } });
          if (ada === undefined) throw new Error('not there');
          uow.guard(ada);
          if (withOther) uow.create(Account, { name: 'Ada' });
          else uow.create(Profile, { nick: `of ${ada.version}` });
          await meanwhile();
        });
      await expect(guarded(() => other.repository(Profile).update({ nick: 'ada' }, { about: 'x' }))).rejects.toThrow(
        OptimisticLockError,
      );
      await guarded(() => other.repository(Profile).update({ nick: 'bob' }, { about: 'y' }));
      expect(await other.repository(Profile).findOne({ where: { nick: 'ada' } })).toMatchObject({ version: 2 });
      await other.close();
      await weave.close();
      expect(await contents(stores)).toEqual({
        accounts: withOther ? ['Ada'] : [],
        profiles: ['ada: x', 'bob: y', ...(withOther ? [] : ['of 2: -'])],
        visits: 0,
      });
    });
  }

  it('is locked and compared in the store that decides', async () => {
    const stores = makeStores();
    const weave = await open(stores);
    const other = await open(stores);
    await weave.repository(Account).insert({ name: 'Ada' });
    const guarded = weave.transaction(async (uow) => {
      const [ada] = await uow.repository(Account).find();
      if (ada === undefined) throw new Error('not there');
      uow.guard(ada);
      uow.create(Profile, { nick: 'ada' });
      await other.repository(Account).update({ name: 'Ada' }, { name: 'Bob' });
    });
    await expect(guarded).rejects.toThrow(OptimisticLockError);
    await other.close();
    await weave.close();
    expect(await contents(stores)).toEqual({ accounts: ['Bob'], profiles: [], visits: 0 });
  });
});

describe('a settled read', () => {
  it('never sees half of a unit of work', async () => {
    const stores = makeStores();
    const weave = await open(stores);
    await weave.transaction(async (uow) => {
      uow.create(Account, { name: '0' });
      uow.create(Profile, { nick: 'ada', about: '0' });
    });
    let isOver = false;
    let seen = 0;
    const writer = (async () => {
      // On a busy machine a reader gets through less often.
      for (let n = 1; n <= 40 || (seen < 4 && n <= 400); n++) {
        await weave.transaction({ await: 'decided' }, async (uow) => {
          for (const account of await uow.repository(Account).find()) account.name = String(n);
          for (const profile of await uow.repository(Profile).find()) profile.about = String(n);
        });
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 25));
      }
      isOver = true;
    })();
    const other = await open(stores);
    while (!isOver) {
      try {
        const [account, profile] = await other.settled(async (reader) => [
          await reader.repository(Account).findOneOrFail(),
          await reader.repository(Profile).findOneOrFail(),
        ]);
        expect(profile?.about).toBe(account?.name);
        seen++;
      } catch (error) {
        // Where the machine is so busy that no two reads are alike, it says so and gives nothing.
        if (!(error instanceof SerializationError)) throw error;
      }
    }
    await writer;
    expect(seen).toBeGreaterThan(3);
    await other.close();
    await weave.close();
  });

  it('finishes what a dead process had decided, points included', async () => {
    const stores = makeStores();
    const { listener, died } = dying('apply', 'before');
    const dead = await open(stores, { onStep: listener });
    dead.transaction(async (uow) => writeAll(uow)).catch(() => {});
    await died;
    const weave = await open(stores);
    expect(await weave.repository(Profile).count()).toBe(0);
    expect(await weave.repository(Profile).find({ consistency: 'settled' })).toHaveLength(1);
    expect(await weave.settled((reader) => reader.repository(Visit).find())).toHaveLength(1);
    await expect(
      weave.transaction(async (uow) => uow.repository(Profile).find({ consistency: 'settled' })),
    ).rejects.toThrow(InvalidStateError);
    await expect(weave.settled((reader) => reader.repository(Profile).insert({ nick: 'no' }))).rejects.toThrow(
      CapabilityError,
    );
    await weave.close();
  });
});
