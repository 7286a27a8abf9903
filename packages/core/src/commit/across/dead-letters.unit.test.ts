/** Dead letters: what settled reads make of them, and that discarding one can be done again wherever it died. */
import { afterEach, expect, it } from 'vitest';
import { CheckViolationError, ConnectionError, InvalidStateError } from '../../errors/errors.js';
import type { SettledReader } from '../../weave/settled-reader.js';
import type { Storeweave } from '../../weave/storeweave.js';
import { Account, makeStores, open, Profile, type Stores, Visit, writeAll } from './across.fixture.js';

const opened: Storeweave[] = [];

afterEach(async () => {
  for (const weave of opened.splice(0)) await weave.close();
});

/** Has a call fail until the function that is returned is called. */
function failing(target: object, names: readonly string[], reason: () => Error): () => void {
  const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const);
  for (const name of names) {
    Object.defineProperty(target, name, { value: () => Promise.reject(reason()), configurable: true });
  }
  return () => {
    for (const [name, own] of before) {
      if (own === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, own);
    }
  };
}

/** A unit of work over all stores that one of them refuses to apply, and that was given up. */
async function deadLetter(where: 'document' | 'timeseries') {
  const stores = makeStores();
  const mend =
    where === 'document'
      ? failing(participantOf(stores), ['apply', 'applyMany'], () => new CheckViolationError('Refused by a validator.'))
      : failing(stores.timeseries, ['write'], () => new CheckViolationError('Refused by a validator.'));
  const weave = await open(stores);
  opened.push(weave);
  await weave.transaction(async (uow) => writeAll(uow));
  const [entry] = await weave.journal.list();
  const unit = entry?.unitOfWork ?? '';
  await stores.relational.coordinator?.note([unit], { error: 'CheckViolationError: no', attempts: 9, dead: true }, {});
  return { stores, weave, unit, mend };
}

const find = {
  Profile: (reader: SettledReader): Promise<object[]> => reader.repository(Profile).find(),
  Visit: (reader: SettledReader): Promise<object[]> => reader.repository(Visit).find(),
};

const participantOf = (stores: Stores) => stores.document.participant ?? {};

it('are refused by a settled read that would give half of one', async () => {
  for (const where of ['document', 'timeseries'] as const) {
    const { weave, unit } = await deadLetter(where);
    const [refused, other] = where === 'document' ? [find.Profile, find.Visit] : [find.Visit, find.Profile];
    const half = weave.settled(async (reader) => [await reader.repository(Account).find(), await refused(reader)]);
    await expect(half).rejects.toThrow(InvalidStateError);
    const name = where === 'document' ? 'Profile' : 'Visit';
    await expect(half).rejects.toThrow(
      new RegExp(`${unit}.*${name} in '${where}'.*journal retry.*journal discard`, 's'),
    );
    // Where it is applied, and where it has nothing to do, settled reads go on.
    expect(await weave.settled(other)).toHaveLength(1);
    expect(await weave.settled((reader) => reader.repository(Account).find())).toHaveLength(1);
  }
});

it('are finished by a settled read as soon as they can be', async () => {
  for (const where of ['document', 'timeseries'] as const) {
    const { weave, unit, mend } = await deadLetter(where);
    mend();
    const [profiles, visits] = await weave.settled(async (reader) => [
      await reader.repository(Profile).find(),
      await reader.repository(Visit).find(),
    ]);
    expect([profiles?.length, visits?.length]).toEqual([1, 1]);
    expect(await weave.journal.find(unit)).toMatchObject({ done: true, dead: false });
  }
});

it('leave the error of a store that is down as it is', async () => {
  const { stores, weave, mend } = await deadLetter('document');
  mend();
  failing(participantOf(stores), ['apply', 'applyMany'], () => new ConnectionError('document is down'));
  await expect(weave.settled((reader) => reader.repository(Profile).find())).rejects.toThrow(ConnectionError);
});

it('are discarded in the journal first, and to the end by whoever does it again', async () => {
  const { stores, weave, unit, mend } = await deadLetter('document');
  const up = failing(participantOf(stores), ['unfenceAll'], () => new ConnectionError('It died here.'));
  await expect(weave.journal.discard(unit, 'by hand')).rejects.toThrow('It died here.');
  expect(await weave.journal.find(unit)).toMatchObject({ dead: true, error: 'discarded: by hand' });
  await expect(weave.journal.retry(unit)).rejects.toThrow('was discarded');
  up();
  await weave.journal.discard(unit, 'another reason');
  mend();
  expect(await weave.journal.find(unit)).toMatchObject({ dead: true, done: true, error: 'discarded: by hand' });
  await expect(weave.journal.retry(unit)).rejects.toThrow('was discarded');
  expect(await weave.settled((reader) => reader.repository(Profile).find())).toEqual([]);
  expect(await weave.settled((reader) => reader.repository(Visit).find())).toHaveLength(1);
});

it('are given back or discarded, where two people decide at once; the other one is told', async () => {
  for (const isRetryFirst of [true, false]) {
    const { weave, unit, mend } = await deadLetter('document');
    mend();
    const retry = () => weave.journal.retry(unit);
    const discard = () => weave.journal.discard(unit, 'by hand');
    const [first, second] = await Promise.allSettled(isRetryFirst ? [retry(), discard()] : [discard(), retry()]);
    expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected']);
    const reason = second?.status === 'rejected' ? second.reason : undefined;
    expect(reason).toBeInstanceOf(InvalidStateError);
    expect(reason.message).toMatch(isRetryFirst ? /given back.*nothing was discarded/ : /was discarded/);
    if (isRetryFirst) await weave.journal.drain();
    const profiles = await weave.settled((reader) => reader.repository(Profile).find());
    expect(profiles).toHaveLength(isRetryFirst ? 1 : 0);
  }
});
