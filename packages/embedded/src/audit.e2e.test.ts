import { OptimisticLockError, Storeweave, UniqueViolationError } from '@storeweave/core';
import { sharedServer } from '@storeweave/testing/servers';
import { afterEach, describe, expect, it } from 'vitest';
import { audited, Case, Finding, history, Letter, Patient, Role, records } from './audit.fixture.js';
import { type EmbeddedOptions, embedded } from './embedded.js';

const opened: Storeweave[] = [];
const open = async (options: EmbeddedOptions) => {
  const weave = await Storeweave.open({ entities: audited, stores: embedded(options) });
  opened.push(weave);
  return weave;
};
afterEach(async () => {
  for (const weave of opened.splice(0)) await weave.close();
});

const places: [name: string, options: () => Promise<EmbeddedOptions>][] = [
  ['on PGlite', async () => ({})],
  ['on PostgreSQL', async () => ({ url: await (await sharedServer('postgres')).database('audit') })],
];

describe.each(places)('changes of audited entities %s', (_, options) => {
  it('are on record with who, why and from where, by the unit of work that made them', async () => {
    const weave = await open(await options());
    const from = { region: 'eu-west', host: 'web-1', address: '192.0.2.7' };
    let unitOfWork = '';
    const patient = await weave.transaction({ actor: 'alice', reason: 'admission', from }, (uow) => {
      unitOfWork = uow.id;
      return uow.create(Patient, { name: 'Ada', taxNumber: 'secret one', home: { city: 'Ulm', zip: 'secret zip' } });
    });
    await weave.transaction(async (uow) => {
      const known = await uow.repository(Patient).findOneOrFail({ where: { name: 'Ada' } });
      known.visits = 1;
      known.taxNumber = 'secret two';
    });
    await weave.transaction({ actor: 'bob' }, async (uow) => uow.remove(await uow.repository(Patient).find({})));

    const [inserted, updated, deleted] = await records(weave, 'Patient');
    expect(inserted).toMatchObject({
      key: patient.id,
      operation: 'insert',
      unitOfWork,
      actor: 'alice',
      reason: 'admission',
      ...from,
      before: null,
      after: { id: patient.id, name: 'Ada', taxNumber: '[redacted]', visits: 0, 'home.zip': '[redacted]', version: 1 },
    });
    expect(inserted?.at.getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect(updated).toMatchObject({ key: patient.id, operation: 'update', actor: null, reason: null, region: null });
    expect(updated?.before).toMatchObject({ visits: 0, taxNumber: '[redacted]', version: 1 });
    expect(updated?.after).toMatchObject({ visits: 1, taxNumber: '[redacted]', version: 2 });
    expect(Object.keys(updated?.after ?? {}).sort()).toEqual(['taxNumber', 'updatedAt', 'version', 'visits']);
    expect(deleted).toMatchObject({
      operation: 'delete',
      actor: 'bob',
      after: null,
      before: { visits: 1, version: 2 },
    });
    expect(JSON.stringify(await records(weave))).not.toContain('secret');
  });

  it('leave no record where they are rolled back', async () => {
    const weave = await open(await options());
    await weave.repository(Patient).insert({ name: 'Ada' });
    const before = await records(weave);
    const thrown = weave.transaction(async (uow) => {
      uow.create(Patient, { name: 'Bob' });
      await uow.flush();
      await uow.repository(Patient).update({}, { visits: 7 });
      throw new Error('no');
    });
    await expect(thrown).rejects.toThrow('no');
    const taken = weave.transaction((uow) => {
      uow.create(Finding, { title: 'kept?', text: '…' });
      uow.create(Patient, { name: 'Ada' });
    });
    await expect(taken).rejects.toBeInstanceOf(UniqueViolationError);
    await expect(weave.repository(Patient).insert([{ name: 'New' }, { name: 'Ada' }])).rejects.toBeInstanceOf(
      UniqueViolationError,
    );
    expect(await records(weave)).toEqual(before);
  });

  it('leave the record of what a savepoint kept, and no other', async () => {
    const weave = await open(await options());
    await weave.transaction(async (uow) => {
      uow.create(Case, { title: 'outer' });
      await uow
        .transaction(async () => {
          uow.create(Case, { title: 'undone' });
          await uow.flush();
          await uow.repository(Case).update({ title: 'outer' }, { title: 'changed' });
          throw new Error('back');
        })
        .catch(() => {});
      await uow.transaction(() => void uow.create(Case, { title: 'inner' }));
    });
    expect(await history(weave, 'Case')).toEqual([
      'insert null {"title":"outer","closedAt":null}',
      'insert null {"title":"inner","closedAt":null}',
    ]);
  });

  it('leave none where only what is not recorded changes, and say when something was only marked deleted', async () => {
    const weave = await open(await options());
    await weave.transaction((uow) => void uow.create(Case, { title: 'a', rank: 1 }));
    await weave.transaction(async (uow) => {
      for (const each of await uow.repository(Case).find({})) each.rank = 2;
    });
    expect(await weave.repository(Case).update({}, { rank: 3 })).toBe(1);
    await weave.transaction(async (uow) => uow.remove(await uow.repository(Case).find({})));
    await weave.transaction((uow) => void uow.create(Case, { title: 'b', rank: 1 }));
    expect(await weave.repository(Case).delete({})).toBe(1);
    const operations = (await records(weave, 'Case')).map(({ operation }) => operation);
    expect(operations).toEqual(['insert', 'softDelete', 'insert', 'softDelete']);
  });

  it('are on record with ids that the store makes, and with links of their relations', async () => {
    const weave = await open(await options());
    const [finding] = await weave.transaction((uow) => {
      const admin = uow.create(Role, { name: 'admin' });
      uow.create(Patient, { name: 'Ada' }).roles.add(admin);
      return [uow.create(Finding, { title: 'x-ray', text: 'secret' })];
    });
    expect((await records(weave, 'Finding')).map(({ key, after }) => [key, after])).toEqual([
      [String(finding?.id), { id: finding?.id, title: 'x-ray', text: '[redacted]' }],
    ]);
    expect(await records(weave, 'Role')).toEqual([]);
    await weave.transaction(async (uow) => {
      const ada = await uow.repository(Patient).findOneOrFail({ populate: ['roles'] });
      const [role] = ada.roles.items;
      if (role !== undefined) ada.roles.remove(role);
    });
    const operations = (await records(weave, 'Patient.roles')).map(({ operation }) => operation);
    expect(operations).toEqual(['insert', 'delete']);
  });

  it('are refused together with their record', async () => {
    const weave = await open(await options());
    const stale = await weave.transaction((uow) => uow.create(Patient, { name: 'Ada' }));
    await weave.repository(Patient).update({}, { visits: 5 });
    const late = weave.transaction((uow) => {
      uow.add(stale);
      stale.visits = 9;
    });
    await expect(late).rejects.toBeInstanceOf(OptimisticLockError);
    expect((await records(weave, 'Patient')).map(({ after }) => after?.visits)).toEqual([0, 5]);
  });

  it('are told by what was stored, and not by what was thought to be', async () => {
    const weave = await open(await options());
    const thought = await weave.transaction((uow) => uow.create(Finding, { title: 'a', text: '1' }));
    await weave.repository(Finding).update({}, { title: 'b' });
    await weave.transaction((uow) => {
      uow.add(thought);
      thought.title = 'c';
    });
    await weave.repository(Finding).delete({});
    await weave.transaction((uow) => {
      uow.add(thought);
      uow.remove(thought);
    });
    const titles = (await records(weave, 'Finding')).map(({ operation, before, after }) => [
      operation,
      before?.title,
      after?.title,
    ]);
    expect(titles).toEqual([
      ['insert', undefined, 'a'],
      ['update', 'a', 'b'],
      ['update', 'b', 'c'],
      ['delete', 'c', undefined],
    ]);
  });

  it('are on record where documents are patched', async () => {
    const weave = await open(await options());
    const letter = await weave.repository(Letter).insert({ subject: 'Hello', data: { theme: 'dark' } });
    expect(await weave.documents(Letter).patch(letter.id, { inc: { copies: 2 }, push: { labels: 'new' } })).toBe(1);
    expect(await weave.documents(Letter).patch({ subject: 'Hello' }, { set: { 'data.theme': 'light' } })).toBe(1);
    expect(await weave.documents(Letter).patch({ subject: 'None' }, { set: { subject: 'None' } })).toBe(0);
    const [, first, second, ...rest] = await history(weave, 'Letter');
    expect(first).toBe('update {"copies":0,"labels":[],"version":1} {"copies":2,"labels":["new"],"version":2}');
    expect(second).toBe('update {"data":{"theme":"dark"},"version":2} {"data":{"theme":"light"},"version":3}');
    expect(rest).toEqual([]);
  });
});
