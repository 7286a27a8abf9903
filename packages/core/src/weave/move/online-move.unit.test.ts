/** An entity that is moved while it is written: at the gate, in the log, and over the switch. Stores in memory. */
import { ChaosPlan, chaosStore, type MemoryDomain, memoryDomain, memoryStore } from '@storeweave/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Document } from '../../decorators/models.js';
import { Version } from '../../decorators/moments.js';
import { Id, Property } from '../../decorators/property.js';
import { ManyToMany, ManyToOne } from '../../decorators/relations.js';
import { CapabilityError, ConfigurationError, ConnectionError, InvalidStateError } from '../../errors/errors.js';
import type { EntityClass } from '../../model/entity-model.js';
import type { Collection } from '../../relations/collection.js';
import type { Ref } from '../../relations/ref.js';
import type { Store } from '../../store/store.js';
import { type Defaults, optional } from '../../types/brands.js';
import { Storeweave } from '../storeweave.js';
import type { MoveProgress } from './move.js';

@Document()
class Topic {
  @Id() id!: string;
  @Property('string') name!: string;
}

@Document()
class Profile {
  declare readonly [optional]: Defaults<'id' | 'visits' | 'version'>;
  @Id('integer', { generated: 'sequence' }) id!: number;
  @Property('string', { unique: true }) name!: string;
  @Property('integer', { default: 0 }) visits!: number;
  @ManyToOne(() => Topic, { nullable: true }) favourite!: Ref<Topic>;
  @ManyToMany(() => Topic) topics!: Collection<Topic>;
  @Version() version!: number;
}

const entities: readonly EntityClass[] = [Topic, Profile];
let before: MemoryDomain;
let after: MemoryDomain;
const opened: Storeweave[] = [];

beforeEach(() => {
  before = memoryDomain({ name: 'before' });
  after = memoryDomain({ name: 'after' });
});
afterEach(async () => {
  for (const weave of opened.splice(0)) await weave.close();
});

interface Ends {
  readonly old?: Store;
  readonly document?: Store;
}

/** A process of the application, with the move declared. */
async function open({ old = memoryStore({ domain: before }), document = memoryStore({ domain: after }) }: Ends = {}) {
  const weave = await Storeweave.open({
    entities,
    atomicity: 'best-effort',
    stores: { document, old },
    moving: [{ entity: Profile, from: 'old' }],
  });
  opened.push(weave);
  return weave;
}

const quick = { leaseMs: 1_000, pageSize: 10 };

async function fill(weave: Storeweave, count: number): Promise<void> {
  await weave.transaction(async (uow) => {
    const topics = ['a', 'b'].map((name) => uow.create(Topic, { name }));
    for (let i = 0; i < count; i++) {
      const profile = uow.create(Profile, { name: `p${i}` });
      profile.topics.add(...topics.slice(0, i % 3));
    }
  });
}

/** What a store of a domain holds, past every route. */
async function stored(domain: MemoryDomain): Promise<[string, number][]> {
  const raw = await Storeweave.open({ entities, stores: { document: memoryStore({ domain }) } });
  const found = await raw.repository(Profile).find({ orderBy: { id: 'asc' } });
  return found.map(({ name, visits }) => [name, visits]);
}

describe('an online move', () => {
  it('takes rows and links along, and every process goes on with the new store', async () => {
    const [one, two] = [await open(), await open()];
    await fill(one, 25);
    expect(await two.moves.state(Profile)).toBe('idle');
    const report = await one.moves.run(Profile, quick);
    expect(report).toMatchObject({ isMoved: true, isEqual: true, entities: [{ entity: 'Profile', target: 25 }, {}] });
    expect(report.entities[0]?.sourceDigest).toBe(report.entities[0]?.targetDigest);
    expect(await two.moves.state(Profile)).toBe('moved');

    // The other process has not been told: it finds out by its first read.
    await one.repository(Profile).update({ name: 'p7' }, { visits: 3 });
    expect(await two.repository(Profile).count({ visits: 3 })).toBe(1);
    const found = await two.repository(Profile).find({ orderBy: { id: 'asc' }, populate: ['topics'] });
    expect(found.map(({ topics }) => topics.items.length)).toEqual(Array.from({ length: 25 }, (_, i) => i % 3));
    const fresh = await two.repository(Profile).insert({ name: 'next' });
    expect(fresh.id).toBe(26);
    expect((await stored(before)).length).toBe(25);
    expect((await stored(after)).length).toBe(26);
    expect(await one.moves.run(Profile, quick)).toMatchObject({ isMoved: true });
  });

  it('copies, catches up, and switches while transactions, single calls and writes by filter go on', async () => {
    const [one, two] = [await open(), await open()];
    await fill(one, 60);
    const told = new Map<string, number>();
    const rounds = { x: 0, y: 0 };
    let isOver = false;
    const write = async (weave: Storeweave, who: 'x' | 'y') => {
      const mine = weave.repository(Profile);
      for (let made = 0; !isOver; made++) {
        rounds[who] = made;
        const name = `${who}${made}`;
        const { id } = await mine.insert({ name });
        let visits = 0;
        // Each kind of write is the last one of some rows.
        if (made % 4 > 0) {
          await weave.transaction(async (uow) => {
            const profile = await uow.repository(Profile).findOneOrFail({ where: { id } });
            profile.visits += 1;
          });
          visits += 1;
        }
        if (made % 4 > 1) visits += await mine.increment({ name }, { visits: 1 });
        if (made % 4 > 2) visits += await weave.documents(Profile).patch(id, { inc: { visits: 1 } });
        told.set(name, visits);
        expect((await mine.findById(id))?.visits).toBe(visits);
        if (made % 5 === 1) {
          expect(await mine.delete({ name: `${who}${made - 1}` })).toBe(1);
          told.delete(`${who}${made - 1}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const writers = [write(one, 'x'), write(two, 'y')];
    // Slow enough that every step of the move meets writers.
    const slow = new ChaosPlan([{ call: ['read', 'insert'], delayMs: 2, times: Number.POSITIVE_INFINITY }]);
    const mover = await open({ document: chaosStore(memoryStore({ domain: after }), slow) });
    const report = await mover.moves.run(Profile, { ...quick, pageSize: 50 });
    // On a busy machine the move may be over before each has done every kind of write; each does some after it too.
    const enough = Math.max(10, rounds.x, rounds.y);
    const isEnough = () => Math.min(rounds.x, rounds.y) > enough;
    await Promise.race([Promise.all(writers), expect.poll(isEnough, { timeout: 20_000 }).toBe(true)]);
    isOver = true;
    await Promise.all(writers);
    expect(report.isMoved).toBe(true);
    const found = new Map((await stored(after)).filter(([name]) => !name.startsWith('p')));
    expect(found).toEqual(told);
    const left = new Set((await stored(before)).map(([name]) => name));
    const last = [`x${rounds.x}`, `y${rounds.y}`];
    expect(last.map((name) => [found.has(name), left.has(name)])).toEqual(last.map(() => [true, false]));
  });

  const kinds: Record<string, (weave: Storeweave) => Promise<unknown>> = {
    insert: (weave) => weave.repository(Profile).insert({ name: 'p9', visits: 5 }),
    upsert: (weave) =>
      weave.repository(Profile).upsert({ id: 77, name: 'p1', visits: 5 }, { on: ['name'], update: ['visits'] }),
    update: (weave) => weave.repository(Profile).update({ name: 'p1' }, { visits: 5 }),
    delete: (weave) => weave.repository(Profile).delete({ name: 'p1' }),
    patch: (weave) => weave.documents(Profile).patch({ name: 'p1' }, { set: { visits: 5 } }),
    'patch of one': (weave) => weave.documents(Profile).patch(2, { set: { visits: 5 } }),
    'unit of work': (weave) =>
      weave.transaction(async (uow) => {
        const [first, second] = await uow.repository(Profile).find({ orderBy: { id: 'asc' } });
        if (first === undefined || second === undefined) throw new Error('nothing there');
        uow.remove(first);
        second.visits = 5;
        uow.create(Profile, { name: 'p9', visits: 5 });
      }),
  };

  const left: Record<string, string> = {
    insert: 'p0:0 p1:0 p2:0 p3:0 p9:5',
    upsert: 'p0:0 p1:5 p2:0 p3:0',
    update: 'p0:0 p1:5 p2:0 p3:0',
    delete: 'p0:0 p2:0 p3:0',
    patch: 'p0:0 p1:5 p2:0 p3:0',
    'patch of one': 'p0:0 p1:5 p2:0 p3:0',
    'unit of work': 'p1:5 p2:0 p3:0 p9:5',
  };

  it.each(Object.keys(kinds))('misses no %s that comes after the target was surveyed', async (kind) => {
    const weave = await open();
    await fill(weave, 4);
    let written: Promise<unknown> | undefined;
    const onProgress = ({ phase, entity }: MoveProgress) => {
      if (phase === 'compare' && entity !== 'Profile') written ??= kinds[kind]?.(weave);
    };
    expect((await weave.moves.run(Profile, { ...quick, onProgress })).isMoved).toBe(true);
    await written;
    expect((await stored(after)).map(([name, visits]) => `${name}:${visits}`).join(' ')).toBe(left[kind]);
  });

  it('holds a writer at the gate until the switch is over, without an error', async () => {
    const weave = await open();
    await fill(weave, 5);
    let enter = () => {};
    const entered = new Promise<void>((resolve) => {
      enter = resolve;
    });
    let release = () => {};
    const running = weave.transaction(async (uow) => {
      const profile = await uow.repository(Profile).findOneOrFail({ where: { name: 'p1' } });
      profile.visits = 7;
      await uow.flush();
      enter();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await entered;
    // Begun by a writer that was there first, the move waits for it to be through.
    const move = weave.moves.run(Profile, quick);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await weave.moves.state(Profile)).toBe('idle');
    release();
    await running;
    expect(await move).toMatchObject({ isMoved: true });
    expect(await stored(after)).toContainEqual(['p1', 7]);
  });

  it('lets a unit of work that began before the switch start over in the new store', async () => {
    const [one, two] = [await open(), await open()];
    await fill(one, 3);
    const seen: number[] = [];
    await one.transaction(async (uow) => {
      const profile = await uow.repository(Profile).findOneOrFail({ where: { name: 'p1' } });
      seen.push(profile.visits);
      if (seen.length === 1) {
        await two.moves.run(Profile, quick);
        await two.repository(Profile).update({ name: 'p1' }, { visits: 5 });
      }
      profile.visits += 1;
    });
    expect(seen).toEqual([0, 5]);
    expect(await stored(after)).toContainEqual(['p1', 6]);

    const session = two.session();
    const mine = await session.repository(Profile).findOneOrFail({ where: { name: 'p2' } });
    mine.visits = 9;
    await session.commit();
    expect(await stored(after)).toContainEqual(['p2', 9]);
  });

  it('a session that began before the switch commits to the new store', async () => {
    const [one, two] = [await open(), await open()];
    await fill(one, 3);
    await using session = one.session();
    const mine = await session.repository(Profile).findOneOrFail({ where: { name: 'p2' } });
    await two.moves.run(Profile, quick);
    mine.visits = 9;
    await session.commit();
    expect(await stored(after)).toContainEqual(['p2', 9]);
    expect(await stored(before)).toContainEqual(['p2', 0]);
  });

  it('logs what a nested transaction leaves behind, and nothing of what it takes back', async () => {
    const weave = await open();
    await fill(weave, 4);
    const plan = new ChaosPlan();
    const other = await open({ document: chaosStore(memoryStore({ domain: after }), plan) });
    plan.add({ call: 'insert', entity: 'Profile', nth: 1, fail: new ConnectionError('gone') });
    await expect(other.moves.run(Profile, quick)).rejects.toThrow('gone');
    expect(await weave.moves.state(Profile)).toBe('copying');
    await weave.transaction(async (uow) => {
      await weave
        .transaction(async () => {
          await uow.repository(Profile).update({ name: 'p0' }, { visits: 1 });
          throw new Error('no');
        })
        .catch(() => {});
      await uow.repository(Profile).update({ name: 'p1' }, { visits: 1 });
    });
    expect((await weave.moves.run(Profile, quick)).isMoved).toBe(true);
    expect((await stored(after)).map(([, visits]) => visits)).toEqual([0, 1, 0, 0]);
  });

  it('takes over unique values that change hands', async () => {
    const weave = await open();
    await fill(weave, 30);
    const plan = new ChaosPlan();
    const mover = await open({ document: chaosStore(memoryStore({ domain: after }), plan) });
    plan.add({ call: 'insert', entity: 'Profile', nth: 3, fail: new ConnectionError('gone') });
    await expect(mover.moves.run(Profile, quick)).rejects.toThrow('gone');
    // p1 is copied, p29 is not; each gets the name of the other.
    const profiles = weave.repository(Profile);
    await profiles.update({ name: 'p1' }, { name: 'free' });
    await profiles.update({ name: 'p29' }, { name: 'p1' });
    await profiles.update({ name: 'free' }, { name: 'p29' });
    expect((await weave.moves.run(Profile, quick)).isMoved).toBe(true);
    const names = (await stored(after)).map(([name]) => name);
    expect([names[1], names[29]]).toEqual(['p29', 'p1']);
  });
});

describe('a mover', () => {
  it('that dies is followed by one that goes on, and by none while it lives', async () => {
    const weave = await open();
    await fill(weave, 40);
    const stop = new AbortController();
    const pages: number[] = [];
    const running = weave.moves.run(Profile, {
      ...quick,
      signal: stop.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'copy') pages.push(done);
        if (done === 20) stop.abort();
      },
    });
    await expect(weave.moves.run(Profile, quick)).rejects.toThrow(InvalidStateError);
    await expect(running).rejects.toThrow();
    const report = await weave.moves.run(Profile, {
      ...quick,
      onProgress: ({ phase, entity, done }) => {
        if (phase === 'copy' && entity === 'Profile') pages.push(done);
      },
    });
    expect(pages).toEqual([10, 20, 30, 40]);
    expect(report).toMatchObject({ isMoved: true, entities: [{ target: 40, copied: 20 }, {}] });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'that loses its target at call %i leaves a move that can be run again',
    async (nth) => {
      const weave = await open();
      await fill(weave, 12);
      const plan = new ChaosPlan();
      const mover = await open({ document: chaosStore(memoryStore({ domain: after }), plan) });
      plan.add({ call: 'read', nth, fail: new ConnectionError('gone') });
      const first = await mover.moves.run(Profile, quick).catch((error: unknown) => error);
      await weave.repository(Profile).update({ name: 'p3' }, { visits: nth });
      if (first instanceof Error) expect((await weave.moves.run(Profile, quick)).isMoved).toBe(true);
      expect(await stored(after)).toContainEqual(['p3', nth]);
      expect((await stored(after)).length).toBe(12);
    },
  );

  it('that dies in its switch holds writers no longer than its lease', async () => {
    const weave = await open();
    await fill(weave, 3);
    await killedInSwitch(weave);
    const began = performance.now();
    await weave.repository(Profile).update({ name: 'p1' }, { visits: 4 });
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(await weave.moves.state(Profile)).toBe('copying');
    expect((await weave.moves.run(Profile, quick)).isMoved).toBe(true);
    expect(await stored(after)).toContainEqual(['p1', 4]);
  });

  it('gives up where the target cannot keep a row, and the application goes on', async () => {
    const forgetful = memoryStore({ domain: after });
    const insert = forgetful.write.bind(forgetful);
    forgetful.write = (batch, access) => {
      if (batch.op !== 'insert' || batch.entity.name !== 'Profile') return insert(batch, access);
      const at = batch.fields.findIndex(({ name }) => name === 'visits');
      return insert({ ...batch, rows: batch.rows.map((row) => row.map((v, i) => (i === at ? 99 : v))) }, access);
    };
    const weave = await open({ document: forgetful });
    await fill(weave, 3);
    const report = await weave.moves.run(Profile, quick);
    expect(report).toMatchObject({ isMoved: false, isEqual: false });
    expect(report.entities[0]?.differences[0]).toEqual({ key: [1], kind: 'changed', fields: ['visits'] });
    await weave.repository(Profile).update({ name: 'p1' }, { visits: 4 });
    expect(await stored(before)).toContainEqual(['p1', 4]);
  });

  it('can be called off, and begin again', async () => {
    const weave = await open();
    await fill(weave, 12);
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    await expect(weave.moves.run(Profile, { ...quick, signal: stop.signal, onProgress })).rejects.toThrow();
    await weave.repository(Profile).update({ name: 'p1' }, { visits: 4 });
    await weave.moves.abort(Profile, quick);
    expect(await weave.moves.state(Profile)).toBe('idle');
    await weave.repository(Profile).delete({ name: 'p2' });
    await expect(weave.moves.run(Profile, quick)).rejects.toThrow(/10 rows in "document" already/);
    expect((await weave.moves.run(Profile, { ...quick, deleteExtra: true })).isMoved).toBe(true);
    expect((await stored(after)).length).toBe(11);
    expect(await stored(after)).toContainEqual(['p1', 4]);
    await expect(weave.moves.abort(Profile, quick)).rejects.toThrow(/has been moved/);
  });

  it('is refused where a move could not be kept apart from writers', async () => {
    const poor = memoryDomain({ transactions: undefined });
    await expect(open({ old: memoryStore({ domain: poor }) })).rejects.toThrow(CapabilityError);
    const weave = await open();
    expect(() => weave.moves.run(Topic)).toThrow(ConfigurationError);
    expect(() => weave.moves.run(Profile, { maxHoldMs: 100 })).toThrow(/maxHoldMs/);
    const one = memoryStore({ domain: after });
    const stores = { document: one, old: one };
    const moving = [{ entity: Profile, from: 'old' }];
    await expect(Storeweave.open({ entities, stores, moving })).rejects.toThrow(/is declared for "document"/);
    const none = { document: one };
    await expect(Storeweave.open({ entities, stores: none, moving })).rejects.toThrow(/No store is bound to "old"/);
  });
});

/** Runs a move whose mover is cut off from everything as soon as the gate is closed. */
async function killedInSwitch(weave: Storeweave): Promise<void> {
  const dead = new ChaosPlan();
  const target = memoryStore({ domain: after });
  const count = target.count?.bind(target);
  target.count = async (...args) => {
    if ((await weave.moves.state(Profile)) !== 'closed') return count?.(...args) ?? 0;
    dead.add({ call: ['read', 'insert', 'update', 'delete', 'begin'], times: Number.POSITIVE_INFINITY });
    throw new ConnectionError('dead');
  };
  const mover = await open({ old: chaosStore(memoryStore({ domain: before }), dead), document: target });
  await expect(mover.moves.run(Profile, quick)).rejects.toThrow('dead');
  expect(await weave.moves.state(Profile)).toBe('closed');
}
