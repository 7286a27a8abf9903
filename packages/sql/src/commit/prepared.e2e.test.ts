/** Transactions that are prepared beside another coordinator, on a server that can and on those that cannot. */
import { randomUUID } from 'node:crypto';
import {
  CheckViolationError,
  ConfigurationError,
  ConnectionError,
  FencedError,
  type FenceOwner,
  InvalidStateError,
  InvalidValueError,
  StoreBusyError,
  TimeoutError,
  type Transaction,
} from '@storeweave/core';
import { type PostgresServer, sharedPostgres, startPostgres } from '@storeweave/testing/servers';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { databases } from '../databases.fixture.js';
import { PgDomain } from '../pg-domain.js';
import { type PgPoolLike, poolConnections } from '../pg-pool.js';
import { commitProxy } from './commit-proxy.fixture.js';
import type { PreparedTransactions } from './prepared.js';

const opened: PgDomain[] = [];

async function domainAt(connectionString: string, max = 4): Promise<PgDomain> {
  const pool = () => new pg.Pool({ connectionString, max }) as unknown as PgPoolLike;
  const domain = new PgDomain(poolConnections(pool));
  await domain.open();
  opened.push(domain);
  return domain;
}

const participantOf = ({ participant }: PgDomain) => {
  if (participant === undefined) throw new Error('The domain takes no part.');
  return participant as PreparedTransactions;
};

const ask = async (domain: PgDomain, text: string, access: { transaction?: Transaction; timeoutMs?: number } = {}) =>
  (await domain.use(access, (session) => session.query({ text, values: [] }))).rows[0]?.[0];

const ownerAt = (coordinator = 'relational'): FenceOwner => ({ unitOfWork: randomUUID(), coordinator });

/** Prepares one statement. */
async function prepare(domain: PgDomain, text: string, owner = ownerAt()): Promise<FenceOwner> {
  const transaction = await domain.begin({});
  try {
    await ask(domain, text, { transaction });
    await participantOf(domain).prepare(owner, transaction);
  } finally {
    await transaction.rollback();
  }
  return owner;
}

const TABLE = `create table account (id int primary key, amount int check (amount >= 0));
  create function late() returns trigger language plpgsql as $$ begin
    if new.amount = 13 then raise check_violation using message = 'unlucky'; end if; return null; end $$;
  create constraint trigger late after insert on account deferrable initially deferred for each row execute function late()`;

afterEach(async () => {
  for (const domain of opened.splice(0)) await domain.close();
});

describe('a prepared transaction', () => {
  let url: string;
  let domain: PgDomain;

  beforeAll(async () => {
    url = await (await sharedPostgres()).database('prepared');
    await ask(await domainAt(url), TABLE);
  });
  beforeEach(async () => {
    domain = await domainAt(url);
    await ask(domain, 'delete from account');
  });

  const count = () => ask(domain, 'select count(*) from account').then(Number);

  it('outlives its connection, and is committed or rolled back by another process', async () => {
    for (const [outcome, rows] of [
      ['rollback', 0],
      ['commit', 1],
    ] as const) {
      const first = await domainAt(url, 1);
      const owner = await prepare(first, 'insert into account values (1, 1)');
      expect(await ask(first, 'select count(*) from account')).toBe('0');
      await first.close();
      const other = participantOf(domain);
      expect(await other.owners(10, {})).toStrictEqual([owner]);
      await Promise.all([
        other.finish(owner, outcome, {}),
        participantOf(await domainAt(url)).finish(owner, outcome, {}),
      ]);
      await other.finish(owner, outcome, {});
      expect(await other.owners(10, {})).toStrictEqual([]);
      expect(await count()).toBe(rows);
    }
  });

  it('keeps its rows from others until it is finished', async () => {
    await ask(domain, 'insert into account values (1, 1)');
    const owner = await prepare(domain, 'update account set amount = 2');
    const change = 'update account set amount = amount + 1';
    await expect(ask(domain, change, { timeoutMs: 100 })).rejects.toThrow(TimeoutError);
    const waiting = ask(domain, change, { timeoutMs: 20_000 });
    // Sooner than anybody looks who is in the way.
    await participantOf(domain).finish(owner, 'commit', {});
    await waiting;
    expect(await ask(domain, 'select amount from account')).toBe('3');
  });

  it('is named to whoever waits for its rows, and not to whoever waits for others', async () => {
    domain = await domainAt(url, 6);
    await ask(domain, 'insert into account values (1, 1), (2, 1)');
    const owner = await prepare(domain, 'update account set amount = 2 where id = 1');
    const change = 'update account set amount = amount + 1 where id = 1';
    const alone = ask(domain, change).catch((error: FencedError) => error);
    const transaction = await domain.begin({});
    const inside = ask(domain, change, { transaction }).catch((error: FencedError) => error);
    const insert = ask(domain, 'insert into account values (1, 7)').catch((error: FencedError) => error);
    const plain = await domain.begin({});
    await ask(domain, 'update account set amount = 5 where id = 2', { transaction: plain });
    for (const each of [alone, inside, insert]) {
      expect(await each).toBeInstanceOf(FencedError);
      expect(((await each) as FencedError).owners).toStrictEqual([owner]);
    }
    await transaction.rollback();
    // Somebody who is alive and slow is waited for.
    const waiting = ask(domain, 'update account set amount = amount + 1 where id = 2');
    await new Promise((resolve) => setTimeout(resolve, 900));
    await plain.commit();
    await waiting;
    expect(await ask(domain, 'select amount from account where id = 2')).toBe('6');
    await participantOf(domain).finish(owner, 'rollback', {});
    expect(await ask(domain, `${change} returning amount`)).toBe('2');
    await ask(domain, 'select pg_sleep(0.7)');
  });

  it('is one of several of its unit of work, in databases of one server and even in one', async () => {
    const elsewhere = await domainAt(await (await sharedPostgres()).database('prepared'));
    await ask(elsewhere, TABLE);
    const twin = await domainAt(url);
    const owner = await prepare(domain, 'insert into account values (1, 1)');
    await prepare(twin, 'insert into account values (2, 1)', owner);
    await prepare(elsewhere, 'insert into account values (1, 1)', owner);
    const third = participantOf(await domainAt(url));
    expect(await third.owners(10, {})).toStrictEqual([owner]);
    await third.finish(owner, 'commit', {});
    expect(await count()).toBe(2);
    expect(await ask(elsewhere, 'select count(*) from account')).toBe('0');
    for (const each of [domain, twin, elsewhere]) await participantOf(each).finish(owner, 'commit', {});
    expect(await ask(elsewhere, 'select count(*) from account')).toBe('1');
  });

  it('belongs to a coordinator of any name, and not of an endless one', async () => {
    const names = [`it's "a":b\\%_ü\n`, 'relational', ''];
    const owners = [];
    for (const [n, name] of names.entries()) {
      owners.push(await prepare(domain, `insert into account values (${n}, 1)`, ownerAt(name)));
    }
    expect(await participantOf(domain).owners(10, {})).toStrictEqual(owners);
    expect(await participantOf(domain).owners(2, {})).toStrictEqual(owners.slice(0, 2));
    const other = participantOf(await domainAt(url));
    for (const owner of owners) await other.finish(owner, 'commit', {});
    expect(await count()).toBe(3);
    await expect(prepare(domain, 'select 1', ownerAt('ü'.repeat(50)))).rejects.toThrow(ConfigurationError);
    const injected = { unitOfWork: "x'; drop table account; --", coordinator: 'relational' };
    await expect(prepare(domain, 'select 1', injected)).rejects.toThrow(InvalidValueError);
    await expect(other.finish(injected, 'commit', {})).rejects.toThrow(InvalidValueError);
    await expect(participantOf(domain).prepare(ownerAt(), { domain: other } as never)).rejects.toThrow(
      InvalidStateError,
    );
  });

  it('is not there where preparing it failed', async () => {
    const failed = await domain.begin({});
    await expect(ask(domain, 'insert into account values (1, -1)', { transaction: failed })).rejects.toThrow();
    await expect(participantOf(domain).prepare(ownerAt(), failed)).rejects.toThrow(CheckViolationError);
    await expect(prepare(domain, 'insert into account values (1, 13)')).rejects.toThrow(CheckViolationError);
    await expect(prepare(domain, 'create temporary table mine (id int)')).rejects.toThrow(/temporary/);
    expect(await participantOf(domain).owners(10, {})).toStrictEqual([]);
    for (let n = 0; n < 5; n++) expect(await count()).toBe(0);
  });

  it.each(['lose answer', 'lose request', 'hold'] as const)(
    'can be taken back after its answer was lost: %s',
    async (fate) => {
      const proxy = await commitProxy(url);
      const client = await domainAt(proxy.url);
      proxy.fate = fate;
      const owner = ownerAt();
      await expect(prepare(client, 'insert into account values (1, 1)', owner)).rejects.toThrow(ConnectionError);
      proxy.fate = 'pass';
      const isPrepared = () =>
        vi.waitFor(async () => expect(await participantOf(domain).owners(10, {})).toStrictEqual([owner]));
      if (fate === 'lose answer') await isPrepared();
      await participantOf(client).finish(owner, 'rollback', {});
      if (fate === 'hold') {
        // It comes after it was taken back; the search for fences without a decision finds it.
        proxy.release(true);
        await isPrepared();
        await participantOf(client).finish(owner, 'rollback', {});
      }
      expect(await participantOf(domain).owners(10, {})).toStrictEqual([]);
      expect(await count()).toBe(0);
      await client.close();
      await proxy.close();
    },
  );
});

describe('a server of its own', () => {
  let server: PostgresServer;
  afterAll(() => server?.stop());

  it('keeps what is prepared when it is killed, and takes no more than it has room for', async () => {
    server = await startPostgres({ ways: ['docker', 'native'], settings: { max_prepared_transactions: '1' } });
    const domain = await domainAt(server.url);
    await ask(domain, TABLE);
    const owner = await prepare(domain, 'insert into account values (1, 1)');
    await expect(prepare(domain, 'insert into account values (2, 1)')).rejects.toThrow(StoreBusyError);
    await server.kill();
    await server.restart();
    const other = await domainAt(server.url);
    expect(await participantOf(other).owners(10, {})).toStrictEqual([owner]);
    await participantOf(other).finish(owner, 'commit', {});
    expect(await ask(other, 'select count(*) from account')).toBe('1');
  });

  it('takes no part where it is not set up to', async () => {
    const plain = await startPostgres({ ways: ['docker', 'native'], settings: { max_prepared_transactions: '0' } });
    try {
      const domain = await domainAt(plain.url);
      expect([domain.participant, domain.coordinator]).toStrictEqual([undefined, expect.anything()]);
      await domain.close();
    } finally {
      await plain.stop();
    }
  });
});

it('PGlite takes no part', async () => {
  const database = await databases[1].open();
  const domain = database.domain(1, { exclusive: true });
  await domain.open();
  expect(domain.participant).toBeUndefined();
  await domain.close();
  await database.close();
});
