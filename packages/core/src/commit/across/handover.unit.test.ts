/** What a process does with units of work that it cannot finish: relays elsewhere have them at once, and no dead letter comes back. */
import { describe, expect, it } from 'vitest';
import { CheckViolationError, ConnectionError } from '../../errors/errors.js';
import type { Storeweave } from '../../weave/storeweave.js';
import { contents, makeStores, open, type Stores, WHOLE, writeAll } from './across.fixture.js';
import type { StepEvent } from './steps.js';

/** Neither the interval nor the age lets a relay find anything in the length of a test. */
const PATIENT = { relay: { intervalMs: 600_000, minAgeMs: 600_000 } };

/** Whose own process cannot apply it to the document store. */
async function leave(stores: Stores, error: Error = new ConnectionError('it was away')): Promise<string> {
  const refuse = ({ step, moment, store }: StepEvent) => {
    if (step === 'apply' && moment === 'before' && store === 'document') throw error;
  };
  const weave = await open(stores, { onStep: refuse });
  let unit = '';
  await weave.transaction(async (uow) => {
    writeAll(uow);
    unit = uow.id;
  });
  await weave.close();
  return unit;
}

const isDone = (weave: Storeweave, unit: string) => async () => (await weave.journal.find(unit))?.done === true;

describe('a unit of work that its own process cannot finish', () => {
  it('is finished at once by a relay in another one', async () => {
    const stores = makeStores();
    const other = await open(stores, PATIENT);
    const unit = await leave(stores);
    await expect.poll(isDone(other, unit), { timeout: 2_000 }).toBe(true);
    await other.close();
    expect(await contents(stores)).toStrictEqual(WHOLE);
  });

  it('is finished at once by the relay of its own, where the coordinator cannot tell others', async () => {
    const stores = makeStores();
    Object.assign(stores.relational.coordinator ?? {}, { watch: undefined });
    let refusals = 1;
    const weave = await open(stores, {
      ...PATIENT,
      onStep: ({ step, moment, store }) => {
        if (step === 'apply' && moment === 'before' && store === 'document' && refusals-- > 0) throw new Error('once');
      },
    });
    let unit = '';
    await weave.transaction(async (uow) => {
      writeAll(uow);
      unit = uow.id;
    });
    await expect.poll(isDone(weave, unit), { timeout: 2_000 }).toBe(true);
    await weave.close();
  });

  it('says why in the journal when its process has closed', async () => {
    const stores = makeStores();
    const unit = await leave(stores);
    const weave = await open(stores);
    expect(await weave.journal.find(unit)).toMatchObject({ attempts: 1, error: 'ConnectionError: it was away' });
    await weave.close();
  });

  it('is left to its age where the coordinator does not take it', async () => {
    const stores = makeStores();
    Object.assign(stores.relational.coordinator ?? {}, {
      handOver: () => Promise.reject(new ConnectionError('the coordinator is down')),
    });
    const unit = await leave(stores);
    const weave = await open(stores, { relay: { intervalMs: 10, minAgeMs: 20 } });
    await expect.poll(isDone(weave, unit), { timeout: 2_000 }).toBe(true);
    await weave.close();
  });
});

describe('a relay that is woken', () => {
  it('tries what a person gives back', async () => {
    const stores = makeStores();
    const unit = await leave(stores, new CheckViolationError('no'));
    await stores.relational.coordinator?.note([unit], { error: 'no', attempts: 5, dead: true }, {});
    const other = await open(stores, { relay: { ...PATIENT.relay, minAgeMs: 0 } });
    const command = await open(stores);
    await command.journal.retry(unit);
    await command.close();
    await expect.poll(isDone(other, unit), { timeout: 2_000 }).toBe(true);
    await other.close();
  });

  it('looks about once a second, however often it is told', async () => {
    const stores = makeStores();
    const coordinator = stores.relational.coordinator;
    if (coordinator === undefined) throw new Error('It coordinates.');
    let looks = 0;
    const { open: rightOpen } = coordinator;
    Object.assign(coordinator, {
      open: (...given: Parameters<typeof rightOpen>) => {
        if (given[0].limit === 1) looks++;
        return rightOpen(...given);
      },
    });
    const other = await open(stores, PATIENT);
    const unit = await leave(stores);
    await expect.poll(isDone(other, unit), { timeout: 2_000 }).toBe(true);
    looks = 0;
    for (const until = performance.now() + 1_200; performance.now() < until; ) {
      await coordinator.handOver?.([unit], 'again', {});
    }
    expect(looks).toBeGreaterThan(0);
    expect(looks).toBeLessThan(5);
    await other.close();
  });

  it('is not woken any more once it has stopped', async () => {
    const stores = makeStores();
    const closed = await open(stores, PATIENT);
    await closed.close();
    const unit = await leave(stores);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const weave = await open(stores);
    expect(await weave.journal.find(unit)).toMatchObject({ attempts: 1 });
    await weave.close();
  });
});
