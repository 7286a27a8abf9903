/**
 * What `commit()` says, what `resolve` says and what the journal holds agree, in every way that a COMMIT can go wrong:
 * where the outcome is in doubt `commit()` says just that, and `resolve` finds out, by waiting.
 */
import { randomUUID } from 'node:crypto';
import { CommitUnknownError, TimeoutError } from '@storeweave/core';
import { CommitProxy, type MongodbServer, startMongodb } from '@storeweave/testing/servers';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mongodb } from '../mongodb.js';
import type { MongodbStore } from '../store.js';

/** After so long the server ends a transaction that nobody goes on with. */
const LIFETIME_SECONDS = 3;

let server: MongodbServer;
let url: string;
let proxy: CommitProxy;
let direct: MongodbStore;
let store: MongodbStore;

/** The command's name as the first key of its document. */
const COMMIT = Buffer.from('commitTransaction\0');

const context = { name: 'document', entities: [], fenced: true };

/** A client that asked the members of the replica set for their addresses would go past the proxy. */
function proxied(): string {
  const url = new URL(proxy.url);
  url.searchParams.set('directConnection', 'true');
  url.searchParams.delete('replicaSet');
  return url.href;
}

async function endOrphansSoon(): Promise<void> {
  const client = new MongoClient(url);
  try {
    const parameter = { transactionLifetimeLimitSeconds: LIFETIME_SECONDS };
    await client.db('admin').command({ setParameter: 1, ...parameter });
  } finally {
    await client.close();
  }
}

/** A transaction that has written a journal row, up to its COMMIT. */
async function decision(by = store, options: { timeoutMs?: number } = {}) {
  const unit = randomUUID();
  const transaction = await by.domain.begin?.(options);
  if (transaction === undefined) throw new Error('no transactions');
  await by.coordinator.claim(unit, { transaction });
  await by.coordinator.record({ unitOfWork: unit, redo: 'redo' }, { transaction });
  return { unit, transaction };
}

const resolve = (unit: string, timeoutMs?: number) =>
  direct.coordinator.resolve(unit, timeoutMs === undefined ? {} : { timeoutMs });
const there = (unit: string) => ({ unitOfWork: unit, redo: 'redo' });

beforeAll(async () => {
  server = await startMongodb({ ways: ['docker', 'native'], durable: true });
  url = await server.database('journal');
  await endOrphansSoon();
  direct = mongodb({ url });
  await direct.open(context);
  await direct.coordinator.setUp({});
  proxy = await new CommitProxy(url, (data) => data.includes(COMMIT)).listen();
}, 600_000);
beforeEach(async () => {
  proxy.fate = 'pass';
  store = mongodb({ url: proxied(), commitRetryMs: 200, serverSelectionTimeoutMs: 400 });
  await store.open(context);
  await store.coordinator.setUp({});
});
afterEach(() => store.close());
afterAll(async () => {
  await direct?.close();
  await proxy?.close();
  await server?.stop();
});

describe('a COMMIT that is not answered', () => {
  it.each([true, false])('is waited for while it is on its way, and then known: it arrives (%s)', async (isSent) => {
    const { unit, transaction } = await decision();
    proxy.fate = 'hold';
    await expect(transaction.commit()).rejects.toThrow(CommitUnknownError);
    expect(await direct.coordinator.find(unit, {})).toBeUndefined();
    const early = resolve(unit, 150);
    await expect(early).rejects.toThrow(TimeoutError);
    await expect(early).rejects.toThrow(unit);
    const waiting = [resolve(unit), resolve(unit, 20_000)];
    proxy.release(isSent);
    for (const each of waiting) expect(await each).toStrictEqual(isSent ? there(unit) : undefined);
  });

  it('was taken where only its answer was lost, and not where it was lost itself', async () => {
    const answered = await decision();
    proxy.fate = 'lose answer';
    await expect(answered.transaction.commit()).rejects.toThrow(CommitUnknownError);
    expect(await resolve(answered.unit)).toStrictEqual(there(answered.unit));
    proxy.fate = 'pass';
    const lost = await decision();
    proxy.fate = 'lose request';
    await expect(lost.transaction.commit()).rejects.toThrow(CommitUnknownError);
    await expect(resolve(lost.unit, 100)).rejects.toThrow(TimeoutError);
    expect(await resolve(lost.unit)).toBeUndefined();
  });

  it.each(['lose answer', 'lose request'] as const)('is asked for again where a client can (%s)', async (fate) => {
    const { unit, transaction } = await decision();
    proxy.fate = fate;
    const cut = proxy.cut();
    const commit = transaction.commit();
    await cut;
    proxy.fate = 'pass';
    await commit;
    expect(await resolve(unit)).toStrictEqual(there(unit));
  });

  it('is in doubt where the server says that there is no such transaction', async () => {
    const { unit, transaction } = await decision();
    await expect(resolve(unit, (LIFETIME_SECONDS + 15) * 1_000)).resolves.toBeUndefined();
    await expect(transaction.commit()).rejects.toThrow(CommitUnknownError);
    expect(await resolve(unit)).toBeUndefined();
    expect(await direct.coordinator.find(unit, {})).toBeUndefined();
  });

  it('is never sent where the time of the transaction is over', async () => {
    const { unit, transaction } = await decision(store, { timeoutMs: 200 });
    await new Promise((done) => setTimeout(done, 300));
    await expect(transaction.commit()).rejects.toThrow(TimeoutError);
    expect(await resolve(unit, 2_000)).toBeUndefined();
  });

  it('leaves nothing to those who write the same unit of work late', async () => {
    const { unit, transaction } = await decision();
    await transaction.rollback();
    expect(await resolve(unit)).toBeUndefined();
    await expect(direct.coordinator.record({ unitOfWork: unit, redo: 'late' }, { transaction })).rejects.toThrow();
    const taken = await decision(direct);
    await taken.transaction.commit();
    const again = await store.domain.begin?.({});
    const late = store.coordinator.claim(taken.unit, again === undefined ? {} : { transaction: again });
    await expect(late).rejects.toThrow(/taken/);
    await again?.rollback();
  });
});

describe('a COMMIT on a server that is killed', () => {
  it('is what the restarted server says: taken, or not', async () => {
    const { unit: taken, transaction } = await decision(direct);
    await transaction.commit();
    const open = await decision(direct);
    await server.kill();
    await server.restart();
    await expect(open.transaction.commit()).rejects.toThrow(CommitUnknownError);
    expect(await resolve(open.unit, 20_000)).toBeUndefined();
    expect(await resolve(taken, 20_000)).toStrictEqual(there(taken));
  });

  it('is never called refused although it was taken, whatever its repetition is told', async () => {
    const { unit, transaction } = await decision(direct);
    // As by a client whose first answer was lost: the server has it, and some forget over a restart whose it was.
    await transaction.native().commitTransaction();
    await server.kill();
    await server.restart();
    const outcome = await transaction.commit().then(
      () => 'taken',
      (error: unknown) => (error instanceof CommitUnknownError ? 'unknown' : error),
    );
    expect(['taken', 'unknown']).toContain(outcome);
    expect(await resolve(unit, 20_000)).toStrictEqual(there(unit));
  });
});
