/**
 * One process of the application: writes its own profiles in every way that there is, one after the other, until its
 * input ends. Says on its output what was acknowledged, and what it saw that it should not have seen.
 */
import { Storeweave } from '@storeweave/core';
import { seeded } from '../crash/random.js';
import { application, Profile, User } from './domain.js';

/** What a profile of this process must be: its team, visits and tags. */
interface Told {
  id: string;
  team: number;
  visits: number;
  tags: string[];
}

const [owner = 'w', seed = '1'] = process.argv.slice(2);
const random = seeded(Number(seed));
const mine = new Map<string, Told>();
let made = 0;
let shared = 0;
let isOver = false;
process.stdin.resume().once('end', () => {
  isOver = true;
});

const weave = await Storeweave.open(application());
const profiles = weave.repository(Profile);
const user = await weave.repository(User).insert({ name: owner });

const say = (word: string, content: unknown = '') => console.log(`${word} ${JSON.stringify(content)}`);
const fresh = () => {
  made += 1;
  return { name: `${owner}-${made}`, owner, team: made % 7, tags: [] as string[], user: user.id };
};
const some = (): [string, Told] | undefined => [...mine][random(Math.max(1, mine.size))];
const keep = (name: string, id: string, team: number, visits = 0) => mine.set(name, { id, team, visits, tags: [] });

const kinds: Record<string, () => Promise<void>> = {
  async insert() {
    const list = [fresh(), fresh(), fresh()];
    const found = await profiles.insert(list);
    for (const { id, name, team } of found) keep(name, id, team);
  },
  async unitOfWork() {
    const given = fresh();
    const before = some();
    const id = await weave.transaction(async (uow) => {
      const created = uow.create(Profile, given);
      if (before !== undefined) {
        const other = await uow.repository(Profile).findOneOrFail({ where: { name: before[0] } });
        other.visits += 1;
      }
      return created.id;
    });
    keep(given.name, id, given.team);
    if (before !== undefined) before[1].visits += 1;
  },
  async session() {
    const before = some();
    if (before === undefined) return;
    await using session = weave.session();
    const profile = await session.repository(Profile).findOneOrFail({ where: { id: before[1].id } });
    profile.tags = [...profile.tags, 's'];
    await session.commit();
    before[1].tags.push('s');
  },
  async remove() {
    const before = some();
    if (before === undefined || mine.size < 50) return;
    await weave.transaction(async (uow) => {
      uow.remove(await uow.repository(Profile).findOneOrFail({ where: { id: before[1].id } }));
    });
    mine.delete(before[0]);
  },
  async update() {
    const team = random(7);
    await profiles.increment({ owner, team }, { visits: 1 });
    for (const told of mine.values()) if (told.team === team) told.visits += 1;
  },
  async delete() {
    const [name] = some() ?? [];
    if (name === undefined || mine.size < 50) return;
    await profiles.delete({ owner, name });
    mine.delete(name);
  },
  async patch() {
    const before = some();
    if (before === undefined) return;
    await weave.documents(Profile).patch(before[1].id, { push: { tags: 'p' }, inc: { visits: 1 } });
    before[1].tags.push('p');
    before[1].visits += 1;
  },
  async rename() {
    const before = some();
    if (before === undefined) return;
    const given = fresh();
    await profiles.update({ id: before[1].id }, { name: given.name });
    mine.delete(before[0]);
    mine.set(given.name, before[1]);
  },
  async upsert() {
    const before = some();
    if (before === undefined) return;
    const team = random(7);
    await profiles.upsert({ ...fresh(), name: before[0], team }, { on: ['name'], update: ['team'] });
    before[1].team = team;
  },
  async shared() {
    await profiles.increment({ owner: 'shared' }, { visits: 1 });
    shared += 1;
  },
  async undone() {
    const given = fresh();
    const refused = weave.transaction(async (uow) => {
      uow.create(Profile, given);
      await uow.flush();
      throw new RangeError('no');
    });
    await refused.catch((error: unknown) => {
      if (!(error instanceof RangeError)) throw error;
    });
  },
};

while (!isOver) {
  for (const [kind, run] of Object.entries(kinds)) {
    try {
      await run();
      say('done', kind);
    } catch (error) {
      say('error', { kind, message: String(error), code: (error as { code?: string }).code });
    }
    // What was acknowledged is seen by the next read, wherever it goes.
    const [name, told] = some() ?? [];
    if (name === undefined || told === undefined) continue;
    const [found] = await profiles.find({ where: { name }, populate: ['user'] });
    const seen = found && { id: found.id, team: found.team, visits: found.visits, tags: found.tags };
    if (JSON.stringify(seen) !== JSON.stringify(told)) say('stale', { kind, name, told, seen });
    if (found?.user.get()?.name !== owner && !name.startsWith('seed'))
      say('stale', { kind, name, user: found?.user.key });
  }
}
say('told', { mine: [...mine], shared });
await weave.close();
