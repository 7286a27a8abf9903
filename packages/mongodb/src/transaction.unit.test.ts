/** The end of a transaction under answers that no test server gives on demand: the session is played by a stub. */
import { CommitUnknownError, ConnectionError, SerializationError, TimeoutError } from '@storeweave/core';
import { type ClientSession, MongoNetworkError, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import type { Place } from './connection.js';
import { MongodbTransaction } from './transaction.js';

function failure(label: string, error = new MongoServerError({ message: 'told to' })): Error {
  error.addErrorLabel(label);
  return error;
}

/** A transaction whose commits fail with these, one after the other, and then succeed. */
function begun(failures: readonly Error[], options: { commitRetryMs?: number; timeoutMs?: number } = {}) {
  const calls = { commits: 0, aborts: 0, ended: 0 };
  let active = true;
  const session = {
    startTransaction() {},
    inTransaction: () => active,
    async commitTransaction() {
      const error = failures[calls.commits++];
      if (error !== undefined) throw error;
    },
    async abortTransaction() {
      active = false;
      calls.aborts++;
    },
    hasEnded: false,
    async endSession() {
      calls.ended++;
    },
  } as unknown as ClientSession;
  const { commitRetryMs = 1_000, ...rest } = options;
  const transaction = new MongodbTransaction({ name: 'stub' }, {} as Place, session, rest, commitRetryMs, () => {});
  transaction.start(false);
  return { transaction, calls };
}

describe('a commit', () => {
  it('is asked for again until its outcome is known', async () => {
    const unknown = failure('UnknownTransactionCommitResult');
    const { transaction, calls } = begun([unknown, unknown, unknown]);
    await transaction.commit();
    expect(calls).toEqual({ commits: 4, aborts: 0, ended: 1 });
  });

  it('is unknown when the time for that is over', async () => {
    const lost = failure('UnknownTransactionCommitResult', new MongoNetworkError('gone') as never);
    const { transaction, calls } = begun(
      Array.from({ length: 100 }, () => lost),
      { commitRetryMs: 60 },
    );
    const error = await transaction.commit().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CommitUnknownError);
    expect(error).toMatchObject({ isRetryable: false, cause: lost });
    expect(calls.commits).toBeGreaterThan(1);
    expect(calls.ended).toBe(1);
  });

  it('is unknown, and no lost connection that is worth another try, where a socket broke under it', async () => {
    const broken = () => Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' });
    const { transaction, calls } = begun([broken()]);
    await transaction.commit();
    expect(calls.commits).toBe(2);
    const refused = begun([broken(), new MongoServerError({ message: 'no', code: 1 })]);
    await expect(refused.transaction.commit()).rejects.toThrow(CommitUnknownError);
    expect(refused.calls.commits).toBe(2);
  });

  it('has not happened where the server says that the transaction is over', async () => {
    const { transaction } = begun([failure('TransientTransactionError')]);
    await expect(transaction.commit()).rejects.toThrow(SerializationError);
    const lost = failure('TransientTransactionError', new MongoNetworkError('gone') as never);
    await expect(begun([lost]).transaction.commit()).rejects.toThrow(ConnectionError);
  });
});

describe('the commit that decides a unit of work over several stores', () => {
  it('is in doubt whenever it is not answered well: the driver may have asked twice', async () => {
    const errors = [failure('TransientTransactionError'), new MongoServerError({ message: 'no', code: 1 })];
    for (const error of errors) {
      const { transaction, calls } = begun([error]);
      transaction.decides();
      await expect(transaction.commit()).rejects.toThrow(CommitUnknownError);
      expect(calls).toEqual({ commits: 1, aborts: 0, ended: 1 });
    }
  });
});

describe('a time limit', () => {
  it('ends the transaction at once where nothing is under way', async () => {
    const { transaction, calls } = begun([], { timeoutMs: 10 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(calls).toEqual({ commits: 0, aborts: 1, ended: 1 });
    await expect(transaction.use(async () => {})).rejects.toThrow(TimeoutError);
    await expect(transaction.commit()).rejects.toThrow(TimeoutError);
    await transaction.rollback();
  });

  it('waits for the call that is under way, and then ends it', async () => {
    const { transaction, calls } = begun([], { timeoutMs: 10 });
    const call = transaction.use(async () => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      expect(calls.aborts).toBe(0);
    });
    await expect(call).rejects.toThrow(TimeoutError);
    expect(calls).toEqual({ commits: 0, aborts: 1, ended: 1 });
  });
});
