/** Dead letters: discarding one can be done again wherever it died. */
import { afterEach, expect, it } from 'vitest';
import { CheckViolationError, ConnectionError } from '../../errors/errors.js';
import type { Storeweave } from '../../weave/storeweave.js';
import { makeStores, open, Profile, type Stores, Visit, writeAll } from './across.fixture.js';

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

const participantOf = (stores: Stores) => stores.document.participant ?? {};

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
