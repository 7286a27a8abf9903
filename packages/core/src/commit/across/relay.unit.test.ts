/** What a relay does with a journal that is long, and with stores that are down. */
import { describe, expect, it } from 'vitest';
import { ConnectionError } from '../../errors/errors.js';
import { Account, contents, makeStores, open, Profile, type Stores, Visit } from './across.fixture.js';
import type { StepEvent } from './steps.js';

/** Decides units of work over all stores, none of which is applied anywhere. */
async function decide(stores: Stores, count: number): Promise<void> {
  const refuse = () => Promise.reject(new ConnectionError('The process died here.'));
  const { participant } = stores.document;
  const down = [takeDown(stores.document, 'apply', refuse), takeDown(stores.timeseries, 'write', refuse)];
  const weave = await open(stores);
  for (let n = 0; n < count; n++) {
    await weave.transaction(async (uow) => {
      uow.create(Account, { name: `a${n}` });
      uow.create(Profile, { nick: `p${n}` });
      uow.create(Visit, { page: `/${n}`, at: new Date(n), seconds: 1 });
    });
  }
  await weave.close();
  for (const up of down) up();
  expect(stores.document.participant).toBe(participant);
}

/** Until it is called, the store answers these calls with an error. */
function takeDown(
  store: Stores['document'],
  call: 'apply' | 'owners' | 'write',
  refuse: () => Promise<never>,
): () => void {
  const target = (call === 'write' ? store : store.participant) as unknown as Record<string, unknown>;
  const names = call === 'apply' ? ['apply', 'applyMany'] : [call];
  const own = names.map((name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const);
  for (const name of names) Object.defineProperty(target, name, { value: refuse, configurable: true });
  return () => {
    for (const [name, before] of own) {
      if (before === undefined) delete target[name];
      else Object.defineProperty(target, name, before);
    }
  };
}

const gone = () => Promise.reject(new ConnectionError('document is down'));

describe('drain', () => {
  it('finishes more than a page holds, and marks what it has applied, nothing before, while it applies the next page', async () => {
    const stores = makeStores();
    await decide(stores, 2_100);
    const applied = new Map<string, number>();
    const marked: string[] = [];
    let tell: () => void = () => {};
    const next = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const onStep = async ({ step, moment, store, unitOfWork, unitsOfWork = [unitOfWork] }: StepEvent) => {
      if (step === 'apply' && moment === 'before' && store === 'timeseries' && applied.size > 0) tell();
      if (step === 'apply' && moment === 'after') {
        for (const each of unitsOfWork) applied.set(each, (applied.get(each) ?? 0) + 1);
      }
      if (step !== 'done' || moment !== 'before') return;
      expect(unitsOfWork.map((each) => applied.get(each))).toEqual(unitsOfWork.map(() => 2));
      marked.push(...unitsOfWork);
      await next;
    };
    const weave = await open(stores, { onStep });
    expect(await weave.journal.stats()).toMatchObject({ open: 2_100 });
    expect(await weave.journal.drain()).toStrictEqual({ finished: 2_100, failed: 0 });
    await weave.close();
    expect([applied.size, new Set(marked).size, marked.length]).toEqual([2_100, 2_100, 2_100]);
    const { profiles, visits } = await contents(stores);
    expect([profiles.length, visits]).toEqual([2_100, 2_100]);
  });

  it('throws where what it has applied cannot be marked, and finishes it the next time', async () => {
    const stores = makeStores();
    await decide(stores, 2_100);
    const onStep = ({ step }: StepEvent) => {
      if (step === 'done') throw new ConnectionError('relational is down');
    };
    const weave = await open(stores, { onStep });
    await expect(weave.journal.drain()).rejects.toThrow('relational is down');
    expect(await weave.journal.stats()).toMatchObject({ open: 2_100 });
    await weave.close();
    const other = await open(stores);
    expect(await other.journal.drain()).toStrictEqual({ finished: 2_100, failed: 0 });
    await other.close();
    expect((await contents(stores)).visits).toBe(2_100);
  });

  it('says that a store is down, and settles the others all the same', async () => {
    const stores = makeStores();
    await decide(stores, 30);
    const up = takeDown(stores.document, 'apply', gone);
    const weave = await open(stores);
    const report = await weave.journal.drain();
    expect(report).toMatchObject({ finished: 0, error: { message: 'document is down' } });
    // The decided ones, and the fences of each that still stand.
    expect(report.failed).toBeGreaterThanOrEqual(30);
    expect((await contents(stores)).visits).toBe(30);
    const [first] = await weave.journal.list();
    // Once by their own process, and now.
    expect(first).toMatchObject({ attempts: 2, error: 'ConnectionError: document is down', dead: false });
    up();
    expect(await weave.journal.drain()).toStrictEqual({ finished: 30, failed: 0 });
    await weave.close();
    expect((await contents(stores)).profiles).toHaveLength(30);
  });

  it('says so where a store cannot be asked for its fences', async () => {
    const stores = makeStores();
    const weave = await open(stores);
    const up = takeDown(stores.document, 'owners', gone);
    expect(await weave.journal.drain()).toMatchObject({
      finished: 0,
      failed: 1,
      error: { message: 'document is down' },
    });
    up();
    expect(await weave.journal.drain()).toStrictEqual({ finished: 0, failed: 0 });
    await weave.close();
  });
});

describe('a relay', () => {
  it('comes back to what failed when its store is up again, and finishes what is new meanwhile', async () => {
    const stores = makeStores();
    await decide(stores, 5);
    let up = takeDown(stores.document, 'apply', gone);
    const weave = await open(stores, { relay: { intervalMs: 10, minAgeMs: 0 } });
    await expect
      .poll(async () => (await weave.journal.list()).map(({ attempts }) => attempts > 0))
      .toEqual(Array(5).fill(true));
    up();
    up = takeDown(stores.timeseries, 'write', () => Promise.reject(new ConnectionError('timeseries is down')));
    await expect
      .poll(async () => (await weave.journal.list())[0]?.error, { timeout: 10_000 })
      .toMatch('timeseries is down');
    up();
    await expect.poll(() => weave.journal.stats(), { timeout: 10_000 }).toMatchObject({ open: 0, dead: 0 });
    await weave.close();
    expect(await contents(stores)).toMatchObject({
      profiles: Array.from({ length: 5 }, (_, n) => `p${n}: -`),
      visits: 5,
    });
  });
});
