/** An entity that is moved while it is written: at the gate, in the log, and over the switch. Stores in memory. */
import { ChaosPlan, chaosStore, type MemoryDomain, memoryDomain, memoryStore } from '@storeweave/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Document } from '../../decorators/models.js';
import { SoftDelete, Version } from '../../decorators/moments.js';
import { Id, Property } from '../../decorators/property.js';
import { ManyToMany, ManyToOne } from '../../decorators/relations.js';
import { CapabilityError, ConfigurationError, ConnectionError, InvalidStateError } from '../../errors/errors.js';
import type { EntityClass } from '../../model/entity-model.js';
import type { Collection } from '../../relations/collection.js';
import type { Ref } from '../../relations/ref.js';
import type { Store } from '../../store/store.js';
import { Storeweave } from '../storeweave.js';

@Document()
class Topic {
  @Id() id!: string;
  @Property('string') name!: string;
}

@Document()
class Profile {
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

const quick = { leaseMs: 200, pageSize: 10 };

async function fill(weave: Storeweave, count: number): Promise<void> {
  await weave.transaction(async (uow) => {
    const topics = ['a', 'b'].map((name) => uow.create(Topic, { name }));
    for (let i = 0; i < count; i++) {
      const profile = uow.create(Profile, { name: `p${i}` } as never);
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

    const found = await two.repository(Profile).find({ orderBy: { id: 'asc' }, populate: ['topics'] });
    expect(found.map(({ topics }) => topics.items.length)).toEqual(Array.from({ length: 25 }, (_, i) => i % 3));
    const fresh = await two.repository(Profile).insert({ name: 'next' } as never);
    expect(fresh.id).toBe(26);
    expect((await stored(before)).length).toBe(25);
    expect((await stored(after)).length).toBe(26);
    expect(await one.moves.run(Profile, quick)).toMatchObject({ isMoved: true });
  });
});
