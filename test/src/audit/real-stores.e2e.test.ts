/**
 * Records of changes over PostgreSQL and MongoDB: they are in the transaction that decides, so there is one for each
 * change of each store, and none for what was refused.
 */
import { Audited, AuditLog, Document, Id, Property, Relational, Storeweave, Version } from '@storeweave/core';
import { embedded } from '@storeweave/embedded';
import { mongodb } from '@storeweave/mongodb';
import { sharedServer } from '@storeweave/testing/servers';
import { afterEach, beforeEach, expect, it } from 'vitest';

@Relational({ table: 'audited_owners' })
@Audited()
class Owner {
  @Id() id!: string;
  @Property('string') name!: string;
  @Version() version!: number;
}

@Document({ collection: 'audited_papers' })
@Audited({ redact: ['secret'] })
class Paper {
  @Id() id!: string;
  @Property('string', { unique: true }) title!: string;
  @Property('integer') pages!: number;
  @Property('string', { nullable: true }) secret!: string | null;
  @Version() version!: number;
}

let weave: Storeweave;
beforeEach(async () => {
  const relational = await (await sharedServer('postgres')).database('audit');
  const document = await (await sharedServer('mongodb')).database('audit');
  weave = await Storeweave.open({
    entities: [Owner, Paper],
    stores: { relational: embedded({ url: relational }).relational, document: mongodb({ url: document }) },
  });
});
afterEach(() => weave.close());

const told = async () =>
  (await weave.repository(AuditLog).find({ orderBy: { id: 'asc' } })).map(({ entity, operation, before, after }) =>
    [entity, operation, before?.pages ?? '-', after?.pages ?? '-', after?.version ?? '-'].join(' '),
  );

it('are there for both stores, and for none where one of them refuses', async () => {
  await weave.transaction({ actor: 'ada' }, (uow) => {
    uow.create(Owner, { name: 'Ada' });
    uow.create(Paper, { title: 'a', pages: 1, secret: 'hidden' });
  });
  await weave.transaction(async (uow) => {
    for (const paper of await uow.repository(Paper).find({})) paper.pages = 2;
  });
  const taken = weave.transaction((uow) => {
    uow.create(Owner, { name: 'Bob' });
    uow.create(Paper, { title: 'a', pages: 9 });
  });
  await expect(taken).rejects.toThrow(/title/);
  const thrown = weave.transaction(async (uow) => {
    uow.create(Paper, { title: 'c', pages: 9 });
    await uow.flush();
    throw new Error('no');
  });
  await expect(thrown).rejects.toThrow('no');
  expect((await told()).sort()).toEqual(['Owner insert - - 1', 'Paper insert - 1 1', 'Paper update 1 2 2']);
  expect(JSON.stringify(await weave.repository(AuditLog).find({}))).not.toContain('hidden');
  expect(await weave.repository(Paper).count()).toBe(1);
});

it('are there row by row for changes by filter, in bulk and by upsert of the other store', async () => {
  const papers = weave.repository(Paper);
  await papers.insert([1, 2, 3].map((pages) => ({ title: `p${pages}`, pages })));
  expect(await papers.update({ pages: { gte: 2 } }, { secret: 's' })).toBe(2);
  expect(await papers.increment({ pages: 3 }, { pages: 10 })).toBe(1);
  const rows = [
    { title: 'p1', pages: 7 },
    { title: 'p4', pages: 4 },
  ];
  expect(await papers.upsert(rows, { on: ['title'], update: ['pages'] })).toBe(2);
  expect(await papers.delete({ pages: 2 })).toBe(1);
  const stored = await papers.find({ orderBy: { title: 'asc' } });
  expect(stored.map(({ title, pages, version }) => [title, pages, version])).toEqual([
    ['p1', 7, 2],
    ['p3', 13, 3],
    ['p4', 4, 1],
  ]);
  expect((await told()).sort()).toEqual(
    [
      'Paper insert - 1 1',
      'Paper insert - 2 1',
      'Paper insert - 3 1',
      'Paper insert - 4 1',
      'Paper update - - 2',
      'Paper update - - 2',
      'Paper update 3 13 3',
      'Paper update 1 7 2',
      'Paper delete 2 - -',
    ].sort(),
  );
});

it('have no gaps and no doubles where many write at the same time', async () => {
  const papers = weave.repository(Paper);
  await papers.insert({ title: 'a', pages: 0 });
  const owner = (name: string) =>
    weave.transaction({ retries: 20 }, async (uow) => {
      uow.create(Owner, { name });
      (await uow.repository(Paper).findOneOrFail({})).pages += 1;
    });
  const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e', 'f'].map(owner));
  const done = outcomes.filter(({ status }) => status === 'fulfilled').length;
  const paper = await papers.findOneOrFail({});
  expect(done).toBeGreaterThan(0);
  expect([paper.pages, paper.version]).toEqual([done, done + 1]);
  const records = await told();
  expect(records.filter((each) => each.startsWith('Owner')).length).toBe(done);
  const versions = records.filter((each) => each.startsWith('Paper')).map((each) => Number(each.split(' ').at(-1)));
  expect(versions.sort((x, y) => x - y)).toEqual(Array.from({ length: done + 1 }, (_, at) => at + 1));
});
