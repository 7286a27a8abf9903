import { memoryDomain, memoryStore } from '@storeweave/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Audited } from '../../decorators/audited.js';
import { Document, Relational } from '../../decorators/models.js';
import { Id, Property } from '../../decorators/property.js';
import { ConfigurationError, MetadataError } from '../../errors/errors.js';
import type { EntityClass } from '../../model/entity-model.js';
import type { Store } from '../../store/store.js';
import { type OpenOptions, Storeweave } from '../storeweave.js';
import { AuditLog, DataAccessLog } from './logs.js';

@Relational()
@Audited()
class Account {
  @Id() id!: string;
  @Property('string') name!: string;
}

@Document()
@Audited()
class Paper {
  @Id() id!: string;
  @Property('string') name!: string;
}

@Relational()
class Plain {
  @Id() id!: string;
}

const opened: Storeweave[] = [];
async function open(entities: EntityClass[], stores: Record<string, Store>, more: Partial<OpenOptions> = {}) {
  const weave = await Storeweave.open({ entities, stores, ...more });
  opened.push(weave);
  return weave;
}
afterEach(async () => {
  for (const weave of opened.splice(0)) await weave.close();
});

const coordinating = () => memoryStore({ capabilities: { commit: { coordinates: true } } });
const fencing = () => memoryStore({ capabilities: { commit: { coordinates: false, participates: 'fence' } } });
const rows = (weave: Storeweave) => weave.repository(AuditLog).find({ orderBy: { id: 'asc' } });

describe('the place of the records', () => {
  it('is not there where nothing is audited', async () => {
    const weave = await open([Plain], { relational: memoryStore() });
    expect(() => weave.repository(AuditLog)).toThrow(ConfigurationError);
    expect(weave.accessLog).toBeUndefined();
  });

  it('is there where the records themselves are asked for', async () => {
    const weave = await open([Plain, AuditLog], { relational: memoryStore() });
    expect(await weave.repository(DataAccessLog).count()).toBe(0);
  });

  it('is the relational store of the only database, else its document store', async () => {
    const domain = memoryDomain();
    const both = { relational: memoryStore({ domain }), document: memoryStore({ domain }) };
    const weave = await open([Account, Paper], both);
    await weave.repository(Paper).insert({ name: 'a' });
    expect(both.relational.calls.some(({ entity }) => entity === 'AuditLog')).toBe(true);
    const documents = { document: memoryStore({ capabilities: { models: ['document'] } }) };
    const other = await open([Paper], documents);
    await other.repository(Paper).insert({ name: 'a' });
    expect((await rows(other)).map(({ entity }) => entity)).toEqual(['Paper']);
  });

  it('is the store that coordinates commits, where there are several databases', async () => {
    const stores = { document: fencing(), relational: coordinating() };
    const weave = await open([Account, Paper], stores);
    await weave.transaction((uow) => {
      uow.create(Account, { name: 'a' });
      uow.create(Paper, { name: 'p' });
    });
    expect((await rows(weave)).map(({ entity }) => entity).sort()).toEqual(['Account', 'Paper']);
    expect(stores.document.calls.some(({ entity }) => entity === 'AuditLog')).toBe(false);
  });

  it('is the one that is named', async () => {
    const stores = { relational: memoryStore(), archive: memoryStore() };
    const options = { atomicity: 'best-effort', audit: { store: 'archive' } } as const;
    const weave = await open([Account], stores, options);
    await weave.repository(Account).insert({ name: 'a' });
    expect(stores.archive.calls.some(({ entity }) => entity === 'AuditLog')).toBe(true);
    expect((await rows(weave)).length).toBe(1);
  });

  it('is asked for where it cannot be known', async () => {
    const apart = { relational: memoryStore(), document: memoryStore() };
    const unknown = Storeweave.open({ entities: [Account, Paper], stores: apart, atomicity: 'best-effort' });
    await expect(unknown).rejects.toThrow(/none coordinates commits. Name one: open\(\{ audit/);
    const missing = Storeweave.open({ entities: [Account], stores: apart, audit: { store: 'x' } });
    await expect(missing).rejects.toThrow(/names 'x', and no store is bound to that/);
    const series = { relational: memoryStore(), timeseries: memoryStore({ capabilities: { models: ['timeseries'] } }) };
    const unfit = Storeweave.open({ entities: [Account], stores: series, audit: { store: 'timeseries' } });
    await expect(unfit).rejects.toThrow(ConfigurationError);
  });

  it('is asked for after the mistakes in the classes', async () => {
    class Broken {}
    Relational()(Broken);
    const entities = [Account, Broken];
    const stores = { relational: memoryStore(), document: memoryStore() };
    await expect(Storeweave.open({ entities, stores })).rejects.toThrow(MetadataError);
  });
});

describe('a commit over several databases', () => {
  it('has the records in the transaction that decides, also of changes by filter', async () => {
    const weave = await open([Account, Paper], { relational: coordinating(), document: fencing() });
    await weave.repository(Paper).insert([{ name: 'a' }, { name: 'b' }]);
    expect(await weave.repository(Paper).update({ name: 'a' }, { name: 'c' })).toBe(1);
    expect(await weave.repository(Paper).delete({ name: 'b' })).toBe(1);
    await weave.transaction(async (uow) => {
      uow.create(Account, { name: 'x' });
      for (const paper of await uow.repository(Paper).find({})) paper.name = 'd';
    });
    expect((await weave.repository(Paper).find({})).map(({ name }) => name)).toEqual(['d']);
    const told = (await rows(weave)).map(({ operation, before, after }) => [operation, before?.name, after?.name]);
    expect(told).toEqual([
      ['insert', undefined, 'a'],
      ['insert', undefined, 'b'],
      ['update', 'a', 'c'],
      ['delete', 'b', undefined],
      ['insert', undefined, 'x'],
      ['update', 'c', 'd'],
    ]);
    const lost = weave.transaction(async (uow) => {
      uow.create(Account, { name: 'y' });
      await uow.repository(Paper).update({}, { name: 'e' });
      throw new Error('no');
    });
    await expect(lost).rejects.toThrow('no');
    expect((await rows(weave)).length).toBe(6);
    expect((await weave.repository(Paper).find({})).map(({ name }) => name)).toEqual(['d']);
  });
});
