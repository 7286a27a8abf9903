/**
 * What `commit()` says, what `resolve` says and what the journal holds agree, in every way that a COMMIT can go wrong: a
 * definite error means that nothing was decided, and where nobody knows, `resolve` finds out, by waiting.
 */
import { randomUUID } from 'node:crypto';
import {
  CheckViolationError,
  CommitUnknownError,
  InvalidValueError,
  TimeoutError,
  type Transaction,
} from '@storeweave/core';
import { type CommitProxy, type PostgresServer, sharedPostgres, startPostgres } from '@storeweave/testing/servers';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { PgDomain } from '../pg-domain.js';
import { type PgPoolLike, poolConnections } from '../pg-pool.js';
import { commitProxy } from './commit-proxy.fixture.js';

const domainAt = (connectionString: string) =>
  new PgDomain(poolConnections(() => new pg.Pool({ connectionString, max: 4 }) as unknown as PgPoolLike));

const ask = async (domain: PgDomain, text: string, transaction?: Transaction) =>
  (await domain.use({ transaction }, (session) => session.query({ text, values: [] }))).rows[0]?.[0];

/** Checks at COMMIT that `n` is positive, after as many seconds as `seconds` says. */
const SLOW_TABLE = `create table slow (n int, seconds float);
  create function slowly() returns trigger language plpgsql as $$ begin
    perform pg_sleep(new.seconds);
    if new.n < 0 then raise check_violation using message = 'n is negative'; end if;
    return null; end $$;
  create constraint trigger slowly after insert on slow deferrable initially deferred for each row execute function slowly()`;

/** With a request for each, or the claim with BEGIN, and the journal row with COMMIT. */
type Requests = 'single requests' | 'joint requests';

/** A transaction up to its COMMIT, before which, or with which, it writes a journal row. */
async function decision(
  domain: PgDomain,
  { timeoutMs, before, requests = 'joint requests' }: { timeoutMs?: number; before?: string; requests?: Requests } = {},
) {
  const unit = randomUUID();
  const isJoint = requests === 'joint requests';
  const transaction = await domain.begin({ timeoutMs, ...(isJoint && { claim: unit }) });
  const row = { unitOfWork: unit, redo: 'redo' };
  expect(transaction.claimed).toBe(isJoint ? unit : undefined);
  if (!isJoint) {
    await domain.coordinator.claim(unit, { transaction });
    await domain.coordinator.record(row, { transaction });
  }
  if (before !== undefined) await ask(domain, before, transaction);
  const pid = await ask(domain, 'select pg_backend_pid()', transaction);
  const commit = () => (isJoint ? domain.coordinator.decide(row, { transaction }) : transaction.commit());
  return { unit, transaction, commit, pid: String(pid) };
}

describe.each<Requests>(['single requests', 'joint requests'])('a COMMIT that is not answered, %s', (requests) => {
  let proxy: CommitProxy;
  let direct: PgDomain;
  let domain: PgDomain;

  beforeAll(async () => {
    const url = await (await sharedPostgres()).database('journal');
    direct = domainAt(url);
    await direct.open();
    await direct.coordinator.setUp({});
    await ask(direct, SLOW_TABLE);
    proxy = await commitProxy(url);
  });
  beforeEach(async () => {
    proxy.fate = 'pass';
    domain = domainAt(proxy.url);
    await domain.open();
  });
  afterEach(() => domain.close());
  afterAll(async () => {
    await direct?.close();
    await proxy?.close();
  });

  const resolve = (unit: string, timeoutMs?: number) => direct.coordinator.resolve(unit, { timeoutMs });
  const there = (unit: string) => ({ unitOfWork: unit, redo: 'redo' });

  it('is waited for while it is on its way, which a look at the journal does not do', async () => {
    for (const isSent of [true, false]) {
      const { unit, commit } = await decision(domain, { requests });
      proxy.fate = 'hold';
      await expect(commit()).rejects.toThrow(CommitUnknownError);
      expect(await direct.coordinator.find(unit, {})).toBeUndefined();
      const early = resolve(unit, 150);
      await expect(early).rejects.toThrow(TimeoutError);
      await expect(early).rejects.toThrow(unit);
      const waiting = resolve(unit);
      await vi.waitFor(async () =>
        expect(await ask(direct, `select count(*) from pg_locks where locktype = 'advisory' and not granted`)).toBe(
          '1',
        ),
      );
      proxy.release(isSent);
      expect(await waiting).toStrictEqual(isSent ? there(unit) : undefined);
      proxy.fate = 'pass';
    }
  });

  it('was taken where only its answer was lost, and not where it was lost itself', async () => {
    const answered = await decision(domain, { requests });
    proxy.fate = 'lose answer';
    await expect(answered.commit()).rejects.toThrow(CommitUnknownError);
    expect(await resolve(answered.unit)).toStrictEqual(there(answered.unit));
    proxy.fate = 'pass';
    const lost = await decision(domain, { requests });
    proxy.fate = 'lose request';
    await expect(lost.commit()).rejects.toThrow(CommitUnknownError);
    expect(await resolve(lost.unit)).toBeUndefined();
  });

  it('goes on without its client, and is waited for', async () => {
    const { unit, commit } = await decision(domain, { requests, before: 'insert into slow values (1, 1)' });
    proxy.fate = 'lose answer';
    await expect(commit()).rejects.toThrow(CommitUnknownError);
    await expect(resolve(unit, 100)).rejects.toThrow(TimeoutError);
    expect(await resolve(unit, 20_000)).toStrictEqual(there(unit));
  });

  it('is given up by a server that is told to end the session', async () => {
    const { unit, commit, pid } = await decision(domain, { requests, before: 'insert into slow values (1, 20)' });
    setTimeout(() => void ask(direct, `select pg_terminate_backend(${pid})`), 100);
    await expect(commit()).rejects.toThrow(CommitUnknownError);
    expect(await resolve(unit)).toBeUndefined();
  });

  it('was refused where it says so', async () => {
    const refused = await decision(domain, { requests, before: 'insert into slow values (-1, 0)' });
    await expect(refused.commit()).rejects.toThrow(CheckViolationError);
    expect(await resolve(refused.unit)).toBeUndefined();

    const failed = await decision(domain, { requests });
    await expect(ask(domain, 'select 1 / 0', failed.transaction)).rejects.toThrow(InvalidValueError);
    await expect(failed.commit()).rejects.toThrow(InvalidValueError);
    expect(await resolve(failed.unit)).toBeUndefined();
  });

  it('has a limit: what is then called a refusal is one', async () => {
    const cases = [];
    for (const seconds of [0.28, 0.3, 0.32, 5]) {
      const { unit, commit } = await decision(domain, {
        requests,
        timeoutMs: 300,
        before: `insert into slow values (1, ${seconds})`,
      });
      const outcome = await commit().then(
        () => 'committed',
        (error: unknown) => (error instanceof CommitUnknownError ? 'unknown' : 'refused'),
      );
      cases.push({ outcome, isThere: (await resolve(unit, 20_000)) !== undefined });
    }
    expect(cases.filter(({ outcome }) => outcome === 'committed').every(({ isThere }) => isThere)).toBe(true);
    expect(cases.filter(({ outcome }) => outcome === 'refused').some(({ isThere }) => isThere)).toBe(false);
    expect(cases.at(-1)).toMatchObject({ isThere: false });
  });
});

describe('a COMMIT on a server that ends', () => {
  let server: PostgresServer;
  let domain: PgDomain;

  beforeAll(async () => {
    const settings = { synchronous_standby_names: 'nobody', synchronous_commit: 'local' };
    server = await startPostgres({ ways: ['docker', 'native'], settings });
    domain = domainAt(await server.database('journal'));
    await domain.open();
    await domain.coordinator.setUp({});
    await ask(domain, SLOW_TABLE);
  });
  afterAll(async () => {
    await domain?.close();
    await server?.stop();
  });

  it('was taken where the session was ended while it waited for a standby', async () => {
    const { unit, commit, pid } = await decision(domain, { before: 'set local synchronous_commit = on' });
    const committing = commit();
    const unanswered = expect(committing).rejects.toThrow(CommitUnknownError);
    await expect(domain.coordinator.resolve(unit, { timeoutMs: 150 })).rejects.toThrow(TimeoutError);
    await ask(domain, `select pg_terminate_backend(${pid})`);
    await unanswered;
    expect(await domain.coordinator.resolve(unit, {})).toStrictEqual({ unitOfWork: unit, redo: 'redo' });
  });

  it('is what the restarted server says', async () => {
    const taken = await decision(domain);
    await taken.commit();
    const { unit, commit } = await decision(domain, { before: 'insert into slow values (1, 20)' });
    const unanswered = expect(commit()).rejects.toThrow(CommitUnknownError);
    await new Promise((done) => setTimeout(done, 200));
    await server.kill();
    await unanswered;
    await server.restart();
    await vi.waitFor(async () => expect(await domain.coordinator.resolve(unit, {})).toBeUndefined(), 20_000);
    expect(await domain.coordinator.resolve(taken.unit, {})).toMatchObject({ redo: 'redo' });
  });
});
