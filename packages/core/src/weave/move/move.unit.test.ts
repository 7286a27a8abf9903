import { ChaosPlan, chaosStore, type MemoryDomain, memoryDomain, memoryStore } from '@storeweave/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { Document, Relational } from '../../decorators/models.js';
import { Version } from '../../decorators/moments.js';
import { Id, Property } from '../../decorators/property.js';
import { ManyToMany } from '../../decorators/relations.js';
import { CapabilityError, ConfigurationError, ConnectionError } from '../../errors/errors.js';
import type { EntityClass } from '../../model/entity-model.js';
import type { Collection } from '../../relations/collection.js';
import type { Store } from '../../store/store.js';
import { Storeweave } from '../storeweave.js';
import { type MoveProgress, moveEntity } from './move.js';

@Relational()
class Topic {
  @Id() id!: string;
  @Property('string') name!: string;
}

@Document()
class Profile {
  @Id('integer', { generated: 'sequence' }) id!: number;
  @Property('string') name!: string;
  @Property('json', { nullable: true }) more!: unknown;
  @Property('decimal', { nullable: true }) worth!: string | null;
  @ManyToMany(() => Topic) topics!: Collection<Topic>;
  @Version() version!: number;
}

const entities: readonly EntityClass[] = [Topic, Profile];

let before: MemoryDomain;
let after: MemoryDomain;
const oldStore = () => memoryStore({ domain: before });
const newStore = () => memoryStore({ domain: after });
/** As the application binds them before the move, and after it. */
const openOld = () => Storeweave.open({ entities, stores: { relational: oldStore(), document: oldStore() } });
const openNew = () =>
  Storeweave.open({ entities, atomicity: 'best-effort', stores: { relational: oldStore(), document: newStore() } });
const stores = (over: Record<string, Store> = {}) => ({
  relational: oldStore(),
  embedded: oldStore(),
  document: newStore(),
  ...over,
});
const move = (over: Partial<Parameters<typeof moveEntity>[0]> = {}) =>
  moveEntity({ entities, stores: stores(), entity: Profile, from: 'embedded', ...over });

async function fill(count: number): Promise<void> {
  await using weave = await openOld();
  await weave.transaction(async (uow) => {
    const topics = ['a', 'b'].map((name) => uow.create(Topic, { name }));
    for (let i = 0; i < count; i++) {
      const profile = uow.create(Profile, { name: `p${i}`, more: { list: [i, null] }, worth: `${i}.50` } as never);
      profile.topics.add(...topics.slice(0, i % 3));
    }
  });
}

beforeEach(() => {
  before = memoryDomain();
  after = memoryDomain();
});

describe('moveEntity()', () => {
  it('moves rows and links, and the new store goes on where the old one was', async () => {
    await fill(25);
    const told: MoveProgress[] = [];
    const report = await move({ pageSize: 10, onProgress: (progress) => told.push(progress) });
    expect(report.isEqual).toBe(true);
    expect(report.entities[0]).toMatchObject({
      entity: 'Profile',
      source: 25,
      target: 25,
      copied: 25,
      repaired: 0,
      differences: [],
    });
    expect(report.entities[0]?.sourceDigest).toBe(report.entities[0]?.targetDigest);
    expect(report.entities[1]).toMatchObject({ source: 24, target: 24, copied: 24 });
    expect(
      told.filter(({ entity, phase }) => entity === 'Profile' && phase === 'copy').map(({ done }) => done),
    ).toEqual([10, 20, 25]);

    await using weave = await openNew();
    const found = await weave.repository(Profile).find({ orderBy: { id: 'asc' }, populate: ['topics'] });
    expect(found.map(({ name, version }) => [name, version])).toEqual(
      Array.from({ length: 25 }, (_, i) => [`p${i}`, 1]),
    );
    expect(
      found[5]?.topics
        .get()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['a', 'b']);
    const fresh = await weave.transaction(async (uow) => uow.create(Profile, { name: 'next' } as never));
    expect(fresh.id).toBe(26);
  });

  it('goes on where it stopped', async () => {
    await fill(30);
    const plan = new ChaosPlan();
    plan.add({ call: 'insert', entity: 'Profile', nth: 3, fail: new ConnectionError('gone') });
    let position: MoveProgress['position'];
    const onProgress = (progress: MoveProgress) => {
      position = progress.position ?? position;
    };
    const stopped = move({ pageSize: 10, onProgress, stores: stores({ document: chaosStore(newStore(), plan) }) });
    await expect(stopped).rejects.toThrow('gone');
    const told: MoveProgress[] = [];
    const report = await move({
      pageSize: 10,
      ...(position && { position }),
      onProgress: (progress) => told.push(progress),
    });
    expect(told[0]).toMatchObject({ phase: 'copy', done: 30, total: 30 });
    expect(report.entities[0]).toMatchObject({ copied: 10, source: 30, target: 30 });
    expect(report.isEqual).toBe(true);
  });

  it('makes up for what changed since an earlier run', async () => {
    await fill(12);
    await move();
    {
      await using weave = await openOld();
      await weave.transaction(async (uow) => {
        const [first, second] = await uow.repository(Profile).find({ orderBy: { id: 'asc' } });
        if (first === undefined || second === undefined) throw new Error('nothing there');
        first.name = 'changed';
        uow.remove(second);
        uow.create(Profile, { name: 'new' } as never);
      });
    }
    const report = await move();
    expect(report.entities[0]).toMatchObject({ copied: 1, repaired: 1, source: 12, target: 13 });
    expect(report.entities[0]?.differences).toEqual([{ key: [2], kind: 'extra' }]);
    expect(report.isEqual).toBe(false);

    const last = await move({ deleteExtra: true });
    expect(last.isEqual).toBe(true);
    await using weave = await openNew();
    expect((await weave.repository(Profile).findById(1))?.name).toBe('changed');
    expect(await weave.repository(Profile).count()).toBe(12);
  });

  it('says which fields the target cannot keep', async () => {
    await fill(3);
    const forgetful = newStore();
    const write = forgetful.write.bind(forgetful);
    forgetful.write = (batch, access) => {
      if (batch.op !== 'insert') return write(batch, access);
      const at = batch.fields.findIndex(({ name }) => name === 'more');
      const rows = batch.rows.map((row) => row.map((value, i) => (i === at ? null : value)));
      return write({ ...batch, rows }, access);
    };
    const report = await move({ stores: stores({ document: forgetful }) });
    expect(report.isEqual).toBe(false);
    expect(report.entities[0]?.differences).toEqual(
      [1, 2, 3].map((id) => ({ key: [id], kind: 'changed', fields: ['more'] })),
    );
    expect(report.entities[0]?.sourceDigest).not.toBe(report.entities[0]?.targetDigest);
  });

  it('refuses what it cannot understand, before anything is touched', async () => {
    await expect(move({ entity: 'Nobody' })).rejects.toThrow(/no entity "Nobody".*Topic, Profile/);
    await expect(move({ from: 'nowhere' })).rejects.toThrow(ConfigurationError);
    const one = newStore();
    await expect(move({ stores: stores({ embedded: one, document: one }) })).rejects.toThrow(
      /Declare it for the new store/,
    );
    const countless = newStore();
    Object.defineProperty(countless, 'advanceSequences', { value: undefined });
    await expect(move({ stores: stores({ document: countless }) })).rejects.toThrow(CapabilityError);
  });

  it('of nothing is nothing', async () => {
    expect(await move()).toMatchObject({ isEqual: true, entities: [{ source: 0, target: 0 }, { source: 0 }] });
  });
});
