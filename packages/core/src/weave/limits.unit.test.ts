/** Time limits, sessions, and the end of it all. */
import { ChaosPlan } from '@storeweave/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  AbortedError,
  CommitUnknownError,
  InvalidStateError,
  SerializationError,
  TimeoutError,
  UniqueViolationError,
} from '../errors/errors.js';
import { Author, chaoticLibrary, names } from './library.fixture.js';

const open = chaoticLibrary(afterEach);

describe('limits', () => {
  it.each(['read', 'insert', 'begin'] as const)('of time hold while %s hangs', async (call) => {
    const { weave, plan } = await open();
    plan.add({ call, hang: true });
    const began = performance.now();
    const run = weave.transaction({ timeoutMs: 30 }, async (uow) => {
      uow.create(Author, { name: 'a' });
      await uow.repository(Author).find();
    });
    await expect(run).rejects.toThrow(TimeoutError);
    expect(performance.now() - began).toBeLessThan(1_500);
    plan.clear();
    expect(await names(weave)).toEqual([]);
  });

  it('of time leave it open whether a COMMIT that hangs took effect', async () => {
    const { weave, plan } = await open();
    plan.add({ call: 'commit', hang: true });
    const run = weave.transaction({ timeoutMs: 500 }, async (uow) => uow.create(Author, { name: 'a' }));
    await expect(run).rejects.toThrow(CommitUnknownError);
  });

  it('of time hold while the callback waits for something else', async () => {
    const { weave } = await open();
    let signal: AbortSignal | undefined;
    const run = weave.transaction({ timeoutMs: 20, label: 'the import' }, async (uow) => {
      signal = uow.signal;
      uow.create(Author, { name: 'a' });
      await uow.flush();
      await new Promise(() => {});
    });
    await expect(run).rejects.toThrow(/'the import' took longer than its limit of 20 ms/);
    expect(signal?.aborted).toBe(true);
    expect(await names(weave)).toEqual([]);
  });

  it('a signal ends it, and keeps its reason as the cause', async () => {
    const { weave } = await open();
    const stop = new AbortController();
    const reason = new Error('the client went away');
    const run = weave.transaction({ signal: stop.signal }, async (uow) => {
      uow.create(Author, { name: 'a' });
      await uow.flush();
      stop.abort(reason);
      await uow.repository(Author).find();
    });
    await expect(run).rejects.toThrow(AbortedError);
    await expect(run).rejects.toMatchObject({ cause: reason });
    expect(await names(weave)).toEqual([]);
  });

  it('a signal ends the wait between attempts', async () => {
    const { weave } = await open(
      new ChaosPlan([{ call: 'insert', times: Infinity, fail: () => new SerializationError('x') }]),
    );
    const stop = new AbortController();
    const run = weave.transaction({ signal: stop.signal, retries: 1_000 }, async (uow) => {
      uow.create(Author, { name: 'a' });
    });
    setTimeout(() => stop.abort(), 30);
    await expect(run).rejects.toThrow(AbortedError);
  });
});

describe('a session', () => {
  it('reads outside of transactions, commits in one, and goes on', async () => {
    const { weave, events } = await open();
    await using session = weave.session();
    const author = session.create(Author, { name: 'a' });
    expect(await session.repository(Author).find()).toEqual([]);
    await session.commit();
    author.name = 'b';
    await session.commit();
    expect(events).toEqual(['read Author', 'begin', 'insert Author', 'commit', 'begin', 'update Author', 'commit']);
    expect(await names(weave)).toEqual(['b']);
  });

  it('keeps its changes when a commit fails, and forgets them by rollback', async () => {
    const plan = new ChaosPlan([{ call: 'insert', fail: () => new UniqueViolationError('taken') }]);
    const { weave } = await open(plan);
    await using session = weave.session();
    session.create(Author, { name: 'a' });
    await expect(session.commit()).rejects.toThrow(UniqueViolationError);
    expect(session.plan().operations).toMatchObject([{ operation: 'insert', count: 1 }]);
    await session.commit();
    expect(await names(weave)).toEqual(['a']);
    session.create(Author, { name: 'b' });
    await session.rollback();
    expect(session.plan().isEmpty).toBe(true);
    await session.commit();
    expect(await names(weave)).toEqual(['a']);
  });
});

describe('a session with a limit', () => {
  it('ends a commit that takes longer, and keeps the changes', async () => {
    const plan = new ChaosPlan([{ call: 'insert', hang: true }]);
    const { weave } = await open(plan);
    await using session = weave.session({ timeoutMs: 400 });
    session.create(Author, { name: 'a' });
    await expect(session.commit()).rejects.toThrow(TimeoutError);
    await session.commit();
    expect(await names(weave)).toEqual(['a']);
  });
});

describe('closing', () => {
  it('waits for a single call', async () => {
    const { weave, events } = await open(new ChaosPlan([{ call: 'read', delayMs: 20 }]));
    const found = weave.repository(Author).find();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await weave.close();
    expect(events).toEqual(['read Author']);
    expect(await found).toEqual([]);
  });

  it('waits for what runs, refuses what comes later, and can be done twice', async () => {
    const { weave } = await open();
    let going: () => void = () => {};
    const run = weave.transaction(async (uow) => {
      await new Promise<void>((resolve) => {
        going = resolve;
      });
      uow.create(Author, { name: 'a' });
      await uow.repository(Author).find();
      return 'done';
    });
    const closing = weave.close();
    await expect(weave.transaction(async () => {})).rejects.toThrow(/is closed/);
    await expect(async () => weave.repository(Author).find()).rejects.toThrow(/is closed/);
    expect(() => weave.session()).toThrow(/is closed/);
    going();
    expect(await run).toBe('done');
    await closing;
    await weave.close();
  });

  it('inside a transaction is refused', async () => {
    const { weave } = await open();
    await weave.transaction(async () => {
      expect(() => weave.close()).toThrow(InvalidStateError);
    });
  });
});
