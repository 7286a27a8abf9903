/** The numbers of the steps of commits, taken from commits that are whole and from ones that a relay had to finish. */
import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { ConnectionError } from '../../errors/errors.js';
import { makeStores, open, writeAll } from './across.fixture.js';
import { StepMetrics } from './step-metrics.js';
import { COMMIT_CHANNEL } from './steps.js';

describe('StepMetrics', () => {
  it('counts and times each step in each store, by who takes it', async () => {
    using metrics = new StepMetrics();
    const stores = makeStores();
    const { apply } = stores.document.participant ?? {};
    let refusals = 1;
    Object.assign(stores.document.participant ?? {}, {
      applyMany: undefined,
      apply: async (...given: Parameters<NonNullable<typeof apply>>) => {
        await new Promise((resolve) => setTimeout(resolve, 15));
        if (refusals-- > 0) throw new ConnectionError('it is away');
        await apply?.call(stores.document.participant, ...given);
      },
    });
    const weave = await open(stores);
    await weave.transaction(async (uow) => writeAll(uow));
    expect(await weave.journal.drain()).toMatchObject({ finished: 1 });
    await weave.close();
    const found = metrics.summaries();
    const of = (step: string, store: string, by: string) =>
      found.find((each) => each.step === step && each.store === store && each.by === by);
    expect(of('decide', 'relational', 'worker')).toMatchObject({ count: 1, failures: 0, unitsOfWork: 1 });
    expect(of('apply', 'document', 'worker')).toMatchObject({ count: 1, failures: 1, unitsOfWork: 1 });
    expect(of('apply', 'document', 'relay')).toMatchObject({ count: 1, failures: 0, unitsOfWork: 1 });
    expect(of('apply', 'timeseries', 'worker')).toMatchObject({ count: 1, failures: 0 });
    const applied = of('apply', 'document', 'relay');
    expect(applied?.maxMs).toBeGreaterThan(10);
    expect(applied?.sumMs).toBe(applied?.maxMs);
  });

  it('sums up, keeps the longest, and gives what is not changed afterwards', () => {
    using metrics = new StepMetrics();
    const subject = { step: 'done', store: 'relational', by: 'relay', unitOfWork: 'a' };
    const publish = (event: object) => channel(COMMIT_CHANNEL).publish({ ...subject, ...event });
    publish({ moment: 'before' });
    expect(metrics.summaries()).toEqual([]);
    publish({ moment: 'after', ms: 2, unitsOfWork: ['a', 'b', 'c'] });
    const [early] = metrics.summaries();
    publish({ moment: 'failed', ms: 7, error: new Error('no') });
    publish({ moment: 'after', ms: 1 });
    const numbers = { count: 3, failures: 1, unitsOfWork: 5, sumMs: 10, maxMs: 7 };
    expect(metrics.summaries()).toEqual([{ step: 'done', store: 'relational', by: 'relay', ...numbers }]);
    expect(early).toMatchObject({ count: 1, sumMs: 2 });
  });

  it('costs nothing when it is closed: nobody listens any more', () => {
    const metrics = new StepMetrics();
    expect(channel(COMMIT_CHANNEL).hasSubscribers).toBe(true);
    metrics.close();
    metrics.close();
    expect(channel(COMMIT_CHANNEL).hasSubscribers).toBe(false);
  });
});
