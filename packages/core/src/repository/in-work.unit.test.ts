/** Repositories inside a unit of work: they join it, see its changes, and write no further than it may. */
import { memoryDomain, memoryStore } from '@storeweave/testing';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, InvalidStateError, ReadOnlyError } from '../errors/errors.js';
import { Storeweave } from '../weave/storeweave.js';
import { Author, ENTITIES, Post, Profile, Read } from './domain.fixture.js';

async function open(oneDomain: boolean) {
  const domain = oneDomain ? memoryDomain() : undefined;
  // Several domains may only be opened where one of them says that it can coordinate a commit.
  const commit = { coordinates: true };
  const store = () => memoryStore(domain === undefined ? { capabilities: { commit } } : { domain });
  return Storeweave.open({
    entities: ENTITIES,
    stores: { relational: store(), document: store(), graph: store(), timeseries: store() },
  });
}

describe('in a unit of work', () => {
  it('reads see pending changes, and entities are the ones already known', async () => {
    await using weave = await open(true);
    await weave.transaction(async (uow) => {
      const ada = uow.create(Author, { id: 1, name: 'Ada' });
      const post = uow.create(Post, { id: 1, title: 'x', author: ada });
      const [found] = await weave.repository(Author).find({ where: { posts: { title: 'x' } }, populate: ['posts'] });
      expect(found).toBe(ada);
      expect(found?.posts.items).toEqual([post]);
      ada.name = 'Ada L.';
      expect(await uow.repository(Author).count({ name: 'Ada L.' })).toBe(1);
      uow.remove(post);
      expect(await uow.repository(Post).find()).toEqual([]);
      expect(await uow.repository(Author).findById(1)).toBe(ada);
    });
  });

  it('a stream is untracked, and sees pending changes', async () => {
    await using weave = await open(true);
    await weave.transaction(async (uow) => {
      const ada = uow.create(Author, { id: 1, name: 'Ada' });
      for await (const streamed of uow.repository(Author).stream()) {
        expect(streamed === ada).toBe(false);
        expect(streamed.name).toBe('Ada');
        streamed.name = 'changed';
      }
    });
    expect((await weave.repository(Author).findById(1))?.name).toBe('Ada');
  });

  it('what is inserted at once belongs to it, and goes with it', async () => {
    await using weave = await open(true);
    await weave.transaction(async (uow) => {
      const ada = await weave.repository(Author).insert({ id: 1, name: 'Ada' });
      expect(uow.contains(ada)).toBe(true);
      ada.age = 36;
    });
    expect((await weave.repository(Author).findById(1))?.age).toBe(36);
    const failure = weave.transaction(async () => {
      await weave.repository(Author).update({}, { age: 1 });
      await weave.repository(Author).insert({ id: 2, name: 'Bob' });
      throw new Error('no');
    });
    await expect(failure).rejects.toThrow('no');
    expect(await weave.repository(Author).find({ select: ['id', 'age'] })).toEqual([{ id: 1, age: 36 }]);
  });

  it('locks need a transaction, and give the row as it is', async () => {
    await using weave = await open(true);
    await weave.repository(Author).insert({ id: 1, name: 'Ada' });
    await expect(weave.repository(Author).find({ lock: 'update' })).rejects.toThrow(InvalidStateError);
    await weave.transaction(async (uow) => {
      const ada = await uow.repository(Author).findOneOrFail();
      await uow.repository(Author).update({ id: 1 }, { age: 5 });
      expect(ada.age).toBeNull();
      expect(await uow.repository(Author).findOneOrFail({ lock: 'update' })).toBe(ada);
      expect(ada.age).toBe(5);
    });
  });

  it('create, add and remove are the unit of work’s own', async () => {
    await using weave = await open(true);
    const authors = weave.repository(Author);
    expect(() => authors.create({ id: 1, name: 'Ada' })).toThrow('needs a running unit of work');
    await weave.transaction(async () => {
      authors.create({ id: 1, name: 'Ada' });
      authors.add(Object.assign(new Author(), { id: 2, name: 'Bob' }));
    });
    expect(await authors.count()).toBe(2);
    await weave.transaction(async () => authors.remove(await authors.find({ where: { id: 1 } })));
    expect((await authors.find()).map((author) => author.name)).toEqual(['Bob']);
  });
});

describe('writes that pass it by', () => {
  it('are refused in a second transaction domain, before anything is written', async () => {
    await using weave = await open(false);
    const both = weave.transaction(async (uow) => {
      await uow.repository(Author).insert({ id: 1, name: 'Ada' });
      await uow.repository(Profile).insert({ id: 1, authorId: 1, country: 'GB' });
    });
    await expect(both).rejects.toThrow(ConfigurationError);
    const mixed = weave.transaction(async (uow) => {
      uow.create(Author, { id: 1, name: 'Ada' });
      await uow.flush();
      await uow.series(Read).insert({ at: new Date(), post: 1, device: 'x', seconds: 1 });
    });
    await expect(mixed).rejects.toThrow(ConfigurationError);
    const patched = weave.transaction(async (uow) => {
      await uow.repository(Author).update({}, { age: 1 });
      await uow.documents(Profile).patch({}, { inc: { visits: 1 } });
    });
    await expect(patched).rejects.toThrow(ConfigurationError);
    expect(await weave.repository(Author).count()).toBe(0);
    expect(await weave.repository(Profile).count()).toBe(0);
    await weave.transaction(async (uow) => {
      await uow.repository(Author).insert({ id: 1, name: 'Ada' });
      expect(await uow.repository(Profile).count()).toBe(0);
    });
  });

  it('are refused where the unit of work only reads', async () => {
    await using weave = await open(true);
    const failure = weave.transaction({ readOnly: true }, (uow) =>
      uow.repository(Author).insert({ id: 1, name: 'Ada' }),
    );
    await expect(failure).rejects.toThrow(ReadOnlyError);
  });
});
