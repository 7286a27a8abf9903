/** Relations of adopted classes are plain properties: what the application does to them must become what stores keep. */
import { memoryStore } from '@storeweave/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { Relational } from '../decorators/models.js';
import { Property } from '../decorators/property.js';
import { InvalidStateError, InvalidValueError, MetadataError } from '../errors/errors.js';
import type { EntityClass } from '../model/entity-model.js';
import type { AdoptedEntity, AdoptedMember } from '../store/adopted.js';
import type { Store } from '../store/store.js';
import type { Defaults } from '../types/brands.js';
import { adopted, optional } from '../types/brands.js';
import { Storeweave } from '../weave/storeweave.js';

@Relational()
class Writer {
  declare readonly [adopted]: 'works' | 'prizes';
  id!: string;
  name!: string;
  works!: Work[];
  prizes!: Prize[];
}

@Relational()
class Work {
  declare readonly [adopted]: 'writer' | 'editor';
  declare readonly [optional]: Defaults<'pages' | 'editorId'>;
  id!: string;
  title!: string;
  pages!: number;
  writer!: Writer | null;
  /** Its key is a property as well. */
  editorId!: string | null;
  editor!: Writer | null;
}

@Relational()
class Prize {
  declare readonly [adopted]: 'holders';
  id!: string;
  name!: string;
  holders!: Writer[];
}

const id: AdoptedMember = { kind: 'field', name: 'id', column: 'id', type: 'uuid', id: true, generated: 'uuid' };
const text = (name: string): AdoptedMember => ({ kind: 'field', name, column: name.toUpperCase(), type: 'text' });
const toOne = (name: string, column: string): AdoptedMember => ({
  kind: 'relation',
  name,
  relation: 'many-to-one',
  target: Writer,
  nullable: true,
  key: { columns: [column], references: ['id'] },
  onDelete: 'set null',
  cascade: ['persist'],
});
const toMany = (name: string, target: EntityClass, inverse: string, more: object = {}): AdoptedMember => ({
  kind: 'relation',
  name,
  relation: 'one-to-many',
  target,
  nullable: true,
  inverse,
  cascade: ['persist'],
  ...more,
});
const entity = (source: string, members: AdoptedMember[], more: Partial<AdoptedEntity> = {}): AdoptedEntity => ({
  source,
  members: [id, ...members],
  indexes: [],
  hooks: [],
  problems: [],
  ...more,
});

const link = { table: 'writerPrizes', ownerColumns: ['w'], targetColumns: ['p'] };
const known = new Map<EntityClass, AdoptedEntity>([
  [
    Writer,
    entity('Writer', [
      text('name'),
      toMany('works', Work, 'writer'),
      toMany('prizes', Prize, 'holders', { relation: 'many-to-many', inverse: undefined, link }),
    ]),
  ],
  [
    Work,
    entity('Work', [
      text('title'),
      { kind: 'field', name: 'pages', column: 'pages', type: 'integer', default: 1 },
      { kind: 'field', name: 'editorId', column: 'editorId', type: 'uuid', nullable: true },
      toOne('writer', 'writerId'),
      toOne('editor', 'editorId'),
    ]),
  ],
  [Prize, entity('Prize', [text('name'), toMany('holders', Writer, 'prizes', { relation: 'many-to-many' })])],
]);

function storeThatAdopts(entities: ReadonlyMap<EntityClass, AdoptedEntity>): Store {
  return Object.assign(memoryStore(), { adopt: async () => entities });
}

describe('adopted relations', () => {
  let weave: Storeweave;
  beforeEach(async () => {
    weave = await Storeweave.open({ entities: [Writer, Work, Prize], stores: { relational: storeThatAdopts(known) } });
  });
  const names = (items: readonly { name: string }[] | undefined) => items?.map(({ name }) => name).sort();

  async function ada(): Promise<string> {
    return weave.transaction((uow) => {
      const writer = uow.create(Writer, { name: 'Ada' });
      writer.works.push(uow.create(Work, { title: 'Notes' }));
      uow.create(Work, { title: 'Letters', writer, editor: writer });
      writer.prizes = ['first', 'second'].map((name) => uow.create(Prize, { name }));
      return writer.id;
    });
  }

  it('are undefined before they are loaded, and the entities afterwards', async () => {
    const key = await ada();
    const bare = await weave.repository(Writer).findOneOrFail({ where: { id: key } });
    expect([bare.works, bare.prizes]).toStrictEqual([undefined, undefined]);
    expect(JSON.parse(JSON.stringify(bare))).toStrictEqual({ id: key, name: 'Ada' });
    const [full] = await weave
      .repository(Writer)
      .find({ populate: ['works.writer', 'works.editor', 'prizes.holders'] });
    expect(full?.works.map(({ title }) => title).sort()).toStrictEqual(['Letters', 'Notes']);
    expect(full?.works.every(({ writer }) => writer === full)).toBe(true);
    expect(full?.works.map(({ editor }) => editor)).toEqual(expect.arrayContaining([full, null]));
    expect(names(full?.prizes)).toStrictEqual(['first', 'second']);
    expect(full?.prizes.every(({ holders }) => holders[0] === full)).toBe(true);
    expect(full?.works).toBe(full?.works);
  });

  it('take changes of arrays that were handed out, whenever they were made', async () => {
    const key = await ada();
    await weave.transaction(async (uow) => {
      const [writer] = await uow.repository(Writer).find({ where: { id: key }, populate: ['works', 'prizes'] });
      if (writer === undefined) throw new Error('none');
      const { works, prizes } = writer;
      prizes.pop();
      prizes.push(uow.create(Prize, { name: 'third' }));
      works.sort((a, b) => (a.title < b.title ? -1 : 1)).shift();
      // A query sees it, because what is pending is written first.
      expect(await uow.repository(Work).count({ writer: key })).toBe(1);
      expect(writer.works).toBe(works);
      prizes.push(uow.create(Prize, { name: 'fourth' }));
    });
    const [writer] = await weave.repository(Writer).find({ populate: ['works', 'prizes'] });
    expect(writer?.works.map(({ title }) => title)).toStrictEqual(['Notes']);
    expect(writer?.prizes).toHaveLength(3);
    expect(names(writer?.prizes)).toEqual(expect.arrayContaining(['third', 'fourth']));
  });

  it('keep both sides, and a key that is a property, in step', async () => {
    const key = await ada();
    await weave.transaction(async (uow) => {
      const [writer] = await uow.repository(Writer).find({ where: { id: key }, populate: ['works', 'prizes'] });
      const bob = uow.create(Writer, { name: 'Bob' });
      const [work] = writer?.works ?? [];
      if (work === undefined || writer === undefined) throw new Error('none');
      work.writer = bob;
      work.editor = bob;
      await uow.flush();
      expect(work.editorId).toBe(bob.id);
      expect(await uow.repository(Work).count({ writer: bob.id, editorId: bob.id })).toBe(1);
      const [prize] = await uow.repository(Prize).find({ limit: 1, populate: ['holders'] });
      prize?.holders.splice(0, 1, bob);
      await uow.flush();
      expect(writer.prizes).toHaveLength(1);
      work.editor = undefined as never;
      expect(work.editor).toBe(bob);
      work.editor = null;
    });
    expect(await weave.repository(Work).count({ editorId: { exists: true } })).toBeLessThan(2);
  });

  it('take an object with the key for the entity, and refuse anything else', async () => {
    const key = await ada();
    await weave.transaction(async (uow) => {
      const work = uow.create(Work, { title: 'Third', writer: { id: key } as Writer });
      expect(work.writer).toBeUndefined();
      uow.create(Work, { title: 'Fourth' }).editor = { id: key } as Writer;
      expect(() => Object.assign(work, { writer: 5 })).toThrow(InvalidValueError);
      expect(() => Object.assign(work, { writer: { name: 'x' } })).toThrow(/Work.writer takes a Writer or null/);
      const writer = await uow.repository(Writer).findOneOrFail({ where: { id: key } });
      expect(() => Object.assign(writer, { works: work })).toThrow(/an array of Work/);
    });
    expect(await weave.repository(Work).count({ writer: key })).toBe(3);
    expect(await weave.repository(Work).count({ editorId: key })).toBe(2);
  });

  it('are put back by a rollback, and go on in the next unit of work', async () => {
    const key = await ada();
    let kept: Writer | undefined;
    await weave.transaction(async (uow) => {
      [kept] = await uow.repository(Writer).find({ where: { id: key }, populate: ['works'] });
      await expect(
        uow.transaction(async (inner) => {
          kept?.works.push(inner.create(Work, { title: 'lost' }));
          await inner.flush();
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
    });
    const stored = async () => weave.repository(Work).count({ writer: key });
    expect(await stored()).toBe(2);
    const writer = kept as Writer;
    const fresh = new Work();
    fresh.title = 'made by new';
    writer.works = [...(writer.works ?? []).filter(({ title }) => title !== 'lost'), fresh];
    await weave.transaction((uow) => uow.add(writer));
    expect(await stored()).toBe(3);
    expect(fresh.writer).toBe(writer);
    await weave.transaction(async (uow) => {
      uow.add(writer);
      writer.works.length = 0;
      await uow.refresh(writer);
      expect(writer.works).toBeUndefined();
    });
    expect(await stored()).toBe(3);
  });
});

describe('adopted classes', () => {
  const open = (entities: ReadonlyMap<EntityClass, AdoptedEntity>, classes: EntityClass[] = [...entities.keys()]) =>
    Storeweave.open({ entities: classes, stores: { relational: storeThatAdopts(entities) } });

  it('may say some of it themselves', async () => {
    @Relational()
    class Mixed {
      id!: string;
      @Property('text', { nullable: true, column: 'odd' }) odd!: string | null;
    }
    const problems = [{ property: 'odd', message: 'is odd' }];
    const weave = await open(new Map([[Mixed, entity('mixed', [], { problems })]]));
    await weave.repository(Mixed).insert({ odd: 'yes' });
    expect(await weave.repository(Mixed).count({ odd: 'yes' })).toBe(1);
    const strange = new Map([[Prize, entity('Prize', [text('name')], { problems: [{ message: 'is strange' }] })]]);
    await expect(open(strange)).rejects.toThrow(/Prize: is strange/);
  });

  it('stay in their tables, and name what is wrong', async () => {
    @Relational({ table: 'elsewhere' })
    class Moved {
      id!: string;
    }
    await expect(open(new Map([[Moved, entity('here', [])]]))).rejects.toThrow(/kept in 'here'.*says 'elsewhere'/);
    const partly = toOne('writer', 'writerId') as AdoptedMember & { kind: 'relation' };
    const split = { ...partly, key: { columns: ['a', 'NAME'], references: ['id', 'name'] } };
    const wrong = entity('Work', [{ ...(text('title') as object), column: 'a' } as AdoptedMember, split]);
    const writers = entity('Writer', [text('name')]);
    await expect(
      open(
        new Map<EntityClass, AdoptedEntity>([
          [Work, wrong],
          [Writer, writers],
        ]),
      ),
    ).rejects.toThrow(/only a of them has a property/);
    const lost = entity('Work', [{ ...partly, key: { columns: ['w'], references: ['nothing'] } }]);
    await expect(
      open(
        new Map<EntityClass, AdoptedEntity>([
          [Work, lost],
          [Writer, writers],
        ]),
      ),
    ).rejects.toThrow(MetadataError);
  });

  it('let the store give a value where the application gives none', async () => {
    const weave = await open(
      new Map([
        [
          Prize,
          entity('Prize', [
            { kind: 'field', name: 'name', column: 'name', type: 'text', generated: 'store', nullable: true },
          ]),
        ],
      ]),
    );
    await weave.transaction((uow) => {
      uow.create(Prize, { name: 'given' });
      uow.create(Prize, { name: null } as never);
    });
    expect(await weave.repository(Prize).count({ name: { exists: true } })).toBe(1);
  });
});

it('refuses an entity of a relation that was removed', async () => {
  const weave = await Storeweave.open({
    entities: [Writer, Work, Prize],
    stores: { relational: storeThatAdopts(known) },
  });
  const failing = weave.transaction(async (uow) => {
    const writer = uow.create(Writer, { name: 'Ada' });
    await uow.flush();
    uow.remove(writer);
    uow.create(Work, { title: 'x', writer });
  });
  await expect(failing).rejects.toThrow(InvalidStateError);
});
