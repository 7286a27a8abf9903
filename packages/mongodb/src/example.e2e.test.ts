// #region entities
import { Document, Embedded, Id, Index, Property, Storeweave, UpdatedAt, Version } from '@storeweave/core';
import { mongodb } from '@storeweave/mongodb';

class Address {
  @Property('string') street!: string;
  @Property('string') city!: string;
}

@Document({ collection: 'profiles' })
@Index(['expiresAt'], { type: 'ttl' })
class Profile {
  @Id() id!: string;
  @Property('string', { unique: true }) email!: string;
  @Property('string', { array: true }) tags!: string[];
  @Property('decimal', { precision: 12, scale: 2 }) balance!: string;
  @Property('json', { nullable: true }) settings!: unknown;
  @Property('timestamp', { nullable: true }) expiresAt!: Date | null;
  @Embedded(() => Address, { nullable: true }) home!: Address | null;
  @UpdatedAt() updatedAt!: Date;
  @Version() version!: number;
}

// #endregion entities
import { sharedServer } from '@storeweave/testing/servers';
import { expect, it } from 'vitest';
import type { MongodbNative } from './store.js';

it('is what the README shows', async () => {
  const url = await (await sharedServer('mongodb')).database('example');
  // #region open
  const document = mongodb({ url });
  await using weave = await Storeweave.open({ entities: [Profile], stores: { document } });

  const { id } = await weave.transaction(async (uow) =>
    uow.create(Profile, { email: 'ada@example.org', tags: ['new'], balance: '10.00', settings: { theme: 'light' } }),
  );
  await weave.documents(Profile).patch(id, {
    set: { 'settings.theme': 'dark' },
    inc: { balance: '0.50' },
    push: { tags: 'reader' },
  });
  const found = await weave.repository(Profile).findOneOrFail({
    where: { settings: { theme: 'dark' }, tags: { contains: 'reader' } },
  });
  // #endregion open
  expect(found).toMatchObject({ id, balance: '10.50', tags: ['new', 'reader'], version: 2, home: null });

  // #region native
  await weave.transaction(async (uow) => {
    const { db, session } = (await uow.native('document')) as MongodbNative;
    await db.collection('profiles').updateMany({}, { $addToSet: { tags: 'all' } }, { session });
  });
  // #endregion native
  expect((await weave.repository(Profile).findOneOrFail({})).tags).toEqual(['new', 'reader', 'all']);

  // #region changes
  const stop = new AbortController();
  const follow = async (after?: string) => {
    for await (const { kind, id, document: profile, token } of document.changes(Profile, {
      ...(after === undefined ? {} : { after }),
      signal: stop.signal,
    })) {
      if (kind === 'update') return { id, tags: profile?.tags, token };
    }
  };
  // #endregion changes
  const following = follow();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await weave.documents(Profile).patch(id, { pull: { tags: 'all' } });
  expect(await following).toMatchObject({ id, tags: ['new', 'reader'] });
  stop.abort();
});
