/**
 * The online move out of stores that differ in how writers pass the gate: PGlite, which is one session for everybody, and
 * MongoDB, where rows cannot be locked for sharing and writers touch one of several instead. One process each.
 */
import { type Store, Storeweave } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { mongodb } from '@storeweave/mongodb';
import { sharedServer } from '@storeweave/testing/servers';
import { expect, it } from 'vitest';
import { Profile, User } from './domain.js';

interface Ends {
  /** Users stay here. */
  readonly relational: Store;
  readonly old: Store;
  readonly document: Store;
}

const ends: Record<string, () => Promise<Ends>> = {
  'PGlite to MongoDB': async () => {
    const pglite = embedded();
    const url = await (await sharedServer('mongodb')).database('move_from_pglite');
    return { relational: pglite.relational, old: pglite.document, document: mongodb({ url }) };
  },
  'MongoDB to PostgreSQL': async () => {
    const postgres = embedded({ url: await (await sharedServer('postgres')).database('move_from_mongodb') });
    const url = await (await sharedServer('mongodb')).database('move_from_mongodb');
    return { relational: postgres.relational, old: mongodb({ url }), document: postgres.document };
  },
};

it.each(Object.keys(ends))(
  'goes from %s under writers',
  async (name) => {
    const stores = await ends[name]?.();
    if (stores === undefined) throw new Error(`no ends ${name}`);
    await using weave = await Storeweave.open({
      entities: [User, Profile],
      stores: { ...stores },
      atomicity: 'best-effort',
      moving: [{ entity: Profile, from: 'old' }],
    });
    const profiles = weave.repository(Profile);
    const user = await weave.repository(User).insert({ name: 'ada' });
    const fresh = (owner: string, at: number) => ({
      name: `${owner}-${at}`,
      owner,
      team: at % 3,
      tags: [],
      user: user.id,
    });
    await profiles.insert(Array.from({ length: 400 }, (_, at) => fresh('seed', at)));
    const told = new Map<string, number>();
    const progress = { isOver: false };
    const write = async (owner: string) => {
      let at = 0;
      for (; !progress.isOver; at++) {
        // PGlite answers within this process, and nobody else would have a turn.
        await new Promise((resolve) => setTimeout(resolve, 25));
        const given = fresh(owner, at);
        await weave.transaction(async (uow) => uow.create(Profile, given));
        told.set(given.name, 0);
        await profiles.increment({ name: given.name }, { visits: 1 });
        told.set(given.name, 1);
        if (at % 5 === 4) {
          await profiles.delete({ name: `${owner}-${at - 2}` });
          told.delete(`${owner}-${at - 2}`);
        }
        expect((await profiles.findOneOrFail({ where: { name: given.name }, populate: ['user'] })).visits).toBe(1);
      }
      return at;
    };
    const writers = [write('x'), write('y')];
    const report = await weave.moves.run(Profile, { pageSize: 200 }).finally(async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      progress.isOver = true;
    });
    expect(Math.min(...(await Promise.all(writers)))).toBeGreaterThan(0);
    expect(report.isMoved).toBe(true);

    const found = await profiles.find({ populate: ['user'] });
    expect(found.every((profile) => profile.user.get()?.name === 'ada')).toBe(true);
    const own = found.filter(({ owner }) => owner !== 'seed');
    expect(own.length).toBe(told.size);
    expect(new Map(own.map((profile) => [profile.name, profile.visits]))).toEqual(told);
    expect(found.length).toBe(400 + told.size);
  },
  600_000,
);
