/** Faults at every step of a commit over several databases, and who meets what they leave. */
import { describe, expect, it } from 'vitest';
import { FencedError, OptimisticLockError } from '../../errors/errors.js';
import {
  Account,
  contents,
  drain,
  dying,
  makeStores,
  NOTHING,
  open,
  Profile,
  WHOLE,
  writeAll,
} from './across.fixture.js';
import type { CommitStep, StepEvent } from './steps.js';

const STEPS: readonly CommitStep[] = ['claim', 'record', 'fence', 'decide', 'apply', 'done'];
const MOMENTS: readonly StepEvent['moment'][] = ['before', 'after'];

describe('whoever dies', () => {
  for (const step of STEPS) {
    for (const moment of MOMENTS) {
      it(`${moment} ${step} leaves a whole`, async () => {
        const stores = makeStores();
        const { listener, died } = dying(step, moment);
        const weave = await open(stores, { onStep: listener });
        const work = weave.transaction(async (uow) => writeAll(uow)).catch(() => {});
        await Promise.race([died, work.then(() => died)]);
        const isDecided = ['decide after', 'apply before', 'apply after', 'done before', 'done after'];
        stores.relational.domain.abandonAll();
        await drain(stores);
        expect(await contents(stores)).toEqual(isDecided.includes(`${step} ${moment}`) ? WHOLE : NOTHING);
        const after = await open(stores);
        await after.transaction(async (uow) =>
          uow.create(Profile, { nick: isDecided.includes(`${step} ${moment}`) ? 'eve' : 'ada' }),
        );
        expect(await after.journal.stats()).toMatchObject({ open: 0, dead: 0 });
        await after.close();
      });

      it(`whose step fails ${moment} ${step} is told the truth`, async () => {
        const stores = makeStores();
        let isDone = false;
        const onStep = (event: StepEvent) => {
          if (isDone || event.step !== step || event.moment !== moment) return;
          isDone = true;
          throw new Error('a fault');
        };
        const weave = await open(stores, { onStep });
        const outcome = await weave
          .transaction({ retries: 0 }, async (uow) => {
            writeAll(uow);
            return uow;
          })
          .then(
            (uow) => uow.receipt?.status,
            () => 'refused',
          );
        await weave.close();
        await drain(stores);
        expect(await contents(stores)).toEqual(outcome === 'refused' ? NOTHING : WHOLE);
        const refused = ['claim', 'record', 'fence'].includes(step) || (step === 'decide' && moment === 'before');
        expect(outcome).toBe(refused ? 'refused' : step === 'apply' ? 'pending' : 'applied');
      });
    }
  }
});

describe('who meets a fence', () => {
  it('settles it, and then makes its own change', async () => {
    const stores = makeStores();
    const first = await open(stores);
    await first.transaction(async (uow) => {
      uow.create(Account, { name: 'Ada' });
      uow.create(Profile, { nick: 'ada' });
    });
    for (const [moment, about] of [
      ['before', '+'],
      ['after', 'decided+'],
    ] as const) {
      const { listener, died } = dying('decide', moment);
      const dead = await open(stores, { onStep: listener });
      const work = dead.transaction(async (uow) => {
        for (const profile of await uow.repository(Profile).find()) profile.about = 'decided';
        for (const account of await uow.repository(Account).find()) account.name += '!';
      });
      work.catch(() => {});
      await died;
      stores.relational.domain.abandonAll();
      await first.transaction(async (uow) => {
        for (const profile of await uow.repository(Profile).find()) profile.about = `${profile.about ?? ''}+`;
      });
      const [profile] = await first.repository(Profile).find();
      expect(profile?.about).toBe(about);
      await first.repository(Profile).update({ nick: 'ada' }, { about: null });
    }
    await first.close();
  });

  it('waits no longer than its limit for one that is still under way', async () => {
    const stores = makeStores();
    const other = await open(stores);
    await other.transaction(async (uow) => uow.create(Profile, { nick: 'ada' }));
    const { listener, died } = dying('decide', 'before');
    const slow = await open(stores, { onStep: listener });
    const work = slow.transaction(async (uow) => {
      for (const profile of await uow.repository(Profile).find()) profile.about = 'slow';
      uow.create(Account, { name: 'Ada' });
    });
    work.catch(() => {});
    await died;
    const attempt = other.transaction({ timeoutMs: 300 }, async (uow) => {
      for (const profile of await uow.repository(Profile).find()) profile.about = 'quick';
    });
    await expect(attempt).rejects.toMatchObject({ code: 'TIMEOUT' });
    stores.relational.domain.abandonAll();
    await other.close();
  });

  it('of the same key at once: one wins, the others do it again, nothing is lost', async () => {
    const stores = makeStores();
    const weave = await open(stores);
    await weave.transaction(async (uow) => uow.create(Profile, { nick: 'ada', about: '' }));
    const writers = Array.from({ length: 8 }, (_, at) =>
      weave.transaction({ retries: 100 }, async (uow) => {
        const [profile] = await uow.repository(Profile).find();
        if (profile === undefined) throw new Error('not there');
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
        profile.about += String(at);
        uow.create(Account, { name: String(at) });
      }),
    );
    const results = await Promise.allSettled(writers);
    const won = results.flatMap((result, at) => (result.status === 'fulfilled' ? [String(at)] : []));
    for (const result of results) {
      if (result.status === 'rejected') {
        expect([OptimisticLockError, FencedError].some((kind) => result.reason instanceof kind)).toBe(true);
      }
    }
    await weave.close();
    const { accounts, profiles } = await contents(stores);
    expect(accounts).toEqual(won);
    expect([...(profiles[0]?.slice('ada: '.length) ?? '')].sort()).toEqual(won);
  });
});
