import { AbortedError, currentScope, InvalidStateError, runInScope, StoreBusyError } from '@storeweave/core';
import { describe, expect, it } from 'vitest';
import { SessionGate } from './session-gate.js';

const gateWith = (timeoutMs = 10_000) => new SessionGate({ name: 'test store', timeoutMs, scope: currentScope });
const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('SessionGate', () => {
  it('serves callers one at a time, in the order they came', async () => {
    const gate = gateWith();
    const served: number[] = [];
    let inside = 0;
    await Promise.all(
      [0, 1, 2, 3, 4].map(async (n) => {
        const turn = await gate.take();
        expect(++inside).toBe(1);
        served.push(n);
        await tick();
        inside--;
        turn.end();
      }),
    );
    expect(served).toEqual([0, 1, 2, 3, 4]);
  });

  it('says who holds the session when a wait passes its limit, and forgets the waiter', async () => {
    const gate = gateWith(20);
    const turn = await gate.take({ label: 'unit of work import', transaction: true });
    await expect(gate.take({ label: 'nightly report' })).rejects.toThrow(
      /test store.*nightly report waited 20 ms.*held by unit of work import, for \d+ ms/,
    );
    expect(gate.waiting).toBe(0);
    turn.end();
    (await gate.take()).end();
  });

  it('hands the session past a waiter that gave up', async () => {
    const gate = gateWith();
    const turn = await gate.take();
    const late = gate.take({ timeoutMs: 5 });
    const controller = new AbortController();
    const left = gate.take({ signal: controller.signal });
    const next = gate.take();
    await expect(late).rejects.toBeInstanceOf(StoreBusyError);
    controller.abort(new Error('user went away'));
    await expect(left).rejects.toBeInstanceOf(AbortedError);
    turn.end();
    (await next).end();
  });

  it('refuses at once what was aborted before it asked', async () => {
    await expect(gateWith().take({ signal: AbortSignal.abort() })).rejects.toBeInstanceOf(AbortedError);
  });

  it('fails at once inside the callback of the transaction that holds the session', async () => {
    const gate = gateWith();
    await runInScope('checkout', async () => {
      const turn = await gate.take({ transaction: true });
      const began = Date.now();
      await expect(gate.take({ label: 'a stray query' })).rejects.toThrow(/held by checkout.*a stray query.*for ever/);
      await runInScope('nested', () => expect(gate.take()).rejects.toBeInstanceOf(StoreBusyError));
      expect(Date.now() - began).toBeLessThan(1_000);
      turn.end();
    });
  });

  it('lets others wait: outside of the callback, in another one, and beside a single query', async () => {
    const gate = gateWith();
    const outside: Promise<unknown>[] = [];
    const hold = runInScope('one', () => gate.take({ transaction: true }));
    outside.push(gate.take().then((turn) => turn.end()));
    outside.push(runInScope('two', () => gate.take({ transaction: true })).then((turn) => turn.end()));
    await tick();
    expect(gate.waiting).toBe(2);
    (await hold).end();
    await Promise.all(outside);

    await runInScope('three', async () => {
      const query = await gate.take();
      const beside = gate.take();
      query.end();
      (await beside).end();
    });
  });

  it('ends a turn once, even if told twice', async () => {
    const gate = gateWith(20);
    const first = await gate.take();
    first.end();
    const second = await gate.take();
    first.end();
    await expect(gate.take()).rejects.toBeInstanceOf(StoreBusyError);
    second.end();
  });

  it('refuses everyone once closed, with the reason', async () => {
    const gate = gateWith();
    const turn = await gate.take();
    const waiting = gate.take();
    const reason = new InvalidStateError('The store is closed.');
    gate.close(reason);
    await expect(waiting).rejects.toBe(reason);
    turn.end();
    await expect(gate.take()).rejects.toBe(reason);
  });
});
