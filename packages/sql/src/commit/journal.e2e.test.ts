/** The journal's calls on both databases; what becomes of a COMMIT that nobody answers is in `lost-commit.e2e.test.ts`. */
import { randomUUID } from 'node:crypto';
import { InvalidValueError, TimeoutError, UniqueViolationError } from '@storeweave/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databases, type TestDatabase } from '../databases.fixture.js';
import type { PgDomain } from '../pg-domain.js';

describe.each(databases)('the journal on $name', ({ open, name }) => {
  const hasServer = name === 'PostgreSQL';
  let database: TestDatabase;
  let domain: PgDomain;

  beforeAll(async () => {
    database = await open();
    domain = database.domain(6, { exclusive: !hasServer });
    await domain.open();
    await domain.coordinator.setUp({});
  });
  beforeEach(() => ask('delete from storeweave_journal'));
  afterAll(async () => {
    await domain?.close();
    await database?.close();
  });

  const ask = async (text: string) => (await domain.use({}, (session) => session.query({ text, values: [] }))).rows;

  /** Decides a unit of work; gives its id. */
  async function decide(redo = '{}', unitOfWork: string = randomUUID()): Promise<string> {
    const transaction = await domain.begin({});
    try {
      await domain.coordinator.claim(unitOfWork, { transaction });
      await domain.coordinator.record({ unitOfWork, redo }, { transaction });
      await transaction.commit();
    } finally {
      await transaction.rollback();
    }
    return unitOfWork;
  }

  it('is made once, by however many at the same time, and where it is missing', async () => {
    await ask('drop table storeweave_journal');
    await Promise.all(Array.from({ length: 5 }, () => domain.coordinator.setUp({})));
    const unit = await decide();
    const transaction = await domain.begin({});
    await domain.coordinator.setUp({ transaction });
    await transaction.commit();
    expect(await domain.coordinator.find(unit, {})).toMatchObject({ unitOfWork: unit });
  });

  it('gives open units in the order of their decisions, and none that is done', async () => {
    const units = [await decide('1'), await decide('2'), await decide('3')];
    const { coordinator } = domain;
    expect((await coordinator.open({ limit: 10 }, {})).map((unit) => unit.redo)).toStrictEqual(['1', '2', '3']);
    expect((await coordinator.open({ limit: 2 }, {})).map((unit) => unit.redo)).toStrictEqual(['1', '2']);
    expect(await coordinator.open({ limit: 10, minAgeMs: 60_000 }, {})).toStrictEqual([]);
    await coordinator.done(units.slice(0, 1), {});
    await coordinator.done(units.slice(0, 1), {});
    expect((await coordinator.open({ limit: 10 }, {})).map((unit) => unit.redo)).toStrictEqual(['2', '3']);
    expect(await coordinator.doneUnits(10, {})).toStrictEqual(units.slice(0, 1));
    await coordinator.prune(units, {});
    expect(await coordinator.doneUnits(10, {})).toStrictEqual([]);
    expect((await coordinator.open({ limit: 10 }, {})).map((unit) => unit.redo)).toStrictEqual(['2', '3']);
  });

  it('keeps what went wrong, and sets a dead letter aside', async () => {
    const { coordinator } = domain;
    const unit = await decide('x');
    await coordinator.note([unit], { error: 'no\0 room', attempts: 3, dead: false }, {});
    expect((await coordinator.open({ limit: 1 }, {}))[0]).toMatchObject({ attempts: 3, error: 'no room', dead: false });
    await coordinator.note([unit], { error: 'never', attempts: 4, dead: true }, {});
    expect(await coordinator.open({ limit: 1 }, {})).toStrictEqual([]);
    expect((await coordinator.open({ limit: 1, dead: true }, {}))[0]).toMatchObject({ unitOfWork: unit, dead: true });
    expect(await coordinator.stats({})).toStrictEqual({ open: 0, dead: 1, retried: 1, attempts: 4 });
    await coordinator.note([unit], { attempts: 0, dead: false }, {});
    const [again] = (await coordinator.open({ limit: 1 }, {})).map(({ place: _, ...unit }) => unit);
    expect(again).toStrictEqual({ unitOfWork: unit, redo: 'x', attempts: 0, dead: false, ageMs: again?.ageMs });
    const stats = await coordinator.stats({});
    expect(stats).toStrictEqual({ open: 1, dead: 0, retried: 0, attempts: 0, oldestMs: stats.oldestMs });
    expect(stats.oldestMs).toBeGreaterThanOrEqual(again?.ageMs ?? Number.NaN);
  });

  it('tells what was decided, and that a claim given up never will be', async () => {
    const { coordinator } = domain;
    const unit = await decide('redo');
    expect(await coordinator.resolve(unit, {})).toStrictEqual({ unitOfWork: unit, redo: 'redo' });
    expect(await coordinator.resolve(unit.toUpperCase(), { timeoutMs: 5000 })).toMatchObject({ redo: 'redo' });
    expect(await coordinator.resolve(randomUUID(), {})).toBeUndefined();

    const refused = randomUUID();
    const transaction = await domain.begin({});
    await coordinator.claim(refused, { transaction });
    await coordinator.record({ unitOfWork: refused, redo: '' }, { transaction });
    await transaction.rollback();
    expect(await coordinator.resolve(refused, {})).toBeUndefined();
    await coordinator.done([unit], {});
    expect(await coordinator.resolve(unit, {})).toMatchObject({ redo: 'redo' });
  });

  it('refuses one unit of work twice, and ids that are none', async () => {
    const { coordinator } = domain;
    const unit = await decide();
    await expect(decide('other', unit)).rejects.toThrow(UniqueViolationError);
    for (const id of ["'; drop table storeweave_journal; --", '', '0'.repeat(32), `${unit} `]) {
      await expect(coordinator.resolve(id, {})).rejects.toThrow(InvalidValueError);
      await expect(coordinator.done([unit, id], {})).rejects.toThrow(InvalidValueError);
    }
    expect((await coordinator.find(unit, {}))?.redo).toBe('{}');
  });

  it('keeps a redo of many megabytes, and gives a relay no more than it can hold', async () => {
    const { coordinator } = domain;
    const redo = `"ü\\u0000${'0123456789abcdef'.repeat(1_800_000)}"`;
    const units = [await decide(redo), await decide(redo), await decide(redo), await decide('small')];
    expect((await coordinator.resolve(units[0] ?? '', {}))?.redo).toBe(redo);
    const open = await coordinator.open({ limit: 100 }, {});
    expect(open.map((unit) => unit.unitOfWork)).toStrictEqual(units.slice(0, 3));
    expect(open[2]?.redo).toBe(redo);
    await coordinator.done(units.slice(0, 3), {});
    expect((await coordinator.open({ limit: 100 }, {})).map((unit) => unit.redo)).toStrictEqual(['small']);
  });

  it('makes the decision last where commits are asynchronous', async () => {
    const transaction = await domain.begin({});
    const inside = (text: string) =>
      domain.use({ transaction }, async (session) => (await session.query({ text, values: [] })).rows[0]?.[0]);
    await inside('set local synchronous_commit = off');
    await domain.coordinator.claim(randomUUID(), { transaction });
    expect(await inside('show synchronous_commit')).toBe('local');
    await transaction.rollback();
  });

  if (!hasServer) return;
  it('waits for a transaction that holds the claim, and names what it waits for', async () => {
    const { coordinator } = domain;
    const unit = randomUUID();
    const transaction = await domain.begin({});
    await coordinator.claim(unit, { transaction });
    await coordinator.record({ unitOfWork: unit, redo: 'late' }, { transaction });
    const late = coordinator.resolve(unit, { timeoutMs: 80 });
    await expect(late).rejects.toThrow(TimeoutError);
    await expect(late).rejects.toThrow(unit);
    const waiting = [coordinator.resolve(unit, {}), coordinator.resolve(unit, { timeoutMs: 20_000 })];
    expect(await coordinator.resolve(randomUUID(), { timeoutMs: 20_000 })).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await transaction.commit();
    for (const each of waiting) expect(await each).toStrictEqual({ unitOfWork: unit, redo: 'late' });
  });

  it.each(['read committed', 'repeatable read'] as const)('resolves inside a transaction at %s', async (isolation) => {
    const { coordinator } = domain;
    const [mine, theirs] = [randomUUID(), randomUUID()];
    const [a, b] = [await domain.begin({ isolation }), await domain.begin({})];
    await coordinator.claim(mine, { transaction: a });
    await coordinator.claim(theirs, { transaction: b });
    await coordinator.record({ unitOfWork: theirs, redo: 'theirs' }, { transaction: b });
    const found = coordinator.resolve(theirs, { transaction: a });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await b.commit();
    expect(await found).toStrictEqual({ unitOfWork: theirs, redo: 'theirs' });
    await a.rollback();
  });
});
