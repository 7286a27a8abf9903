import { ChaosPlan, chaosStore, memoryStore } from '@storeweave/testing';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, ConnectionError } from '../errors/errors.js';
import { diagnose } from './diagnosis.js';

describe('diagnose()', () => {
  it('says who answers, how long it takes, and how far the clock is off', async () => {
    const [found] = await diagnose({ relational: memoryStore() });
    expect(found).toMatchObject({ store: 'relational', server: { product: 'memory' } });
    expect(found?.error).toBeUndefined();
    expect(found?.latencyMs).toBeGreaterThanOrEqual(0);
    expect(Math.abs(found?.clockSkewMs ?? Number.NaN)).toBeLessThan(1000);
  });

  it('tells a server that is ahead of us from one that is behind', async () => {
    const ahead = memoryStore();
    ahead.inspect = async () => ({ product: 'p', version: '1', clockMs: Date.now() + 5000, missing: [] });
    const [found] = await diagnose({ relational: ahead });
    expect(found?.clockSkewMs).toBeGreaterThan(4500);
  });

  it('goes on after a store that does not answer, and says why it did not', async () => {
    const plan = new ChaosPlan();
    plan.add({ call: 'open', fail: new ConnectionError('refused') });
    const found = await diagnose({ document: chaosStore(memoryStore(), plan), graph: memoryStore() });
    expect(found[0]?.error).toEqual({ code: 'CONNECTION_FAILED', message: 'refused' });
    expect(found[1]?.server?.product).toBe('memory');
  });

  it('closes a store that failed while it was asked', async () => {
    const plan = new ChaosPlan();
    plan.add({ call: 'inspect', nth: 2, fail: new ConnectionError('lost') });
    const store = chaosStore(memoryStore(), plan);
    const closed: string[] = [];
    const close = store.close.bind(store);
    store.close = async () => {
      closed.push('closed');
      await close();
    };
    const [found] = await diagnose({ graph: store });
    expect(found?.error?.message).toBe('lost');
    expect(closed).toEqual(['closed']);
  });

  it('refuses a number of samples that is none', async () => {
    const [found] = await diagnose({ graph: memoryStore() }, { samples: 0 });
    expect(found?.error?.code).toBe(new ConfigurationError('').code);
  });
});
