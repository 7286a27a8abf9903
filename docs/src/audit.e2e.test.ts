/** The code that the page about audit quotes runs, and does what the page says of it. */
import { channel } from 'node:diagnostics_channel';
import { CommitRefusedError, type Storeweave } from '@storeweave/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alarm, Consent, change, openInMemory, read, session } from './audit.js';

let weave: Storeweave;
beforeAll(async () => {
  weave = await openInMemory();
});
afterAll(() => weave.close());

test('changes are on record, by units of work and by filter', async () => {
  session.user = 'bob';
  const [first, second] = await change(weave);
  expect(first).toEqual([
    'alice',
    'insert',
    null,
    { id: expect.any(String), name: 'Ada', taxNumber: '[redacted]', version: 1 },
  ]);
  expect(second).toEqual(['bob', 'update', { name: 'Ada', version: 1 }, { name: 'Ada L.', version: 2 }]);
});

test('reads are on record without what is redacted', async () => {
  session.user = 'carol';
  expect(await read(weave)).toEqual(['carol', 'read', 1, 'taxNumber = "[redacted]"']);
});

test('a hook refuses a commit', async () => {
  const consent = await weave.repository(Consent).insert({ patient: crypto.randomUUID(), given: true });
  const erase = (reason?: string) =>
    weave.transaction({ reason }, async (uow) => uow.remove(await uow.repository(Consent).find({})));
  await expect(erase()).rejects.toBeInstanceOf(CommitRefusedError);
  expect(await weave.repository(Consent).findById(consent.id)).not.toBeNull();
  await erase('asked for by letter');
  expect(await weave.repository(Consent).findById(consent.id)).toBeNull();
});

test('what is lost is heard', () => {
  const heard: unknown[] = [];
  alarm((records, error) => heard.push(records, error));
  channel('storeweave:audit:lost').publish({ records: 3, error: 'gone' });
  expect(heard).toEqual([3, 'gone']);
});
