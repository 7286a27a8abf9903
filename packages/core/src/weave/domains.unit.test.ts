import { ChaosPlan, chaosStore, memoryStore } from '@storeweave/testing';
import { describe, expect, it } from 'vitest';
import { Document, Relational } from '../decorators/models.js';
import { Version } from '../decorators/moments.js';
import { Id, Property } from '../decorators/property.js';
import { OneToOne } from '../decorators/relations.js';
import {
  CapabilityError,
  ConfigurationError,
  MetadataError,
  PartialCommitError,
  StoreError,
} from '../errors/errors.js';
import type { Ref } from '../relations/ref.js';
import type { Store } from '../store/store.js';
import { recorded } from './library.fixture.js';
import { Storeweave } from './storeweave.js';

@Relational()
class Account {
  @Id() id!: string;
  @Property('string') name!: string;
  @Version() version!: number;
  @OneToOne(
    () => Picture,
    (picture: Picture) => picture.accountId,
  )
  picture!: Ref<Picture>;
}

@Document()
class Picture {
  @Id() id!: string;
  @Property('string') url!: string;
  @Property('uuid', { nullable: true }) accountId!: string | null;
}

const entities = [Account, Picture];

/** Two stores, each with a domain of its own. */
function two(plans: Partial<Record<'relational' | 'document', ChaosPlan>> = {}, transactions = true) {
  const relational = recorded({ name: 'first' });
  const document = recorded({
    name: 'second',
    ...(transactions ? {} : { capabilities: { transactions: undefined } }),
  });
  const wrap = (store: Store, plan?: ChaosPlan) => (plan === undefined ? store : chaosStore(store, plan));
  return {
    relational,
    document,
    stores: { relational: wrap(relational.store, plans.relational), document: wrap(document.store, plans.document) },
  };
}

/** Atomic units of work are let through `open()` by a store that says it could coordinate. */
function coordinating(stores: Record<string, Store>): Record<string, Store> {
  const { relational } = stores;
  if (relational === undefined) throw new Error('not there');
  Object.assign(relational.capabilities, { commit: { coordinates: true } });
  return stores;
}

describe('several transaction domains', () => {
  it('are refused at open where nobody can coordinate them', async () => {
    await expect(Storeweave.open({ entities, stores: two().stores })).rejects.toThrow(ConfigurationError);
    await expect(Storeweave.open({ entities, stores: two().stores })).rejects.toThrow(/relational \| document/);
  });

  it('are refused at the commit that writes to both, and nothing is kept', async () => {
    const { stores } = two();
    const weave = await Storeweave.open({ entities, stores: coordinating(stores) });
    const attempt = weave.transaction(async (uow) => {
      const account = uow.create(Account, { name: 'a' });
      account.picture.set(uow.create(Picture, { url: 'x' } as never));
    });
    await expect(attempt).rejects.toThrow(ConfigurationError);
    await expect(attempt).rejects.toThrow(/\(first, second\)/);
    expect(await weave.repository(Account).count()).toBe(0);
    expect(await weave.repository(Picture).count()).toBe(0);

    await weave.transaction(async (uow) => {
      uow.create(Account, { name: 'one domain' });
      await uow.repository(Picture).find();
    });
    expect(await weave.repository(Account).count()).toBe(1);
    await weave.close();
  });

  it('commit one after the other with best effort', async () => {
    const { stores, relational, document } = two();
    const weave = await Storeweave.open({ entities, stores, atomicity: 'best-effort' });
    await weave.transaction(async (uow) => {
      const account = uow.create(Account, { name: 'a' });
      account.picture.set(uow.create(Picture, { url: 'x' } as never));
      expect(uow.plan().domains).toEqual(['first', 'second']);
    });
    const [account] = await weave.repository(Account).find({ populate: ['picture'] });
    expect(account?.picture.value.url).toBe('x');
    expect(relational.events.at(-2)).toBe('commit');
    expect(document.events.filter((event) => event === 'commit')).toHaveLength(1);
    await weave.close();
  });

  it('with best effort a failure says what was kept', async () => {
    const plan = new ChaosPlan([{ call: 'commit', fail: () => new StoreError('no') }]);
    const { stores } = two({ document: plan });
    const weave = await Storeweave.open({ entities, stores, atomicity: 'best-effort' });
    const attempt = weave.transaction(async (uow) => {
      uow.create(Account, { name: 'a' });
      uow.create(Picture, { url: 'x' } as never);
    });
    const error = await attempt.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PartialCommitError);
    expect(error).toMatchObject({ committed: ['first'], notCommitted: ['second'], cause: { message: 'no' } });
    expect(await weave.repository(Account).count()).toBe(1);
    expect(await weave.repository(Picture).count()).toBe(0);
    await weave.close();
  });

  it('are not begun where they are not touched', async () => {
    const { stores, document } = two();
    const weave = await Storeweave.open({ entities, stores, atomicity: 'best-effort' });
    await weave.transaction(async (uow) => uow.create(Account, { name: 'a' }));
    expect(document.events).not.toContain('begin');
    await weave.close();
  });
});

describe('a store without transactions', () => {
  it('takes one batch, and refuses several that it could keep in part', async () => {
    const store = memoryStore({ capabilities: { transactions: undefined } });
    const weave = await Storeweave.open({ entities: [Picture], stores: { document: store } });
    await weave.transaction(async (uow) => {
      uow.create(Picture, { url: 'a' } as never);
      uow.create(Picture, { url: 'b' } as never);
    });
    expect(await weave.repository(Picture).count()).toBe(2);
    const attempt = weave.transaction(async (uow) => {
      const [picture] = await uow.repository(Picture).find();
      if (picture !== undefined) picture.url = 'changed';
      uow.create(Picture, { url: 'c' } as never);
    });
    await expect(attempt).rejects.toThrow(/needs 2 writes in memory, which has no transactions/);
    expect(await weave.repository(Picture).count({ url: 'changed' })).toBe(0);
    await weave.close();
  });

  it('is written to last, when everything else has gone well', async () => {
    const { stores, relational } = two({}, false);
    const weave = await Storeweave.open({ entities, stores, atomicity: 'best-effort' });
    const attempt = weave.transaction(async (uow) => {
      uow.create(Picture, { url: 'x' } as never);
      uow.create(Account, { name: 'a' });
      await uow.flush();
      await uow.repository(Picture).find();
      throw new Error('no');
    });
    await expect(attempt).rejects.toThrow('no');
    expect(await weave.repository(Picture).count()).toBe(0);
    expect(relational.events).toContain('rollback');
    await weave.transaction(async (uow) => {
      uow.create(Picture, { url: 'x' } as never);
      uow.create(Account, { name: 'a' });
    });
    expect([await weave.repository(Picture).count(), await weave.repository(Account).count()]).toEqual([1, 1]);
    await weave.close();
  });

  it('is named where a failure comes after it was written to', async () => {
    const plan = new ChaosPlan([{ call: 'commit', fail: () => new StoreError('no') }]);
    const { stores } = two({ relational: plan }, false);
    const weave = await Storeweave.open({ entities, stores, atomicity: 'best-effort' });
    const attempt = weave.transaction(async (uow) => {
      uow.create(Picture, { url: 'x' } as never);
      uow.create(Account, { name: 'a' });
    });
    await expect(attempt).rejects.toMatchObject({ committed: ['second'], notCommitted: ['first'] });
    await weave.close();
  });
});

describe('open', () => {
  it('reports everything that is wrong with the stores together, and leaves nothing open', async () => {
    const poor = memoryStore({ capabilities: { types: ['string'], versionChecks: false, models: ['relational'] } });
    const attempt = Storeweave.open({ entities, stores: { relational: poor, document: poor } });
    await expect(attempt).rejects.toThrow(CapabilityError);
    await expect(attempt).rejects.toThrow(/Account.id .*uuid[\s\S]*Account.version[\s\S]*Picture/);
    await expect(Storeweave.open({ entities, stores: {} })).rejects.toThrow(/No store is bound/);
    await expect(Storeweave.open({ entities: [class {}], stores: {} })).rejects.toThrow(MetadataError);
  });

  it('closes what it had opened when a later store fails', async () => {
    const { stores } = two({ document: new ChaosPlan([{ call: 'open', fail: () => new StoreError('no') }]) });
    let closed = 0;
    const close = stores.relational.close.bind(stores.relational);
    Object.defineProperty(stores.relational, 'close', {
      value: async () => {
        closed++;
        await close();
      },
    });
    await expect(Storeweave.open({ entities, stores, atomicity: 'best-effort' })).rejects.toThrow('no');
    expect(closed).toBe(1);
  });
});
